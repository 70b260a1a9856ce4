package commands

import (
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

func TestRunAndApprove(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.refused(cho, "approve", incidents.NotFound) // nothing waits
	h.must(bea, "run flush-cache")
	h.must(bea, "run 2") // the same plan: one request
	if n := len(h.all[42].Approvals); n != 1 {
		t.Fatalf("%d requests, want 1", n)
	}
	h.must(cho, "approve")
	s := h.all[42]
	if len(s.Runs) != 1 || s.Runs[0].Plan.Digest != plan("flush-cache", "flush").Digest || s.Approvals[0].Decided.By != cho {
		t.Fatalf("runs %+v", s.Runs)
	}
	h.refused(cho, "approve 1", incidents.Conflict) // one at a time
}

func TestApproveNamesOnePlan(t *testing.T) {
	t.Parallel()
	restart := plan("restart-web", "restart").Digest
	for _, c := range []struct {
		line string
		code incidents.Code // "": a run of restart-web
	}{
		{"approve 1", ""},
		{"承認 1", ""},
		{"approve restart-web", ""},
		{"approve restart-web plan:" + restart[:16], ""},
		{"approve restart-web plan:" + restart, ""},
		{"approve restart-web plan:0123456789abcdef", incidents.Conflict},
		{"approve restart-web plan:" + restart[:4], incidents.Conflict}, // too short to say anything
		{"approve 3", incidents.NotFound},
		{"approve reboot-everything", incidents.NotFound},
		{"approve request:1", incidents.NotFound},
	} {
		h := withIncident(t)
		_, err := h.say(cho, c.line)
		runs := h.all[42].Runs
		switch {
		case c.code != "":
			if incidents.CodeOf(err) != c.code || len(runs) > 0 {
				t.Errorf("%q: %v and %d runs, want %s and none", c.line, err, len(runs), c.code)
			}
		case err != nil || len(runs) != 1 || runs[0].Plan.Digest != restart:
			t.Errorf("%q: %v, runs %v", c.line, err, runs)
		}
	}
}

// TestApproveAfterTheOrderChanged: who types a rank has read a list; while it
// has just changed, a bare rank is not taken.
func TestApproveAfterTheOrderChanged(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.now = h.now.Add(time.Minute)
	h.move(incidents.Ranked{Suggestions: []incidents.Suggestion{suggested(1, plan("flush-cache", "flush")), suggested(2, plan("restart-web", "restart"))}})
	h.now = h.now.Add(settle - time.Second)
	h.refused(cho, "approve 1", incidents.Conflict)
	h.refused(cho, "run 1", incidents.Conflict)
	if len(h.all[42].Approvals) > 0 {
		t.Fatal("something was asked for")
	}
	h.now = h.now.Add(time.Second)
	h.must(cho, "approve 1")
	if got := h.all[42].Runs[0].Plan.Runbook; got != "flush-cache" {
		t.Errorf("%s runs", got)
	}
}

// TestApproveOfWhatWaits: approving a suggestion that somebody asked for
// already decides that request, so that it cannot be approved once more.
func TestApproveOfWhatWaits(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "run 1")
	h.must(cho, "approve restart-web")
	if s := h.all[42]; len(s.Approvals) != 1 || s.Approvals[0].State != incidents.ApprovalGiven {
		t.Errorf("approvals %+v", s.Approvals)
	}
}

func TestDeny(t *testing.T) {
	t.Parallel()
	for line, reason := range map[string]string{"deny": "", "deny 1": "", "deny 1 not now": "not now", "reject not now": "not now", "deny request:1 no": "no"} {
		h := withIncident(t)
		h.must(bea, "run 1")
		h.must(cho, line)
		log := h.log[42]
		if e := log[len(log)-1]; e.Kind != incidents.EventDenied || e.Text != reason || len(h.all[42].Runs) > 0 {
			t.Errorf("%q: %s with %q", line, e.Kind, e.Text)
		}
	}
	h := withIncident(t)
	h.must(bea, "run 1")
	h.must(bea, "run 2")
	h.refused(cho, "deny", incidents.Invalid) // two wait
	h.refused(cho, "approve", incidents.Invalid)
	h.refused(cho, "deny 7", incidents.NotFound)
}

// TestRunOfARunbook: any runbook can be asked for by name, with its values
// validated; it needs an approval like any other.
func TestRunOfARunbook(t *testing.T) {
	t.Parallel()
	rb, problems := runbooks.Parse("restart-web.yaml", []byte(runbook), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	h := withIncident(t)
	d := Deps{Incidents: h.memory, Again: h.memory, Library: library{rb}, Now: func() time.Time { return h.now }}
	s := h.all[42]
	p, err := d.plan(bot.Reader{}, s, []string{"restart-web", "instance=web-2"})
	if err != nil || !slices.Equal(p.Recover[0].Argv, []string{"systemctl", "restart", "web@web-2"}) {
		t.Errorf("%v: %v", p.Recover, err)
	}
	for _, args := range [][]string{
		{"restart-web", "instance=-oProxyCommand=x"}, {"restart-web", "instance=a;b"}, {"restart-web", "other=1"}, {"restart-web", "instance"}, {"nothing"}, nil,
	} {
		if _, err := d.plan(bot.Reader{}, s, args); err == nil || incidents.CodeOf(err) == incidents.Internal {
			t.Errorf("%q: %v, want a refusal", args, err)
		}
	}
}
