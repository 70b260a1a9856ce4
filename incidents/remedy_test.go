package incidents

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// refused expects an error of the phrase, and that nothing happened.
func (st *story) refused(cmd Command, now time.Time, phrase string) {
	st.t.Helper()
	version := st.s.Version
	_, err := st.try(cmd, now)
	if e, ok := err.(*Error); !ok || e.Phrase != phrase || st.s.Version != version {
		st.t.Fatalf("%#v: %v, version %d → %d; want %s", cmd, err, version, st.s.Version, phrase)
	}
}

func TestApprovalIsBoundToThePlan(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	changed := plan
	changed.Recover = []Step{{ID: "restart", Kind: "command", Argv: []string{"rm", "-rf", "/"}}}
	forged := changed // the shown digest on another plan
	changed = changed.Seal()

	st := opened(t, Rule{})
	st.refused(Approve{By: bea, Action: plan.Runbook, Digest: plan.Digest}, minute(1), "error.no_action")
	st.refused(Request{By: bea, Plan: forged}, minute(1), "error.plan_changed")
	st.refused(Request{By: bea, Plan: restart(7)}, minute(1), "error.plan_changed")
	st.must(Request{By: bea, Plan: plan}, minute(1))
	if got := st.must(Request{By: abe, Plan: plan}, minute(1)); len(got) != 0 {
		t.Errorf("the same plan asked for twice: %v", kinds(got))
	}
	st.refused(Approve{By: abe, ID: "1", Digest: changed.Digest}, minute(2), "error.plan_changed")
	st.refused(Approve{By: abe, ID: "1"}, minute(2), "error.plan_changed")
	st.refused(Approve{By: Bot, ID: "1", Digest: plan.Digest}, minute(2), "error.approve_person")
	st.refused(Approve{By: SourceActor("x"), ID: "1", Digest: plan.Digest}, minute(2), "error.approve_person")
	st.refused(Approve{By: abe, ID: "2", Digest: plan.Digest}, minute(2), "error.no_approval")
	st.must(suggestions(changed), minute(2)) // the runbook was edited after it was shown
	st.refused(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(2), "error.plan_changed")
	st.must(suggestions(forged), minute(2))
	st.refused(Approve{By: abe, Action: plan.Runbook, Digest: forged.Digest}, minute(2), "error.plan_changed")

	st.must(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(3))
	if r := st.s.Busy(); r == nil || r.Plan.Digest != plan.Digest || r.State != RunApproved {
		t.Fatalf("run = %+v", r)
	}
	st.wantStatus(Remediating)
	st.refused(Approve{By: bea, ID: "1", Digest: plan.Digest}, minute(3), "error.decided.approved")
	st.refused(Deny{By: bea, ID: "1"}, minute(3), "error.decided.approved")
	st.refused(Request{By: bea, Plan: changed}, minute(3), "error.busy")
	st.refused(Resolve{By: bea}, minute(3), "error.busy")
}

// TestOnePlanAskedForIsApprovedOnce: pressing Approve on the suggestion uses
// the request that waits for the same plan, so that it cannot be used again.
func TestOnePlanAskedForIsApprovedOnce(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	st := opened(t, Rule{})
	st.must(suggestions(plan), minute(1))
	st.must(Request{By: bea, Plan: plan}, minute(1))
	got := st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(2))
	if !slices.Equal(kinds(got), []EventKind{EventApproved}) || len(st.s.PendingApprovals()) != 0 {
		t.Errorf("approving what waits: %v, pending %+v", kinds(got), st.s.PendingApprovals())
	}
}

func TestApprovalExpires(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	st := opened(t, Rule{})
	st.must(Request{By: bea, Plan: plan}, minute(0))
	st.refused(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(15), "error.decided.expired") // before the timer rang
	st.pass(minute(15))
	if a := st.s.Approval("1"); a.State != ApprovalExpired {
		t.Errorf("approval is %s", a.State)
	}
	st.must(Request{By: bea, Plan: plan}, minute(16)) // a new one may be asked for
	st.must(Approve{By: abe, ID: "2", Digest: plan.Digest}, minute(30))

	// Its turn came too late: nothing is run, people are told.
	got := st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(46))
	if !slices.Equal(kinds(got), []EventKind{EventRunFailed, EventEscalated}) || got[0].Because.Phrase != "because.approval_old" {
		t.Errorf("a run whose approval is old: %v", kinds(got))
	}
}

// A replica whose clock was set back decides nothing and starts nothing: it would take for
// fresh what has expired.
func TestAClockThatIsBehindStartsNothing(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	st := opened(t, Rule{})
	st.must(Request{By: bea, Plan: plan}, minute(60))
	st.refused(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(20), "error.clock_behind")
	st.must(Deny{By: abe, ID: "1"}, minute(20)) // which makes it safer
	st.must(Request{By: bea, Plan: plan}, minute(60))
	st.must(Approve{By: abe, ID: "2", Digest: plan.Digest}, minute(59)) // as far as clocks may differ
	got := st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(10))
	if !slices.Equal(kinds(got), []EventKind{EventRunFailed, EventEscalated}) || got[0].Because.Phrase != "because.clock_behind" || got[0].Because.Args["by"] != "49m0s" {
		t.Errorf("an hour back it is fresh: %+v", got)
	}
}

