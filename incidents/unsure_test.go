package incidents

import (
	"slices"
	"testing"
)

// A step of which nobody knows what it did makes a run whose outcome is unknown,
// with all that is known of it; it is told once, and a person settles it.
func TestAnUnsureStepMakesAnUnknownRun(t *testing.T) {
	t.Parallel()
	for _, given := range []bool{false, true} { // given up for dead before its owner spoke
		st := opened(t, Rule{})
		plan := restart(42)
		st.must(suggestions(plan), minute(1))
		st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(1))
		st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(2))
		if given {
			st.must(LoseRun{Run: "INC-42/1"}, minute(3))
		}
		done := []StepResult{{Step: plan.Recover[0].ID, Unsure: true, Because: Because("runbook.job.unsure")}}
		got := st.must(FinishRun{Run: "INC-42/1", Owner: "p", Before: failed("health"), Steps: done}, minute(4))
		if !slices.Equal(kinds(got), []EventKind{EventRunUnknown, EventEscalated}) || got[0].Because.Phrase != "because.step_unsure" {
			t.Fatalf("%+v", got)
		}
		r := st.s.Run("INC-42/1")
		if r.State != RunUnknown || len(r.Steps) != 1 || !r.Steps[0].Unsure || len(r.Before) != 1 || r.EndedAt.IsZero() || st.s.Unsettled() != r {
			t.Errorf("%+v", r)
		}
		if facts := Facts(st.s, got); len(facts) > 0 {
			t.Errorf("what nobody knows teaches %+v", facts)
		}
		st.refused(FinishRun{Run: "INC-42/1", Owner: "p", Steps: done}, minute(4), "error.run_claimed")
		settled := st.must(Settle{By: bea, Run: "INC-42/1", As: DidNotWork}, minute(5))
		if r := st.s.Run("INC-42/1"); r.State != RunFailed || len(r.Steps) != 1 || len(Facts(st.s, settled)) > 0 {
			t.Errorf("%+v", r)
		}
	}
}

// One that passed is not doubted, and one that failed for sure fails the run.
func TestOnlyUnsureStepsAreUnknown(t *testing.T) {
	t.Parallel()
	for state, r := range map[RunState]StepResult{RunFailed: {Step: "a"}, RunVerifying: {Step: "a", OK: true, Unsure: true}} {
		st := opened(t, Rule{})
		plan := restart(42)
		st.must(suggestions(plan), minute(1))
		st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(1))
		st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(2))
		st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: []StepResult{r}}, minute(4))
		if got := st.s.Run("INC-42/1").State; got != state {
			t.Errorf("%s, want %s", got, state)
		}
	}
}
