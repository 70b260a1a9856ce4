package incidents

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// risky is a plan that two must approve.
func risky(n ID) Plan {
	p := restart(n)
	p.Runbook, p.Risk = "drop-cache", RiskHigh
	return p.Seal()
}

func TestTwoOthersApproveWhatIsRisky(t *testing.T) {
	t.Parallel()
	plan := risky(42)
	fresh := func(who Actor, at time.Time) Approve {
		return Approve{By: who, ID: "1", Digest: plan.Digest, SignedIn: at.Add(-time.Minute)}
	}
	st := opened(t, Rule{})
	st.must(suggestions(plan), noon)
	st.refused(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest, SignedIn: noon}, noon, "error.ask_first")
	st.must(Request{By: bea, Plan: plan}, minute(1))

	st.refused(fresh(bea, minute(2)), minute(2), "error.approve_own")
	st.refused(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(2), "error.approve_console")
	for _, signedIn := range []time.Time{minute(2).Add(-FreshFor), minute(3), minute(-600)} {
		st.refused(Approve{By: abe, ID: "1", Digest: plan.Digest, SignedIn: signedIn}, minute(2), ApproveStale)
	}
	st.refused(Approve{By: abe, ID: "1", Digest: restart(42).Digest, SignedIn: minute(2)}, minute(2), "error.plan_changed")

	if got := st.must(fresh(abe, minute(3)), minute(3)); !slices.Equal(kinds(got), []EventKind{EventAgreed}) {
		t.Fatalf("the first: %v", kinds(got))
	}
	if got := st.must(fresh(abe, minute(4)), minute(4)); len(got) != 0 { // a double click
		t.Fatalf("the same person again: %v", kinds(got))
	}
	if len(st.s.Runs) > 0 {
		t.Fatal("one was enough")
	}
	if got := st.must(fresh(eve, minute(5)), minute(5)); !slices.Equal(kinds(got), []EventKind{EventApproved}) {
		t.Fatalf("the second: %v", kinds(got))
	}
	if a := st.s.Approval("1"); !slices.Equal(a.Approvers(), []Actor{abe, eve}) || st.s.approver(&st.s.Runs[0]) != "abe, eve" {
		t.Errorf("approved by %v", a.Approvers())
	}
	st.refused(fresh(abe, minute(6)), minute(6), "error.decided.approved") // and says by whom
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(6))
}

// TestOnlyLowRiskTakesOne: a risk that nobody stated is a high one.
func TestOnlyLowRiskTakesOne(t *testing.T) {
	t.Parallel()
	for risk, want := range map[Risk]int{RiskLow: 1, RiskHigh: 2, RiskRead: 2, "": 2, "Low": 2, "none": 2} {
		if got := (&Plan{Risk: risk}).Approvers(); got != want {
			t.Errorf("%q takes %d", risk, got)
		}
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(Request{By: bea, Plan: restart(42)}, minute(1))
	st.refused(Withdraw{By: abe, ID: "1"}, minute(1), "error.withdraw_other")
	st.refused(Withdraw{By: bea, ID: "2"}, minute(1), "error.no_approval")
	st.must(Withdraw{By: bea, ID: "1"}, minute(2))
	for _, cmd := range []Command{Withdraw{By: bea, ID: "1"}, Deny{By: abe, ID: "1"}, Approve{By: abe, ID: "1", Digest: restart(42).Digest}} {
		st.refused(cmd, minute(3), "error.decided.withdrawn")
	}
}

// TestARunStartsOnlyWithAllItsApprovals: what stands in the store is looked at
// once more at the start.
func TestARunStartsOnlyWithAllItsApprovals(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(*Approval){
		"nobody":                 func(a *Approval) { a.Given, a.Decided = nil, nil },
		"one of two":             func(a *Approval) { a.Given = a.Given[:1] },
		"one twice":              func(a *Approval) { a.Given[1] = a.Given[0] },
		"the asker among them":   func(a *Approval) { a.Given[1].By = a.Asked.By },
		"Hikeshi itself":         func(a *Approval) { a.Given[1].By = Bot },
		"denied":                 func(a *Approval) { a.State = ApprovalDenied },
		"only who came last":     func(a *Approval) { a.Given = nil },
		"with another plan":      func(a *Approval) { a.Plan = restart(42) },
		"with a plan made light": func(a *Approval) { a.Plan.Risk = RiskLow },
	} {
		st := opened(t, Rule{})
		st.must(Request{By: bea, Plan: risky(42)}, minute(1))
		for _, who := range []Actor{abe, eve} {
			st.must(Approve{By: who, ID: "1", Digest: risky(42).Digest, SignedIn: minute(1)}, minute(1))
		}
		forge(st.s.approval("1"))
		events, err := Decide(st.s, StartRun{Run: "INC-42/1", Owner: "p"}, minute(2))
		if err != nil || !slices.Equal(kinds(events), []EventKind{EventRunFailed, EventEscalated}) {
			t.Errorf("approved by %s, it starts: %v, %v", name, kinds(events), err)
		}
	}
}

// TestAnyOrderOfDecisions: whoever approves, denies, withdraws or lets expire in
// whichever order, a request is decided once, and runs only what enough others
// with a fresh sign-in approved before anybody said no.
func TestAnyOrderOfDecisions(t *testing.T) {
	t.Parallel()
	people := []Actor{bea, abe, eve, {ID: "person:dan", Name: "dan"}}
	rapid.Check(t, func(t *rapid.T) {
		plan := rapid.SampledFrom([]Plan{restart(42), risky(42)}).Draw(t, "plan")
		st := newStory(t)
		st.must(opening(Rule{}, firing("A", "", noon)), noon)
		now := noon
		st.must(Request{By: bea, Plan: plan}, now)
		until := now.Add(ApprovalTerm)
		said := map[string]bool{} // who has approved, as this test understands it
		over := ApprovalPending
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Minute, 10 * time.Minute}).Draw(t, "later"))
			who := rapid.SampledFrom(people).Draw(t, "who")
			ago := rapid.SampledFrom([]time.Duration{0, time.Minute, FreshFor, -time.Minute}).Draw(t, "signed in")
			inChat := rapid.Bool().Draw(t, "in chat")
			live := over == ApprovalPending && now.Before(until)
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				st.try(Deny{By: who, ID: "1"}, now)
				if live {
					over = ApprovalDenied
				}
			case 1:
				st.try(Withdraw{By: who, ID: "1"}, now)
				if live && who == bea {
					over = ApprovalWithdrawn
				}
			case 2:
				st.pass(now)
				if over == ApprovalPending && !now.Before(until) {
					over = ApprovalExpired
				}
			default:
				cmd := Approve{By: who, ID: "1", Digest: plan.Digest}
				if !inChat {
					cmd.SignedIn = now.Add(-ago)
				}
				st.try(cmd, now)
				may := !plan.TwoMust() || who != bea && !inChat && ago >= 0 && ago < FreshFor
				if live && may {
					said[who.ID] = true
					if len(said) >= plan.Approvers() {
						over = ApprovalGiven
					}
				}
			}
			a := st.s.Approval("1")
			if a.State != over || (len(st.s.Runs) == 1) != (over == ApprovalGiven) || len(a.Given) != len(said) {
				t.Fatalf("it is %s with %d runs and %v, want %s with %v", a.State, len(st.s.Runs), a.Given, over, said)
			}
		}
	})
}
