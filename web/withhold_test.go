package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Who may not press a button sees that, and whom to ask; and is refused if they do.
func TestButtonsThatAReaderMayNotPressAreOff(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "vic", Accounts: []string{"console:vic"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Viewer}}}},
		{Name: "bo", Accounts: []string{"console:bo"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}}}},
		{Name: "ann", Accounts: []string{"console:ann"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder, bot.Approver}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, s := handler(t, func(o *Options) {
		o.Rights = roster
		o.Config.People = []Person{{Name: "vic", Token: "vic-" + token}, {Name: "bo", Token: "bo-" + token}, {Name: "ann", Token: "ann-" + token}}
	})
	buttons := regexp.MustCompile(`<button name="button" value="h1\.1\.([a-z]+)[^>]*>`)
	for _, c := range []struct{ who, lang, off, on, says string }{
		{"vic", "en", "res apr up", "", "it needs the right “approve”, held by: ann."},
		{"vic", "ja", "res apr up", "", "必要な権限「approve」を持つ人: ann"},
		{"bo", "en", "apr", "res up", "it needs the right “approve”, held by: ann."},
		{"ann", "en", "", "res apr up", ""},
	} {
		page := ask(s, http.MethodGet, "/incidents/1?lang="+c.lang, "", bearer(c.who+"-"+token)).Body.String()
		is := map[string]string{}
		for _, m := range buttons.FindAllStringSubmatch(page, -1) {
			is[m[1]] = m[0]
		}
		for _, verb := range strings.Fields(c.off) {
			if !strings.Contains(is[verb], " disabled ") {
				t.Errorf("%s may press %s: %q", c.who, verb, is[verb])
			}
		}
		for _, verb := range strings.Fields(c.on) {
			if is[verb] == "" || strings.Contains(is[verb], " disabled") {
				t.Errorf("%s may not press %s: %q", c.who, verb, is[verb])
			}
		}
		if !strings.Contains(is["apr"], c.says) {
			t.Errorf("%s in %s is told %q", c.who, c.lang, is["apr"])
		}
	}
}
