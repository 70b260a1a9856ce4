package commands

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/alertmanager"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/web"
)

const hostileBook = `
id: echo
title: {en: Echo, ja: エコー}
risk: low
fits: ['alertname="HighErrorRate"']
params:
  v: {type: string, match: '(?s).*', dash: true, from: label.value}
recover:
  - {id: echo, command: {argv: [printf, '%s', '{v}']}}
verify:
  stable: 5s
  within: 5m
  steps: [{command: {argv: ["true"]}}]
escalate: {en: x, ja: x}
`

// hostileHouse has INC-42 with the label value, as a webhook brought it, and the runbook
// echo. What the label is after the intake comes back; a webhook that is refused: false.
func hostileHouse(t *testing.T, rb *runbooks.Runbook, value string) (h *house, label string, ok bool) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": "{}", "alerts": []any{map[string]any{
		"status": "firing", "startsAt": someDay, "labels": map[string]string{"alertname": "HighErrorRate", "service": "web", "value": value},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	batch, _, err := alertmanager.DecodeWebhook(body, "", someDay, intake.DefaultLimits())
	if err != nil {
		return nil, "", false
	}
	h = newHouse(t)
	h.deps.Library = library{rb}
	h.route(t)
	a := batch.Alerts[0]
	h.move(incidents.Open{ID: 42, Source: "am", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()},
		Grouping: incidents.Grouping{Because: incidents.Because("because.service_and_name", "service", "web", "name", "HighErrorRate")}})
	return h, h.all[42].Common.Get("value"), true
}

// asked is the plan that is asked for after do, or nil where it was refused.
func (h *house) asked(do func()) *incidents.Plan {
	before := len(h.all[42].Approvals)
	do()
	if approvals := h.all[42].Approvals; len(approvals) > before {
		return &approvals[len(approvals)-1].Plan
	}
	return nil
}

// TestInjectionByEveryRoute: however a value comes, by an alert's label, a typed command,
// the API or a button, what is asked for has it byte for byte in one argument, or nothing
// is asked for. (What then carries the argument out is in runbooks/injection_test.go.)
func TestInjectionByEveryRoute(t *testing.T) {
	t.Parallel()
	rb, problems := runbooks.Parse("echo.yaml", []byte(hostileBook), map[string]string{})
	if rb == nil {
		t.Fatal(problems)
	}
	took := map[string]int{}
	hold := func(route, want string, p *incidents.Plan) {
		t.Helper()
		if p == nil {
			return
		}
		took[route]++
		if argv := p.Recover[0].Argv; len(argv) != 3 || argv[2] != want || p.Params["v"] != want || len(p.Params) != 1 {
			t.Errorf("%s: %q became %q", route, want, argv)
		}
	}
	for _, v := range testenv.Injections("/tmp/hikeshi-canary") {
		h, label, ok := hostileHouse(t, rb, v)
		if !ok {
			continue
		}
		hold("label", label, h.asked(func() { _, _ = h.say(bea, "run echo") }))
		// Hidden characters are taken out of what people type: what they see is what is asked for.
		for _, line := range []string{`run echo "v=` + v + `"`, "run echo v=" + v} {
			want := bot.Clean(v)
			if !strings.HasSuffix(line, `"`) || strings.HasSuffix(line, "v="+v) {
				want = strings.TrimSpace(want)
			}
			h, _, _ := hostileHouse(t, rb, "")
			hold("typed", want, h.asked(func() { _, _ = h.say(bea, line) }))
			h, _, _ = hostileHouse(t, rb, "")
			hold("API", want, h.asked(func() { h.post(t, line) }))
		}
		if plan, err := rb.Plan(h.all[42], nil); err == nil {
			h, label, _ := hostileHouse(t, rb, v)
			h.move(incidents.Ranked{Suggestions: []incidents.Suggestion{suggested(1, plan)}})
			hold("button", label, h.asked(func() { h.pressAll(t) }))
		}
	}
	for _, route := range []string{"label", "typed", "API", "button"} {
		if took[route] < 100 {
			t.Errorf("by %s only %d values were taken", route, took[route])
		}
	}
	t.Logf("taken: %v", took)
}

// post is the API, in the console's own process.
func (h *house) post(t *testing.T, line string) {
	t.Helper()
	console, err := web.New(web.Options{Router: h.router, Incidents: h.memory})
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"command": line})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/incidents/42/commands", strings.NewReader(string(body)))
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	console.Handler().ServeHTTP(answer, r)
	if answer.Code >= 500 {
		t.Errorf("%q: %d %s", line, answer.Code, answer.Body)
	}
}

// pressAll presses what the room offers about its suggestions, until something is asked for.
func (h *house) pressAll(t *testing.T) {
	t.Helper()
	for _, m := range bot.Room(h.all[42], h.log[42], "en", h.now, bot.Links{}) {
		for _, it := range m.Items {
			for _, b := range it.Buttons {
				if len(h.all[42].Approvals) == 0 {
					_, _ = h.router.Press(t.Context(), bot.Request{Person: bea, Chat: "console", Incident: 42, Lang: "en"}, b.ID)
				}
			}
		}
	}
}
