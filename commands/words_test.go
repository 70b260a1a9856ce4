package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestEveryVerbRefusesWhatItDoesNotUnderstand: a word that would have no effect
// is refused, with something to type that works.
func TestEveryVerbRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	for line, hint := range map[string]string{
		"ack now":                "/inc ack",
		"ack 7":                  "/inc INC-7 ack",
		"status please":          "/inc status",
		"alerts all":             "/inc alerts",
		"suggest more":           "/inc suggest",
		"postmortem now":         "/inc postmortem",
		"severity SEV1 SEV2":     "/inc severity SEV1",
		"assign @bea @cho":       "/inc assign @bea",
		"lead @bea please":       "/inc lead @bea",
		"timeline 5 6":           "/inc timeline 5",
		"timeline all":           "/inc timeline 50",
		"why 1 2":                "/inc why 1",
		"approve 1 2":            "/inc approve 1",
		"approve restart-web ok": "/inc approve restart-web",
		"run 1 now":              "/inc help run",
		"run request:1":          "/inc approve request:1",
		"list web shop":          "/inc list web",
		"help ack now":           "/inc help ack",
		"pin 3":                  "/inc note …",
	} {
		h := withIncident(t)
		before := len(h.log[42])
		_, err := h.say(bea, line)
		e, ok := err.(*incidents.Error)
		if !ok || e.Code != incidents.Invalid || e.Hint != hint || len(h.log[42]) != before {
			t.Errorf("%q: %v, hint %q, want %q", line, err, e.Hint, hint)
			continue
		}
		if _, err := h.say(bea, hint); err != nil && !strings.Contains("INC-7 request:1", hint[strings.LastIndex(hint, " ")+1:]) && !strings.Contains(hint, "INC-7") {
			t.Errorf("%q: its hint %q is refused: %v", line, hint, err)
		}
	}
}

func TestNothingToResolveOrReopen(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	if got := h.must(bea, "reopen"); got.Text != "INC-42 is open already (Triggered). Nothing was changed." {
		t.Errorf("reopen says %q", got.Text)
	}
	h.now = h.now.Add(time.Minute)
	h.must(bea, "resolve")
	if got := h.must(cho, "resolve rolled back"); got.Text != "INC-42 is resolved already, since 14:04 UTC by bea. Nothing was changed; to add something, use /inc note." {
		t.Errorf("resolve says %q", got.Text)
	}
}

// TestALostAnswerIsGivenAgain: who did not get the answer and says the same
// under the same key gets what the first was answered, whatever has happened
// since; and it has happened once.
func TestALostAnswerIsGivenAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before []string
		line   string
		after  []string
	}{
		{nil, "approve 1", nil},
		{nil, "approve restart-web", nil},
		{[]string{"run 2"}, "approve", []string{"vote 1 up"}},
		{[]string{"run 2"}, "deny", nil},
		{[]string{"run 2"}, "deny not now", nil},
		{nil, "run 1", []string{"approve"}},
		{nil, "vote 1 up", []string{"vote 2 down"}},
		{nil, "resolve", nil},
		{nil, "resolve it is over", []string{"reopen"}},
		{[]string{"resolve"}, "reopen", nil},
		{nil, "ack", []string{"resolve"}},
	} {
		h := withIncident(t)
		say := func() (string, error) {
			reply, err := h.router.Handle(t.Context(), bot.Request{Person: bea, Incident: 42, Line: c.line, Lang: "en", Once: "web:bea:k1"})
			if err != nil {
				return "", err
			}
			return reply.Message.Text, nil
		}
		for _, line := range c.before {
			h.must(cho, line)
			h.now = h.now.Add(time.Second)
		}
		first, err := say()
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		for _, line := range c.after {
			h.now = h.now.Add(time.Second)
			h.must(cho, line)
		}
		events := len(h.log[42])
		if again, err := say(); err != nil || again != first || len(h.log[42]) != events {
			t.Errorf("%q again: %q, %v and %d more events; the first was answered %q", c.line, again, err, len(h.log[42])-events, first)
		}
	}
	h := withIncident(t)
	for _, line := range []string{"approve 1", "deny"} {
		_, err := h.router.Handle(t.Context(), bot.Request{Person: bea, Incident: 42, Line: line, Lang: "en", Once: "k"})
		if refused := line == "deny"; refused != (incidents.CodeOf(err) == incidents.Conflict) || !refused && err != nil {
			t.Errorf("%q under a key in use: %v", line, err)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	for line, state := range map[string]incidents.RunState{
		"settle worked":                      incidents.RunVerifying,
		"settle 1 failed":                    incidents.RunFailed,
		"settle INC-42/1 stopped it is gone": incidents.RunFailed,
		"確定 1 停止":                            incidents.RunFailed,
		"settle 2 worked":                    "",
		"settle":                             "",
		"settle 1":                           "",
		"settle 1 fine":                      "",
		"settle fine":                        "",
	} {
		h := withIncident(t)
		h.refused(bea, "settle stopped", incidents.Conflict)
		h.must(bea, "approve 1")
		h.move(incidents.StartRun{Run: "INC-42/1", Owner: "p"})
		h.move(incidents.LoseRun{Run: "INC-42/1"})
		_, err := h.say(bea, line)
		if got := h.all[42].Runs[0].State; state != "" && (err != nil || got != state) || state == "" && (err == nil || got != incidents.RunUnknown) {
			t.Errorf("%q: %v, the run is %s", line, err, got)
		}
	}
}
