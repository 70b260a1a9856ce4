package incidents

import (
	"slices"
	"strconv"
	"testing"
	"time"
)

// interrupted is an incident whose run has an unknown outcome, its steps having
// time until an hour later.
func interrupted(t *testing.T) *story {
	t.Helper()
	plan := restart(42)
	plan.Recover[0].Timeout = time.Hour
	plan = plan.Seal()
	st := opened(t, Rule{})
	st.must(suggestions(plan), minute(1))
	st.must(Approve{By: abe, Action: plan.Runbook, Digest: plan.Digest}, minute(1))
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(2))
	st.refused(Settle{By: bea, Run: "INC-42/1", As: Stopped}, minute(2), "error.settle_early")
	st.must(LoseRun{Run: "INC-42/1"}, minute(3))
	st.refused(Request{By: bea, Plan: plan}, minute(4), "error.maybe_running")
	return st
}

func TestAPersonSettlesAnUnknownRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		as    Verdict
		kind  EventKind
		state RunState
	}{{Worked, EventRunFinished, RunVerifying}, {DidNotWork, EventRunFailed, RunFailed}, {Stopped, EventRunFailed, RunFailed}} {
		st := interrupted(t)
		if r := st.s.Unsettled(); r == nil || r.Number() != "1" || r.SettleHint(42) != "/inc INC-42 settle 1 stopped" {
			t.Fatalf("unsettled: %+v", r)
		}
		got := st.must(Settle{By: bea, Run: "INC-42/1", As: c.as, Text: "I looked"}, minute(5))
		if !slices.Equal(kinds(got), []EventKind{c.kind}) || got[0].By != bea || got[0].Text != "I looked" || VerdictOf(&got[0]) != c.as {
			t.Fatalf("%s: %+v", c.as, got)
		}
		r := st.s.Run("INC-42/1")
		if r.State != c.state || r.Halted() != (c.as == Stopped) || st.s.Unsettled() != nil {
			t.Errorf("%s: run %+v", c.as, r)
		}
		if facts := Facts(st.s, got); len(facts) != 0 {
			t.Errorf("%s: a word alone teaches %+v", c.as, facts)
		}
		if c.as == Worked {
			st.wantStatus(Verifying) // proof is never somebody's word
			st.refused(Settle{By: abe, Run: "INC-42/1", As: DidNotWork}, minute(6), "error.settle_early")
			continue
		}
		st.must(Request{By: bea, Plan: r.Plan}, minute(6)) // nothing is in the way any more
	}
}

func TestWhoSettlesWhat(t *testing.T) {
	t.Parallel()
	st := interrupted(t)
	st.refused(Settle{By: Bot, Run: "INC-42/1", As: Stopped}, minute(5), "error.settle_person")
	st.refused(Settle{By: SourceActor("x"), Run: "INC-42/1", As: Stopped}, minute(5), "error.settle_person")
	st.refused(Settle{By: bea, Run: "INC-42/2", As: Stopped}, minute(5), "error.no_run")
	st.refused(Settle{By: bea, Run: "INC-42/1", As: "fine"}, minute(5), "error.verdict")
	st.must(Settle{By: bea, Run: "INC-42/1", As: Stopped}, minute(5))
	st.refused(Settle{By: abe, Run: "INC-42/1", As: Worked}, minute(5), "error.not_unknown")
	// The owner was only slow: it must not overrule what was decided since.
	st.refused(FinishRun{Run: "INC-42/1", Owner: "p", Steps: []StepResult{{Step: "restart", OK: true}}}, minute(6), "error.run_claimed")
}

// TestEveryInvestigationButTheFirstIsTheSecond: the timeline does not say that
// the first investigation was done each time.
func TestEveryInvestigationButTheFirstIsTheSecond(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	var got []string
	for i, findings := range [][]Finding{{{Check: "a"}}, {{Check: "a"}}, {{Check: "a", OK: true}}, {{Check: "a", Error: "x"}}, nil} {
		events := st.must(Diagnosed{Findings: findings}, minute(i+1))
		got = append(got, Timeline(st.s, events)[0].Phrase.Phrase)
	}
	want := []string{"timeline.diagnosed", "timeline.diagnosed.again", "timeline.diagnosed.clean.again", "timeline.diagnosed.unknown.again", "timeline.diagnosed.none"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Where no check fits and sources told something, nobody says that nothing was investigated.
func TestWhatSourcesToldIsAnInvestigation(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	for i, want := range []string{"timeline.diagnosed.none", "timeline.diagnosed.told.one", "timeline.diagnosed.told"} {
		events := st.must(Diagnosed{Clues: make([]Clue, i)}, minute(i+1))
		if got := Timeline(st.s, events)[0].Phrase; got.Phrase != want || i > 0 && got.Args["n"] != strconv.Itoa(i) {
			t.Errorf("%d clues: %+v, want %s", i, got, want)
		}
	}
}

// While a run that was lost may still be going on, nobody resolves it away; and where a
// verification fails after somebody did resolve, it is not over: a person was called.
func TestAnUnknownRunIsNotResolvedAway(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(suggestions(restart(42)), minute(1))
	st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(1))
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(1))
	st.must(LoseRun{Run: "INC-42/1"}, minute(1))
	if _, err := Decide(st.s, Resolve{By: bea}, minute(1)); CodeOf(err) != Conflict {
		t.Error("resolved:", err)
	}
	later := minute(1).Add(st.s.Runs[0].Plan.longest())
	st.must(Resolve{By: bea}, later)
	st.must(Settle{By: bea, Run: "INC-42/1", As: Worked}, later.Add(time.Second))
	st.must(Looked{Run: "INC-42/1", After: failed("health")}, st.s.Runs[0].Deadline)
	if !st.s.Status().Open() {
		t.Error("a person is called, and it is", st.s.Status())
	}
}
