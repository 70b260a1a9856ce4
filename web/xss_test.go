package web

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// hostile is text that tries to be something else than text.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`'><svg/onload=alert(1)>`,
	`</title></textarea></style></script><script>alert(1)</script>`,
	`<a href="javascript:alert(1)">x</a>`,
	`" onmouseover="alert(1)" x="`,
	`{{.}} {{template "frame" .}} {{printf "%s" "x"}}`,
	`${alert(1)} #{7*7} <%= 7*7 %>`,
	`<!channel> <!here> <@U1> @everyone`,
	"\u202egnp.exe\u202c \u2066x\u2069 a\u200bb \ufeff",
	"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x00 \x08",
	"\xff\xfe not UTF-8",
	`--><script>alert(1)</script><!--`,
	`]]><script>alert(1)</script>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<style>*{display:none}</style><base href=//evil.example><meta http-equiv=refresh content="0;//evil.example">`,
	`<form action=//evil.example><button>x</button></form>`,
	"line\n\nline\r\nid: 7\n\nevent: x\ndata: y",
	strings.Repeat("𝕏", 400),
}

// harmless is text of the same length and the same lines, so that it is cut at
// the same places.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return 'x'
	}, text)
}

// hostileWorld holds one incident in which everything that comes from outside
// is text.
func hostileWorld(t testing.TB, text string) (*world, *Server) {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	who := incidents.Actor{ID: "console:" + text, Name: text}
	both := incidents.Text{EN: text, JA: text}
	a := incidents.Alert{
		Labels: incidents.LabelsFromMap(map[string]string{"alertname": text, "service": text, "severity": "critical"}), StartsAt: c.at, GeneratorURL: "javascript:" + text,
		Annotations: incidents.LabelsFromMap(map[string]string{"summary": text, "runbook_url": text, "dashboard_url": "https://example.com/"}),
	}
	open := incidents.Open{ID: 1, Source: text, Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}}
	open.Grouping = incidents.Rules{}.Group("", &a)
	w.must(t, 1, open)
	plan := restartPlan(1)
	plan.Title, plan.Runbook, plan.Escalate = both, text, both
	plan.Recover = []incidents.Step{{ID: text, Title: both, Kind: "command", Argv: []string{text, "--" + text}}}
	plan = plan.Seal()
	w.must(t, 1, incidents.Diagnosed{Findings: []incidents.Finding{
		{Check: text, Title: both, Value: text, Detail: text, At: c.at}, {Check: text, Title: both, Error: text, At: c.at}}})
	w.must(t, 1, incidents.Ranked{Suggestions: []incidents.Suggestion{{Rank: 1, Action: "a", Title: both, Plan: plan}}})
	w.must(t, 1, incidents.Ack{By: who})
	w.must(t, 1, incidents.Lead{By: who, Who: who})
	w.must(t, 1, incidents.Note{By: who, Text: text})
	w.must(t, 1, incidents.GiveUp{Effect: incidents.Effect{Key: "1/room/" + text}, Reason: text})
	s := w.must(t, 1, incidents.Request{By: who, Plan: plan})
	s = w.must(t, 1, incidents.Approve{By: bea, ID: s.Approvals[0].ID, Digest: plan.Digest})
	w.must(t, 1, incidents.StartRun{Run: s.Runs[0].ID, Owner: "a"})
	w.must(t, 1, incidents.FinishRun{Run: s.Runs[0].ID, Owner: "a", Before: []incidents.StepResult{{Step: "checkout", Title: both, Value: text}},
		Steps: []incidents.StepResult{{Step: text, Title: both, OK: true, Value: text, Output: text}}})
	w.must(t, 1, incidents.Looked{Run: s.Runs[0].ID, After: []incidents.StepResult{{Step: "checkout", Title: both, Value: text, Output: text, Error: text}}})
	w.must(t, 1, incidents.Resolve{By: who, Text: text})
	w.dead = []incidents.DeadLetter{{Effect: incidents.Effect{Key: "1/room/slack", Incident: 1}, Reason: text, Attempt: 3}}
	server, err := New(w.options())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := server.say(ctx, &visit{person: who}, 1, clip(text, 7000)+" said", ""); err != nil {
		t.Fatal(err)
	}
	// And a message of every kind with the text in every place.
	for _, kind := range []bot.Kind{bot.KindCard, bot.KindDiagnostics, bot.KindSuggestions, bot.KindApproval, bot.KindRun, bot.KindLine, bot.KindReply, bot.KindSaid, bot.Kind(text)} {
		m := bot.Message{
			Kind: kind, Tone: bot.Tone(text), By: text, Title: text, Text: text, Fields: []bot.Field{{Name: text, Value: text}},
			Checks: []bot.Check{{State: bot.CheckState(text), Group: text, Name: text, Value: text, Before: text, Detail: text, Elapsed: text}},
			Items:  []bot.Item{{Rank: 1, Moved: text, Title: text, Evidence: text, Risk: text, Code: []bot.Code{{Label: text, Text: text}}, Buttons: []bot.Button{{ID: text, Label: text, Hint: text, Style: bot.StyleUp}}}},
			Code:   []bot.Code{{Label: text, Text: text}}, Buttons: []bot.Button{{ID: text, Label: text, Hint: text, Style: bot.Style(text)}},
			Links: []bot.Link{{Label: text, URL: "https://example.com/"}, {Label: text, URL: text}, {Label: text, URL: "javascript:alert(1)"}, {Label: text, URL: "data:text/html," + text}},
		}
		raw, err := json.Marshal(body{In: map[string]bot.Message{"en": m}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Post(ctx, roomOf(w.state(1)), "x-"+string(kind), raw, c.at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Post(ctx, roomOf(w.state(1)), "broken", []byte(text), c.at); err != nil {
		t.Fatal(err)
	}
	return w, server
}

var (
	tag       = regexp.MustCompile(`<(/?[a-zA-Z][^\s/>]*)`)
	attribute = regexp.MustCompile(`\s([a-zA-Z-]+)=`)
	element   = regexp.MustCompile(`<[a-zA-Z][^>]*>`)
	quoted    = regexp.MustCompile(`"[^"]*"`)
	leads     = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
)

// shape is what a page is made of, its text left out, and where that may go on
// in the next line.
func shape(html string) []string {
	var out []string
	for _, m := range tag.FindAllStringSubmatch(html, -1) {
		if m[1] != "wbr" {
			out = append(out, m[1])
		}
	}
	return out
}

// Hostile text changes no page's structure and reaches no attribute
// that a browser acts upon.
func TestHostileTextIsOnlyText(t *testing.T) {
	t.Parallel()
	for i, text := range hostile {
		_, plain := hostileWorld(t, harmless(text))
		_, s := hostileWorld(t, text)
		for _, path := range []string{"/", "/?show=all", "/incidents/1", "/incidents/1/timeline", "/dead-letters"} {
			want, got := ask(plain, http.MethodGet, path, ""), ask(s, http.MethodGet, path, "")
			if want.Code != http.StatusOK || got.Code != http.StatusOK {
				t.Fatalf("%s: %d, %d", path, want.Code, got.Code)
			}
			if a, b := shape(want.Body.String()), shape(got.Body.String()); !slices.Equal(a, b) {
				t.Errorf("%s with text %d changes its structure:\n%s", path, i, firstDifference(a, b))
			}
			inspect(t, path, got.Body.String())
		}
		service := "/?service=" + queryEscape(clip(strings.ToValidUTF8(text, ""), 100))
		inspect(t, service, ask(s, http.MethodGet, service, "").Body.String())
		// The postmortem is Markdown first: what is a heading or a list there is
		// the postmortem's business (package bot). Here it is only no markup.
		inspect(t, "postmortem", ask(s, http.MethodGet, "/incidents/1/postmortem", "").Body.String())
	}
}

// inspect looks for what must be on no page, whatever the text.
func inspect(t *testing.T, path, html string) {
	t.Helper()
	for _, el := range element.FindAllString(html, -1) {
		for _, m := range attribute.FindAllStringSubmatch(quoted.ReplaceAllString(el, `""`), -1) {
			if name := strings.ToLower(m[1]); strings.HasPrefix(name, "on") || name == "style" || name == "srcdoc" {
				t.Errorf("%s has the attribute %s: %.200s", path, name, el)
			}
		}
		if href := leads.FindStringSubmatch(el); href != nil {
			if !strings.HasPrefix(href[1], "/") && !strings.HasPrefix(href[1], "https://example.com/") && !strings.HasPrefix(href[1], "#") || strings.HasPrefix(href[1], "//") || strings.Contains(href[1], "ZgotmplZ") {
				t.Errorf("%s leads to %.100q", path, href[1])
			}
		}
	}
	for _, r := range []string{"\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\x00", "\x08"} {
		if strings.Contains(html, r) {
			t.Errorf("%s holds %q", path, r)
		}
	}
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return strings.Join(a[max(0, i-5):min(len(a), i+6)], " ") + "\nbecomes\n" + strings.Join(b[max(0, i-5):min(len(b), i+6)], " ")
		}
	}
	return "one is longer"
}

// The same for the answers to what people type, and for errors.
func TestHostileInputIsOnlyText(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	for _, text := range hostile {
		if !strings.ContainsRune(text, 0) {
			got := ask(s, http.MethodPost, "/commands", "text="+queryEscape(strings.ToValidUTF8(text, "")), header("Hikeshi-Fragment", "1"))
			inspect(t, "/commands", got.Body.String())
			if strings.Contains(got.Body.String(), "<script") || strings.Contains(got.Body.String(), "<img") {
				t.Errorf("%.60q comes back as markup: %s", text, got.Body)
			}
		}
		for _, path := range []string{"/incidents/" + queryEscape(text), "/" + queryEscape(text), "/?show=" + queryEscape(text), "/login?next=" + queryEscape(text)} {
			inspect(t, path, ask(s, http.MethodGet, path, "").Body.String())
		}
	}
}

// The live half: one event is one event, however the text tries to end it.
func TestHostileTextStaysInItsEvent(t *testing.T) {
	t.Parallel()
	for _, text := range hostile[len(hostile)-4:] {
		w, s := hostileWorld(t, text)
		src := &roomSource{s: s, v: &visit{lang: "en", requestID: "x", person: bea}, id: 1, room: roomOf(w.state(1))}
		events, _, err := src.news(t.Context())
		if err != nil || len(events) < 10 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for _, e := range events {
			data, err := lean(e.data)
			if err != nil || strings.ContainsAny(string(data)+e.id+e.name, "\r\n") || strings.Contains(string(data), "<script>") {
				t.Errorf("%v %.200s", err, data)
			}
		}
	}
}
