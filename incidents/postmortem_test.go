package incidents

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPostmortem(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	d := Postmortem(st.s, st.log)
	if d.Summary.ID != 42 || d.Source != "prometheus" || d.Because.Phrase != "because.rule_all" {
		t.Errorf("%+v of %s because %+v", d.Summary, d.Source, d.Because)
	}
	if want := []string{"bea", "abe"}; !slices.Equal(d.People, want) {
		t.Errorf("people = %v, want %v", d.People, want)
	}
	im := d.Impact
	if im.Worst != Sev1 || im.Hurt != (Duration{true, 7 * time.Minute}) || !slices.Equal(im.Services, []string{"checkout"}) || im.Alerts != 2 || im.Firing != 0 || im.Relapses != 0 {
		t.Errorf("impact = %+v", im)
	}
	var decisions []EventKind
	for _, l := range d.Decisions {
		decisions = append(decisions, l.Kind)
	}
	if want := []EventKind{EventRequested, EventApproved, EventResolved}; !slices.Equal(decisions, want) {
		t.Errorf("decisions = %v, want %v", decisions, want)
	}
	if len(d.Tried) != 1 {
		t.Fatalf("tried %+v", d.Tried)
	}
	run := d.Tried[0]
	if run.State != RunVerified || run.ApprovedBy != "abe" || run.AskedBy != "abe" || run.Plan != restart(42).Digest || run.Looks != 3 ||
		run.Ran != (Duration{true, time.Minute}) || run.Took != (Duration{true, 4 * time.Minute}) {
		t.Errorf("run = %+v", run)
	}
	if len(run.Change) != 1 || run.Change[0].Before.Value != "HTTP 503" || run.Change[0].After.Value != "HTTP 200" {
		t.Errorf("before and after: %+v", run.Change)
	}
	if len(d.Feedback) != 1 || d.Feedback[0].Up != 1 || d.Feedback[0].Down != 0 || len(d.Feedback[0].Votes) != 1 || d.Feedback[0].Votes[0].Said != "helped last week" {
		t.Errorf("feedback = %+v", d.Feedback)
	}
	if len(d.Hints) != 0 {
		t.Errorf("a story that went well has hints: %+v", d.Hints)
	}
}

func TestWorstSeverityIsWhatPeopleWorkedUnder(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{}) // a warning
	st.must(SetSeverity{By: bea, Severity: Sev1}, minute(1))
	st.must(SetSeverity{By: bea, Severity: Sev5}, minute(2))
	if got := Postmortem(st.s, st.log).Impact.Worst; got != Sev1 {
		t.Errorf("worst = %s, want SEV1", got)
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	hints := func(st *story) string {
		var all []string
		for _, h := range Postmortem(st.s, st.log).Hints {
			all = append(all, strings.TrimPrefix(h.Phrase, "hint."))
		}
		return strings.Join(all, " ")
	}
	run := func(st *story, at time.Time) {
		st.must(suggestions(restart(42)), at)
		st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, at)
		st.must(StartRun{Run: st.s.Busy().ID, Owner: "p"}, at)
	}
	for want, live := range map[string]func(st *story){
		"nobody_acknowledged no_runbook not_proved": func(st *story) {
			st.must(Ranked{None: Because("why.none.declared")}, minute(1))
			st.must(Resolve{By: bea}, minute(2))
		},
		"slow_acknowledge solved_without_runbook": func(st *story) {
			st.must(suggestions(restart(42)), minute(1))
			st.must(Ack{By: bea}, minute(20))
			st.must(receive(ended(firing("HighErrorRate", "warning", noon), minute(21))), minute(21))
			st.pass(minute(40))
		},
		"run_failed run_unknown run_did_not_help gave_up": func(st *story) {
			st.must(Ack{By: bea}, minute(1))
			run(st, minute(1))
			st.must(FinishRun{Run: "INC-42/1", Owner: "p", Steps: failed("restart")}, minute(1))
			run(st, minute(2))
			st.must(LoseRun{Run: "INC-42/2"}, minute(2))
			run(st, minute(4)) // the interrupted one must have ended by now
			st.must(FinishRun{Run: "INC-42/3", Owner: "p", Steps: passed("restart")}, minute(4))
			st.must(Looked{Run: "INC-42/3", After: failed("health")}, minute(30))
			st.must(GiveUp{Effect: Effect{Key: "42/room/slack"}, Reason: "invalid_auth"}, minute(31))
		},
		"not_proved relapsed truncated lapsed": func(st *story) {
			st.must(Ack{By: bea}, minute(1))
			st.must(Resolve{By: bea}, minute(2))
			again := receive(until(firing("HighErrorRate", "warning", minute(10)), minute(14)))
			again.Truncated = 5
			st.must(again, minute(10))
			st.pass(minute(15))
		},
	} {
		st := opened(t, Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute})
		live(st)
		if got := hints(st); got != want {
			t.Errorf("hints = %q, want %q", got, want)
		}
	}
	late := newStory(t)
	late.must(opening(Rule{}, firing("A", "", noon)), minute(30))
	late.must(Ack{By: bea}, minute(31))
	if got := hints(late); got != "slow_detect" {
		t.Errorf("hints = %q, want slow_detect", got)
	}
}
