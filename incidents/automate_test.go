package incidents

import (
	"slices"
	"testing"
)

func accepted() Acceptance { return Acceptance{By: abe, At: noon, Digest: "d1"} }

// TestItRunsByItselfOnce: the standing approval is used like any other, once, and
// the run passes the same look at its approval before it starts.
func TestItRunsByItselfOnce(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	list := suggestions(restart(42))
	list.Trusted = true
	st.must(list, minute(1))
	if _, waits := st.waiting["42/automate"]; !waits {
		t.Fatalf("nobody asks whether it runs by itself: %v", st.waiting)
	}
	cmd := Automate{Action: "restart-web", Digest: restart(42).Digest, Standing: accepted()}
	if got := kinds(st.must(cmd, minute(1))); !slices.Equal(got, []EventKind{EventRequested, EventApproved}) {
		t.Fatalf("it led to %v", got)
	}
	if got := st.must(cmd, minute(1)); len(got) > 0 {
		t.Fatalf("a second time it led to %v", kinds(got))
	}
	a := st.s.Approval("1")
	if a.Asked.By != Bot || a.Decided.By != Bot || !slices.Equal(a.Approvers(), []Actor{abe}) || !a.complete() {
		t.Errorf("approved as %+v", a)
	}
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
	st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(2))
	o, ended := st.s.Outcome("INC-42/1")
	if ended {
		t.Errorf("it ended as %+v", o)
	}
	st.must(Looked{Run: "INC-42/1", After: failed("health")}, minute(9))
	if _, waits := st.waiting["42/judge/INC-42/1"]; !waits {
		t.Errorf("nobody judges it: %v", st.waiting)
	}
	if o, ended = st.s.Outcome("INC-42/1"); !ended || !o.Itself || !o.Clean || !o.Tried || o.State != RunNotVerified {
		t.Errorf("it ended as %+v", o)
	}
}

// TestPeopleHaveItInHand: what keeps a trusted action from running by itself here.
func TestPeopleHaveItInHand(t *testing.T) {
	t.Parallel()
	high := restart(42)
	high.Risk = RiskHigh
	high = high.Seal()
	for name, c := range map[string]struct {
		before []Command
		change func(*Automate)
	}{
		"another plan":           {nil, func(a *Automate) { a.Digest = restart(7).Digest }},
		"another action":         {nil, func(a *Automate) { a.Action = "clear-cache" }},
		"another runbook":        {nil, func(a *Automate) { a.Standing.Digest = "d2" }},
		"nobody accepted it":     {nil, func(a *Automate) { a.Standing.By = Bot }},
		"it is of high risk":     {[]Command{suggestions(high)}, func(a *Automate) { a.Digest = high.Digest }},
		"somebody asked for it":  {[]Command{Request{By: bea, Plan: restart(42)}}, nil},
		"somebody denied it":     {[]Command{Request{By: bea, Plan: restart(42)}, Deny{By: abe, ID: "1"}}, nil},
		"somebody doubts it":     {[]Command{Vote{By: bea, Action: "restart-web", Value: -1}}, nil},
		"it was withheld":        {[]Command{TellTrust{Action: "restart-web", Word: Word{EventWithheld, Because("because.trust_risk")}}}, nil},
		"something else is tops": {[]Command{suggestions(func() Plan { p := restart(42); p.Runbook = "x"; return p.Seal() }(), restart(42))}, nil},
		"nothing fires":          {[]Command{receive(ended(firing("HighErrorRate", "warning", noon), minute(1)))}, nil},
		"it is over":             {[]Command{Resolve{By: bea}}, nil},
	} {
		st := opened(t, Rule{})
		st.must(suggestions(restart(42)), minute(1))
		for _, cmd := range c.before {
			st.must(cmd, minute(2))
		}
		cmd := Automate{Action: "restart-web", Digest: restart(42).Digest, Standing: accepted()}
		if c.change != nil {
			c.change(&cmd)
		}
		if got := st.must(cmd, minute(3)); len(got) > 0 {
			t.Errorf("%s, and yet: %v", name, kinds(got))
		}
	}
}

// TestAStandingApprovalIsLookedAtAgain: what stands in the store does not start
// where it was not accepted as it is.
func TestAStandingApprovalIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(*Approval){
		"by nobody":       func(a *Approval) { a.Standing.By = Actor{} },
		"by Hikeshi":      func(a *Approval) { a.Standing.By = Bot },
		"another runbook": func(a *Approval) { a.Standing.Digest = "d2" },
		"no runbook":      func(a *Approval) { a.Standing.Digest, a.Plan.RunbookDigest = "", "" },
		"of high risk":    func(a *Approval) { a.Plan.Risk = RiskHigh; a.Plan = a.Plan.Seal() },
		"not standing":    func(a *Approval) { a.Standing = nil },
	} {
		st := opened(t, Rule{})
		st.must(suggestions(restart(42)), minute(1))
		st.must(Automate{Action: "restart-web", Digest: restart(42).Digest, Standing: accepted()}, minute(1))
		forge(st.s.approval("1"))
		st.s.Runs[0].Plan = st.s.approval("1").Plan
		events, err := Decide(st.s, StartRun{Run: "INC-42/1", Owner: "p"}, minute(2))
		if err != nil || !slices.Equal(kinds(events), []EventKind{EventRunFailed, EventEscalated}) {
			t.Errorf("%s: it starts: %v, %v", name, kinds(events), err)
		}
	}
}
