package incidents

import (
	"slices"
	"testing"
	"time"
)

// A run or a verification that nobody carries on with does not block the
// incident: it ends, and a person is asked.
func TestGivingUpEndsTheRun(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		live func(*story)
		kind EffectKind
		want RunState
	}{
		"before its claim": {func(*story) {}, DoRun, RunFailed},
		"claimed":          {func(st *story) { st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1)) }, DoRun, RunUnknown},
		"verifying": {func(st *story) {
			st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
			st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: passed("restart")}, minute(2))
		}, DoLook, RunNotVerified},
	} {
		st := opened(t, Rule{})
		st.must(suggestions(restart(42)), minute(1))
		st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(1))
		tt.live(st)
		st.must(GiveUp{Effect: Effect{Key: "42/" + string(tt.kind) + "/INC-42/1", Kind: tt.kind, Arg: "INC-42/1"}, Reason: "broken"}, minute(3))
		if r := st.s.Run("INC-42/1"); r.State != tt.want || st.s.Busy() != nil || len(st.s.Escalated) != 1 {
			t.Errorf("%s: the run is %s, busy %v, escalated %v", name, r.State, st.s.Busy(), st.s.Escalated)
		}
	}
}

// While a run that was lost may still be going on, nothing else is run.
func TestALostRunMayStillBeGoingOn(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(suggestions(restart(42)), minute(1))
	approve := Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}
	st.must(approve, minute(1))
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
	st.must(LoseRun{Run: "INC-42/1"}, minute(1))
	plan := restart(42)
	end := minute(1).Add(plan.longest())
	if _, err := Decide(st.s, approve, end.Add(-time.Second)); CodeOf(err) != Conflict {
		t.Errorf("approved while the lost run may be going on: %v", err)
	}
	st.must(approve, end)
}

// What works again is no longer called given up.
func TestWhatWorksAgainIsNotGivenUp(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(GiveUp{Effect: Effect{Key: "42/room/slack", Kind: DoSyncRoom, Arg: "slack"}, Reason: "invalid_auth"}, minute(1))
	if len(st.s.Failed) != 1 {
		t.Fatalf("failed: %v", st.s.Failed)
	}
	st.must(RoomSynced{Chat: "slack", Room: Room{ID: "C1", Name: "inc-0042"}}, minute(2))
	if len(st.s.Failed) != 0 {
		t.Errorf("still failed: %v", st.s.Failed)
	}
}

// A run of which no step was carried out teaches nothing about its action.
func TestNothingDoneNothingLearned(t *testing.T) {
	t.Parallel()
	for want, steps := range map[int][]StepResult{0: failed("plan"), 1: failed("restart")} {
		st := opened(t, Rule{})
		st.must(suggestions(restart(42)), minute(1))
		st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(1))
		st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
		st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: steps}, minute(1))
		got := slices.DeleteFunc(Facts(st.s, st.log), func(f Fact) bool { return f.Kind != FactOutcome })
		if len(got) != want {
			t.Errorf("after %+v %d facts: %+v", steps, len(got), got)
		}
	}
}

// A denial is not undone by somebody who names the same action a moment later
// and has not seen it; asking anew is always possible.
func TestADenialHolds(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(suggestions(restart(42)), minute(1))
	st.must(Request{By: bea, Plan: restart(42)}, minute(1))
	st.must(Deny{By: bea, ID: "1"}, minute(2))
	approve := Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}
	if _, err := Decide(st.s, approve, minute(2).Add(time.Second)); CodeOf(err) != Conflict {
		t.Errorf("approved a second after the denial: %v", err)
	}
	st.must(Request{By: abe, Plan: restart(42)}, minute(2).Add(time.Second))
	st.must(approve, minute(2).Add(2*time.Second))
}
