package bot

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestRightsAreAskedAgainAtTheStart: between an approval and the run a right can
// be lost; then nothing runs, and the room says why.
func TestRightsAreAskedAgainAtTheStart(t *testing.T) {
	t.Parallel()
	approver := func(roles ...Role) Rights {
		return roster(t, Member{Name: "cho", Accounts: []string{"console:cho"}, Grants: []Grant{{Roles: roles, Services: []string{"checkout"}}}})
	}
	a := running(t)
	lone := a.s.Runs[0] // of which nobody knows who approved it
	lone.Approval = "7"
	high := a.s.Runs[0]
	high.Plan.Risk = incidents.RiskHigh
	for name, c := range map[string]struct {
		rights Rights
		run    *incidents.Run
		why    string // "": it runs
	}{
		"still an approver":      {approver(Approver), &a.s.Runs[0], ""},
		"no longer one":          {approver(Responder), &a.s.Runs[0], "because.right_lost"},
		"of another service now": {roster(t, Member{Name: "cho", Accounts: []string{"console:cho"}, Grants: []Grant{{Roles: []Role{Approver}, Services: []string{"cart"}}}}), &a.s.Runs[0], "because.right_lost"},
		"gone":                   {roster(t), &a.s.Runs[0], "because.right_lost"},
		"no approval":            {Open{}, &lone, "because.plan_changed"},
		"one of two":             {Open{}, &high, "because.plan_changed"},
	} {
		because, err := StillMay(c.rights)(t.Context(), a.s, c.run)
		if err != nil || because.Phrase != c.why {
			t.Errorf("%s: %v, %+v", name, err, because)
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
	links := Links{Base: "https://h.example.com", Approvers: func(incidents.Scope) []string { return []string{"bea", "cho", "dan"} }}
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
