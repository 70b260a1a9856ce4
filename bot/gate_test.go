package bot

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// counted is a runner that only counts.
type counted struct{ runs, looks int }

func (c *counted) Run(context.Context, incidents.Plan, string) (before, steps []incidents.StepResult) {
	c.runs++
	return nil, []incidents.StepResult{{Step: "go", OK: true}}
}

func (c *counted) Look(context.Context, incidents.Plan, string) []incidents.StepResult {
	c.looks++
	return nil
}

// away is a store that is.
type away struct{}

func (away) Load(context.Context, incidents.ID) (*incidents.Incident, error) {
	return nil, errors.New("away")
}

// TestRightsAreAskedAgainAtTheStart: between an approval and the run a right can
// be lost; then nothing runs, and the room says why.
func TestRightsAreAskedAgainAtTheStart(t *testing.T) {
	t.Parallel()
	approver := func(roles ...Role) Rights {
		return roster(t, Member{Name: "cho", Accounts: []string{"console:cho"}, Grants: []Grant{{Roles: roles, Services: []string{"checkout"}}}})
	}
	a := running(t)
	plan := a.s.Runs[0].Plan
	other := plan
	other.Recover = append(other.Recover, incidents.Step{ID: "more", Argv: []string{"rm"}})
	for name, c := range map[string]struct {
		rights Rights
		in     Loader
		plan   incidents.Plan
		run    string
		why    string // "": it runs
	}{
		"still an approver":      {approver(Approver), loader{a.s}, plan, "INC-42/1", ""},
		"no longer one":          {approver(Responder), loader{a.s}, plan, "INC-42/1", "because.right_lost"},
		"of another service now": {roster(t, Member{Name: "cho", Accounts: []string{"console:cho"}, Grants: []Grant{{Roles: []Role{Approver}, Services: []string{"cart"}}}}), loader{a.s}, plan, "INC-42/1", "because.right_lost"},
		"gone":                   {roster(t), loader{a.s}, plan, "INC-42/1", "because.right_lost"},
		"the store is away":      {Open{}, away{}, plan, "INC-42/1", "because.rights_unread"},
		"another run":            {Open{}, loader{a.s}, plan, "INC-42/2", "because.rights_unread"},
		"another plan":           {Open{}, loader{a.s}, other.Seal(), "INC-42/1", "because.plan_changed"},
	} {
		runner := &counted{}
		g := Gate{Runner: runner, Incidents: c.in, Rights: c.rights}
		_, steps := g.Run(t.Context(), c.plan, c.run)
		if c.why == "" {
			if runner.runs != 1 || !incidents.AllOK(steps) {
				t.Errorf("%s: %d runs, %+v", name, runner.runs, steps)
			}
			continue
		}
		if runner.runs > 0 || len(steps) != 1 || steps[0].OK || steps[0].Because.Phrase != c.why {
			t.Errorf("%s: %d runs, %+v", name, runner.runs, steps)
		}
	}
}

// TestTheRequestSaysAllThatAnApproverNeeds.
func TestTheRequestSaysAllThatAnApproverNeeds(t *testing.T) {
	t.Parallel()
	p := restartPlan()
	p.Risk, p.Params = incidents.RiskHigh, map[string]string{"instance": "web-1", "why": "a b"}
	p.Effect, p.Undo = incidents.Text{EN: "drops every cached page"}, incidents.Text{EN: "none: it fills by itself"}
	p = p.Seal()
	a := voted(t).do(10*time.Second, incidents.Request{By: bea, Plan: p})
	links := Links{Base: "https://h.example.com", Approvers: func(string) []string { return []string{"bea", "cho", "dan"} }}
	card := func() Message {
		for _, m := range Room(a.s, a.events, "en", a.now, links) {
			if m.Kind == KindApproval {
				return m
			}
		}
		t.Fatal("no request")
		return Message{}
	}
	want := map[string]string{"Risk": "high risk", "Effect": "drops every cached page", "With": "instance=web-1 why='a b'", "To undo": "none: it fills by itself", "May approve": "cho, dan"}
	hold := func(when string) {
		got := map[string]string{}
		for _, f := range card().Fields {
			got[f.Name] = f.Value
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", when, name, got[name], value)
			}
		}
	}
	hold("asked")
	if m := card(); len(m.Code) == 0 || m.Text == "" || len(m.Buttons) != 3 {
		t.Errorf("%+v", m)
	}
	a.do(time.Second, incidents.Approve{By: cho, ID: "1", Digest: p.Digest, SignedIn: a.now})
	want["May approve"] = "dan"
	hold("approved by one")
}