func TestNothingIsRunOnceItIsOver(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	st := opened(t, Rule{Reopen: 30 * time.Minute})
	st.must(suggestions(plan), minute(1))
	st.must(Request{By: bea, Plan: plan}, minute(1))
	st.must(Resolve{By: bea}, minute(2))
	st.refused(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(3), "error.resolved")
	st.refused(Request{By: abe, Plan: plan}, minute(3), "error.resolved")
	st.must(Reopen{By: bea}, minute(4))
	st.must(Approve{By: abe, ID: "1", Digest: plan.Digest}, minute(5))
}

func TestTheLastRequestCanBeApproved(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.light = true
	var last Plan
	for i := range MaxApprovals {
		last = restart(42)
		last.Params = map[string]string{"try": strings.Repeat("x", i)}
		last = last.Seal()
		st.must(Request{By: bea, Plan: last}, noon)
	}
	st.refused(Request{By: bea, Plan: restart(42)}, noon, "error.too_many_runs")
	st.must(Approve{By: abe, ID: "50", Digest: last.Digest}, noon)
}

func TestARunIsClaimedOnce(t *testing.T) {
	t.Parallel()
	plan := restart(42)
	st := opened(t, Rule{})
	st.must(suggestions(plan), minute(1))
	st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(1))
	st.refused(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(1), "error.run_claimed")
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
	st.refused(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1), "error.run_claimed")
	st.refused(StartRun{Run: "INC-42/1", Owner: "q"}, minute(1), "error.run_claimed")
	st.refused(StartRun{Run: "INC-42/9", Owner: "q"}, minute(1), "error.no_run")
	st.refused(FinishRun{Run: "INC-42/1", Owner: "q", Steps: passed("restart")}, minute(2), "error.run_claimed")
	st.must(LoseRun{Run: "INC-42/1"}, minute(3)) // q found the claim, and p gone
	st.refused(StartRun{Run: "INC-42/1", Owner: "q"}, minute(3), "error.run_claimed")
	if got := st.must(LoseRun{Run: "INC-42/1"}, minute(3)); len(got) != 0 {
		t.Errorf("lost twice: %v", kinds(got))
	}
	st.wantStatus(Triggered)

	// p was only slow. What it did is told, unless somebody has begun anew.
	st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(4))
	st.refused(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(5), "error.busy")
	st.must(StartRun{Run: "INC-42/2", Owner: "q"}, minute(5))
	st.must(FinishRun{Run: "INC-42/2", Owner: "q", Steps: failed("restart")}, minute(6))
	st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(7))
	if r := st.s.Run("INC-42/1"); r.State != RunVerifying || !r.DoneAt.IsZero() || r.Because.Phrase != "" {
		t.Errorf("run = %+v", r)
	}
	st.wantStatus(Verifying)
}

// verifying is a story in which the remedy has just run, at minute 2; the plan
// wants all well for 30 s within 5 minutes.
func verifying(t *testing.T) *story {
	t.Helper()
	plan := restart(42)
	st := opened(t, Rule{Reopen: 30 * time.Minute})
	st.must(suggestions(plan), minute(1))
	st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(1))
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
	st.must(FinishRun{Run: "INC-42/1", Owner: "p", Before: failed("health"), Steps: passed("restart")}, minute(2))
	return st
}

// second is n seconds after minute 2.
func second(n int) time.Time { return minute(2).Add(time.Duration(n) * time.Second) }

func TestVerifiedWhenWellAndQuietForLongEnough(t *testing.T) {
	t.Parallel()
	a := firing("HighErrorRate", "warning", noon)
	good, bad := Looked{Run: "INC-42/1", After: passed("health")}, Looked{Run: "INC-42/1", After: failed("health")}

	st := verifying(t)
	st.must(good, second(0))
	st.must(good, second(60)) // well for long, but the alert still fires
	st.wantStatus(Verifying)
	st.must(receive(ended(a, second(50))), second(70)) // ended at 50, heard of at 70
	st.must(good, second(99))
	st.wantStatus(Verifying)
	st.must(bad, second(100)) // one bad look begins the count anew
	st.must(good, second(110))
	st.must(good, second(139))
	st.wantStatus(Verifying)
	got := st.must(good, second(140))
	if !slices.Equal(kinds(got), []EventKind{EventLooked, EventVerified, EventResolved}) {
		t.Errorf("the last look: %v", kinds(got))
	}
	if r := st.s.Run("INC-42/1"); r.Looks != 7 || r.State != RunVerified {
		t.Errorf("run = %+v", r)
	}
	if by := st.s.Resolved.Because.Args["by"]; by != "abe" {
		t.Errorf("resolved thanks to %q, want abe, who approved", by)
	}

	st = verifying(t)
	st.must(good, second(0))
	st.must(receive(ended(a, second(50))), second(70))
	st.must(good, second(99)) // well for 99 s, but quiet as far as we know only for 29
	st.wantStatus(Verifying)
	st.must(good, second(100))
	st.wantStatus(Resolved)
}

