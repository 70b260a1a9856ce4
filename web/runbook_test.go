package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// books has three runbooks, of which two belong to the incident.
type books struct{ t testing.TB }

func (b books) Get(id string) *runbooks.Runbook {
	manual := map[string]string{"restart-till": "\nmanual: {from: wiki, page: \"運用/<b>レジ</b>\"}", "flush-cache": "", "other": "\nmanual: {from: wiki, page: Canary}", "acmes": "\ncustomers: [acme]\nmanual: {from: wiki, page: Canary}"}
	m, there := manual[id]
	if !there {
		return nil
	}
	rb, problems := runbooks.Parse(id+".yaml", []byte("id: "+id+"\ntitle: {en: Look, ja: 見る}\nfits: any"+m+"\ncheck: [{command: {argv: [uptime]}}]\n"), nil)
	if rb == nil {
		b.t.Fatal(problems)
	}
	return rb
}

// wiki gives what it is.
type wiki struct {
	prose bot.Prose
	err   error
}

func (w wiki) Read(_ context.Context, m incidents.Manual) (bot.Prose, error) {
	if m.Page == "Canary" {
		return bot.Prose{Text: "Canary"}, nil
	}
	return w.prose, w.err
}

const hostileProse = "# Till\n[the console](https://wiki.example.com/till) [x](javascript:alert(1)) ![p](https://evil.example.com/p.png)\n<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n```\n[code](https://in.example.com)\n```\n| a |\n|---|\n| <b>x</b> |\n"

func TestARunbookStandsBesideItsManual(t *testing.T) {
	t.Parallel()
	read := time.Date(2026, 11, 22, 14, 2, 0, 0, time.UTC)
	prose := bot.Prose{Title: "レジ", Text: hostileProse, URL: "https://wiki.example.com/42", Read: read}
	away := prose
	away.Away = incidents.Fail(incidents.Unavailable, "error.manual_away", "away", "from", "wiki")
	evil := prose
	evil.URL, evil.Cut = "javascript:alert(1)", true
	for name, c := range map[string]struct {
		wiki   Manuals
		path   string
		has    []string
		hasNot []string
	}{
		"fresh": {wiki{prose: prose}, "restart-till", []string{
			"<h2 id=\"manual\">Manual: レジ</h2>", "wiki · 運用/&lt;b&gt;レジ", "2026-11-22 14:02 UTC", `href="https://wiki.example.com/42"`, "Open it in wiki", "uptime",
			`the console <a href="https://wiki.example.com/till" rel="noopener noreferrer">https://wiki.example.com/till</a>`, "[code](https://in.example.com)", "[x](javascript:alert(1))",
		}, []string{"stale", "<script>alert", "<img src=x", "<b>x", `<img src="https://evil`, `href="javascript`}},
		"old":           {wiki{prose: away}, "restart-till", []string{"This is older: wiki cannot be reached.", "2026-11-22 14:02 UTC", "the console"}, nil},
		"cut":           {wiki{prose: evil}, "restart-till", []string{"the rest is in wiki"}, []string{"Open it in", `href="javascript`}},
		"away":          {wiki{err: away.Away}, "restart-till", []string{"wiki cannot be reached.", "uptime"}, []string{"This is older", "As of"}},
		"empty":         {wiki{prose: bot.Prose{Read: read}}, "restart-till", []string{"The page is empty."}, []string{"stale"}},
		"no trackers":   {nil, "restart-till", []string{"is kept in wiki, which is not set up"}, nil},
		"nobody's":      {wiki{prose: prose}, "flush-cache", []string{"uptime", "Nobody has written more"}, []string{"the console"}},
		"not suggested": {wiki{prose: prose}, "other", []string{"Canary"}, nil}, // for who sees everything
	} {
		_, s := handler(t, func(o *Options) { o.Runbooks, o.Manuals = books{t}, c.wiki })
		got := ask(s, http.MethodGet, "/incidents/1/runbooks/"+c.path, "", header("Accept-Language", "en"))
		if got.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
		_, page, _ := strings.Cut(got.Body.String(), "<main")
		for _, want := range c.has {
			if !strings.Contains(page, want) {
				t.Errorf("%s: lacks %q:\n%s", name, want, page)
			}
		}
		for _, bad := range c.hasNot {
			if strings.Contains(page, bad) {
				t.Errorf("%s: has %q:\n%s", name, bad, page)
			}
		}
	}
}

// Who was given one customer reads the runbooks of the incidents that they see,
// and no other one's manual.
func TestManualsAreForThoseWhoSeeTheIncident(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "kenji", Accounts: []string{"console:kenji"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Services: []string{"checkout"}}}},
		{Name: "mia", Accounts: []string{"console:mia"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Customers: []string{"globex"}}}},
		{Name: "root", Accounts: []string{"console:root"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}, Customers: []string{bot.AllCustomers}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, s := handler(t, func(o *Options) {
		o.Runbooks, o.Manuals, o.Rights = books{t}, wiki{prose: bot.Prose{Text: "Canary"}}, roster
		o.Config.People = []Person{{Name: "kenji", Token: "kenji-" + token}, {Name: "mia", Token: "mia-" + token}, {Name: "root", Token: "root-" + token}}
	})
	for _, c := range []struct {
		who, runbook string
		status       int
	}{{"kenji", "restart-till", http.StatusOK}, {"kenji", "other", http.StatusNotFound}, {"kenji", "none", http.StatusNotFound}, {"mia", "restart-till", http.StatusNotFound}, {"root", "other", http.StatusOK}, {"root", "acmes", http.StatusNotFound}} {
		got := ask(s, http.MethodGet, "/incidents/1/runbooks/"+c.runbook, "", bearer(c.who+"-"+token))
		if got.Code != c.status || strings.Contains(got.Body.String(), "Canary") != (c.status == http.StatusOK) {
			t.Errorf("%s and %s: %d %s", c.who, c.runbook, got.Code, got.Body)
		}
	}
}