func TestNotVerifiedEscalates(t *testing.T) {
	t.Parallel()
	good, bad := passed("health"), failed("health")
	for because, looks := range map[string][][]StepResult{
		"because.still_bad":    {bad, bad, good, bad},
		"because.still_firing": {good, good, good, good},
	} {
		st := verifying(t)
		for i, after := range looks[:3] {
			st.must(Looked{Run: "INC-42/1", After: after}, second(60*i))
		}
		st.wantStatus(Verifying)
		got := st.must(Looked{Run: "INC-42/1", After: looks[3]}, second(300))
		if !slices.Equal(kinds(got), []EventKind{EventLooked, EventNotVerified, EventEscalated}) || got[2].Because.Phrase != because {
			t.Errorf("the last look: %v because %v, want %s", kinds(got), got[len(got)-1].Because, because)
		}
		if got := st.must(Looked{Run: "INC-42/1", After: good}, second(301)); len(got) != 0 {
			t.Errorf("a look after the end: %v", kinds(got))
		}
		st.wantStatus(Triggered)
	}
}

func TestLooksGoOn(t *testing.T) {
	t.Parallel()
	st := verifying(t)
	key := "42/look/INC-42/1"
	for i := range 5 {
		e, waits := st.waiting[key]
		if want := second(10 * i); !waits || !e.Due.Equal(want) {
			t.Fatalf("look %d is due %s (%v), want %s", i, e.Due, waits, want)
		}
		delete(st.waiting, key)
		st.must(Looked{Run: "INC-42/1", After: failed("health")}, e.Due)
	}
}

func TestOnePersonOneVote(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.refused(Vote{By: bea, Action: "restart-web", Value: 1}, noon, "error.no_action")
	st.must(suggestions(restart(42)), noon)
	st.refused(Vote{By: Bot, Action: "restart-web", Value: 1}, noon, "error.vote_person")
	st.refused(Vote{By: bea, Action: "restart-web", Value: 2}, noon, "error.vote")
	for _, v := range []int{1, 1, -1, -1, 0, 0, 1} {
		st.must(Vote{By: bea, Action: "restart-web", Value: v}, noon)
	}
	st.must(Vote{By: abe, Action: "restart-web", Value: -1}, noon)
	if votes := st.s.Votes["restart-web"]; len(votes) != 2 || votes[bea.ID] != 1 || votes[abe.ID] != -1 {
		t.Errorf("votes = %v", votes)
	}
	var facts []int
	for _, f := range Facts(st.s, st.log) {
		if f.Kind == FactVote {
			facts = append(facts, f.Value)
		}
	}
	if want := []int{1, -1, 0, 1, -1}; !slices.Equal(facts, want) {
		t.Errorf("facts = %v, want %v: what changed nothing teaches nothing", facts, want)
	}
	st.must(Vote{By: bea, Action: "restart-web", Value: 0}, noon)
	if votes := st.s.Votes["restart-web"]; len(votes) != 1 {
		t.Errorf("a vote taken back leaves %v", votes)
	}
}

func TestOutcomesTeach(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	facts := Facts(st.s, st.log)
	last := facts[len(facts)-1]
	want := Context{Service: "checkout", Name: "HighErrorRate", Source: "prometheus", Severity: Sev1, Failing: []string{"restart-web/health"}}
	if last.Kind != FactOutcome || last.Value != 1 || last.Action != "restart-web" || last.Took != 4*time.Minute {
		t.Errorf("fact = %+v", last)
	}
	if c := last.Context; c.Service != want.Service || c.Name != want.Name || c.Source != want.Source || c.Severity != want.Severity || !slices.Equal(c.Failing, want.Failing) {
		t.Errorf("context = %+v, want %+v", c, want)
	}
}

// A look that comes after the deadline and finds everything well proves nothing bad:
// it may have been nobody's turn to look, or well only since then. It gets the time to
// stay so, and no longer.
func TestALateLookThatIsWell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		next []StepResult
		want RunState
	}{
		"stays well": {passed("health"), RunVerified},
		"does not":   {failed("health"), RunNotVerified},
	} {
		st := opened(t, Rule{})
		plan := restart(42)
		plan.Verify.Stable, plan.Verify.NoAlerts = 30*time.Second, true
		plan = plan.Seal()
		st.must(suggestions(plan), minute(1))
		st.must(Approve{By: abe, Action: "restart-web", Digest: plan.Digest}, minute(1))
		st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
		st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(1))
		st.must(Looked{Run: "INC-42/1", After: failed("health")}, minute(1))
		late := st.s.Runs[0].Deadline.Add(time.Minute)
		st.must(Looked{Run: "INC-42/1", After: passed("health")}, late)
		if got := st.s.Runs[0].State; got != RunVerifying {
			t.Errorf("%s: %s at once", name, got)
		}
		st.must(Looked{Run: "INC-42/1", After: c.next}, late.Add(30*time.Second))
		if got := st.s.Runs[0].State; got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
