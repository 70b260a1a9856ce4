package incidents

import (
	"slices"
	"testing"
	"time"
)

// The times in these tests are minutes after noon.

func TestHold(t *testing.T) {
	t.Parallel()
	rule := Rule{Hold: 2 * time.Minute, Reopen: time.Hour}
	a, b := firing("A", "warning", noon), firing("B", "critical", minute(1))

	t.Run("it lasted", func(t *testing.T) {
		t.Parallel()
		st := newStory(t)
		events, effects, _ := Advance(st.s, opening(rule, a), noon, testPolicy)
		st.log = append(st.log, events...)
		st.enqueue(effects)
		st.wantStatus(Held)
		for _, e := range effects {
			if e.Kind != DoTimer {
				t.Errorf("a held incident wants %s", e.Key)
			}
		}
		st.must(receive(b), minute(1))
		st.pass(minute(1))
		st.wantStatus(Held)
		st.pass(minute(2))
		st.wantStatus(Triggered)
		if _, asked := st.waiting["42/diagnose"]; !asked {
			t.Error("nobody looks into it")
		}
		if !st.s.OpenedAt.Equal(noon) || st.s.Severity() != Sev1 {
			t.Errorf("began %s with %s, want noon and SEV1", st.s.OpenedAt, st.s.Severity())
		}
	})
	t.Run("it did not", func(t *testing.T) {
		t.Parallel()
		st := newStory(t)
		st.must(opening(rule, a), noon)
		if _, err := st.try(Ack{By: bea}, minute(1)); CodeOf(err) != Conflict {
			t.Errorf("acknowledging what nobody was told of: %v", err)
		}
		st.must(receive(ended(a, minute(1))), minute(1))
		st.pass(minute(2))
		st.wantStatus(Discarded)
		if len(Timeline(st.s, st.log)) != 1 { // the end; nobody was told of the beginning
			t.Errorf("timeline = %+v", Timeline(st.s, st.log))
		}
		for key, e := range st.waiting {
			if e.Kind != DoTimer {
				t.Errorf("a discarded incident wants %s", key)
			}
		}
	})
	t.Run("it fired again in time", func(t *testing.T) {
		t.Parallel()
		st := newStory(t)
		st.must(opening(rule, a), noon)
		st.must(receive(ended(a, minute(1))), minute(1))
		st.must(receive(firing("A", "warning", noon.Add(90*time.Second))), minute(2).Add(-time.Second))
		st.pass(minute(2))
		st.wantStatus(Triggered)
	})
}

func TestOnlyEndsOpenNothing(t *testing.T) {
	t.Parallel()
	st := newStory(t)
	st.must(opening(Rule{}, ended(firing("A", "", noon), minute(1))), minute(1))
	if st.s.Version != 0 {
		t.Errorf("opened %+v", st.s)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Window: 10 * time.Minute, Reopen: 30 * time.Minute})
	for start, want := range map[int]bool{0: true, 10: true, 11: false, -60: true} {
		if got := st.s.Takes(minute(start)); got != want {
			t.Errorf("with its latest alert at 0, takes one of minute %d: %v, want %v", start, got, want)
		}
	}
	st.must(receive(firing("B", "", minute(9))), minute(9)) // each alert that joins extends the window
	for start, want := range map[int]bool{19: true, 20: false} {
		if got := st.s.Takes(minute(start)); got != want {
			t.Errorf("with its latest alert at 9, takes one of minute %d: %v, want %v", start, got, want)
		}
	}
	st.must(Resolve{By: bea}, minute(12)) // from now on the reopen window decides
	for start, want := range map[int]bool{42: true, 43: false, 5: true} {
		if got := st.s.Takes(minute(start)); got != want {
			t.Errorf("resolved at 12, takes an alert of minute %d: %v, want %v", start, got, want)
		}
	}
	st.pass(minute(42))
	st.wantStatus(Closed)
	if st.s.Takes(minute(42)) {
		t.Error("a closed incident takes an alert")
	}
	if open := opened(t, Rule{}); !open.s.Takes(minute(100_000)) {
		t.Error("without a window an open incident refuses an alert")
	}
}

func TestQuietResolves(t *testing.T) {
	t.Parallel()
	a := firing("HighErrorRate", "warning", noon)
	st := opened(t, Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute})
	st.must(Ack{By: bea}, minute(1))
	st.must(receive(ended(a, minute(3))), minute(4)) // heard of a minute late
	st.wantStatus(Monitoring)
	if due := st.s.Due(TimerQuiet, "", testPolicy); !due.Equal(minute(8)) {
		t.Errorf("resolves at %s, want 12:08: quiet counts from the end", due)
	}
	st.pass(minute(8).Add(-time.Second))
	st.wantStatus(Monitoring)
	st.must(receive(firing("HighErrorRate", "warning", minute(7))), minute(8).Add(-time.Second))
	st.wantStatus(Investigating) // still acknowledged: it is the same episode
	st.pass(minute(30))
	st.wantStatus(Investigating)
	st.must(receive(ended(firing("HighErrorRate", "warning", minute(7)), minute(30))), minute(30))
	st.pass(minute(35))
	st.wantStatus(Resolved)
	if r := st.s.Resolved; r.By != Bot || r.Because.Phrase != "because.quiet" || r.Because.Args["for"] != "5m0s" {
		t.Errorf("resolved by %+v", r)
	}
}

func TestWithoutQuietPeopleResolve(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Reopen: 30 * time.Minute})
	st.must(receive(ended(firing("HighErrorRate", "warning", noon), minute(1))), minute(1))
	st.pass(minute(10_000))
	st.wantStatus(Monitoring)
}

func TestRelapseNeedsAnotherResolution(t *testing.T) {
	t.Parallel()
	a := firing("HighErrorRate", "warning", noon)
	again := firing("HighErrorRate", "warning", minute(20))
	st := opened(t, Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute})
	st.must(Ack{By: bea}, minute(1))
	st.must(receive(ended(a, minute(3))), minute(3))
	st.pass(minute(8))
	st.wantStatus(Resolved)

	delete(st.waiting, "42/diagnose")
	st.must(receive(again), minute(21))
	st.wantStatus(Triggered) // bea's acknowledgement was of the first episode
	if _, asked := st.waiting["42/diagnose"]; !asked {
		t.Error("nobody looks into the relapse")
	}
	if due := st.s.Due(TimerAck, "", testPolicy); !due.Equal(minute(25)) {
		t.Errorf("reminds at %s, want 12:25", due)
	}
	st.pass(minute(25))
	if last := st.log[len(st.log)-1]; last.Kind != EventReminded {
		t.Errorf("last event %s, want a reminder", last.Kind)
	}
	st.must(Ack{By: bea}, minute(26))
	st.must(receive(ended(again, minute(27))), minute(27))
	st.wantStatus(Monitoring) // not back to the old resolution
	st.pass(minute(32))
	st.wantStatus(Resolved)
	if !st.s.Resolved.At.Equal(minute(32)) {
		t.Errorf("resolved at %s, want 12:32", st.s.Resolved.At)
	}
	st.pass(minute(62))
	st.wantStatus(Closed)
	if m := st.s.Closed; m.Because.Phrase != "because.no_relapse" {
		t.Errorf("closed because %+v", m.Because)
	}
}

func TestWhatAPersonReopenedIsNotResolvedByQuiet(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute})
	st.must(receive(ended(firing("HighErrorRate", "warning", noon), minute(1))), minute(1))
	st.pass(minute(6))
	st.wantStatus(Resolved)
	st.must(Reopen{By: bea}, minute(10))
	st.pass(minute(300))
	st.wantStatus(Monitoring)
	// A new alert, though, comes under the old rule again.
	b := firing("B", "warning", minute(301))
	st.must(receive(b), minute(301))
	st.must(receive(ended(b, minute(302))), minute(302))
	st.pass(minute(307))
	st.wantStatus(Resolved)
}

func TestLapseAndRevival(t *testing.T) {
	t.Parallel()
	rule := Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute}
	a := firing("A", "warning", noon)
	st := newStory(t)
	st.must(opening(rule, until(a, minute(4))), noon)

	if got := st.must(receive(until(a, minute(5))), minute(1)); len(got) != 0 {
		t.Errorf("a repetition long before the term is over is an event: %v", kinds(got))
	}
	if got := st.must(receive(until(a, minute(7))), minute(3)); !slices.Equal(kinds(got), []EventKind{EventSeen}) {
		t.Errorf("a repetition that extends the term: %v", kinds(got))
	}
	st.pass(minute(4)) // the old expiry rings, and is set anew
	st.wantStatus(Triggered)
	st.pass(minute(7))
	st.wantStatus(Monitoring)
	if last := st.log[len(st.log)-1]; last.Because.Phrase != "because.not_repeated" || last.Alerts.Expired != 1 {
		t.Errorf("the lapse reads %+v", last)
	}
	if at := st.s.ClearedAt(); !at.Equal(minute(7)) {
		t.Errorf("cleared at %s, want 12:07", at)
	}

	st.must(receive(until(a, minute(12))), minute(8)) // it goes on after all: the same episode
	st.wantStatus(Triggered)
	st.pass(minute(12))
	st.wantStatus(Monitoring)
	st.pass(minute(17))
	st.wantStatus(Resolved)

	// A later episode revives it, even one without a term: its source may differ.
	st.must(receive(firing("A", "warning", minute(20))), minute(20))
	st.wantStatus(Triggered)
	if due := st.s.Due(TimerAlerts, "", testPolicy); !due.IsZero() {
		t.Errorf("an alert without a term expires at %s", due)
	}
	st.pass(minute(100))
	st.wantStatus(Triggered)
}

func TestAckReminder(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.pass(minute(4))
	if slices.Contains(kinds(st.log), EventReminded) {
		t.Error("reminded too early")
	}
	st.pass(minute(600))
	reminders := 0
	for _, e := range st.log {
		if e.Kind == EventReminded {
			reminders++
		}
	}
	if reminders != 1 {
		t.Errorf("%d reminders, want 1", reminders)
	}

	st = opened(t, Rule{})
	st.must(Ack{By: bea}, minute(3))
	st.pass(minute(600))
	if slices.Contains(kinds(st.log), EventReminded) {
		t.Error("reminded though somebody had acknowledged")
	}
	if got := st.must(Ack{By: bea}, minute(601)); len(got) != 0 {
		t.Errorf("acknowledging twice: %v", kinds(got))
	}
}

func TestSeverityOfARuleWins(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Severity: Sev4})
	st.must(receive(firing("B", "critical", minute(1))), minute(1))
	if got := st.s.Severity(); got != Sev4 {
		t.Errorf("severity = %s, want the rule's SEV4", got)
	}
	st.must(SetSeverity{By: bea, Severity: Sev2}, minute(2))
	st.must(receive(firing("C", "critical", minute(3))), minute(3))
	if got := st.s.Severity(); got != Sev2 {
		t.Errorf("severity = %s, want bea's SEV2", got)
	}
}

func TestAlertsBeyondTheBoundAreCounted(t *testing.T) {
	t.Parallel()
	st := newStory(t)
	st.light = true
	alerts := make([]Alert, 0, MaxTracked+3)
	for i := range MaxTracked + 2 {
		a := firing("A", "warning", noon)
		a.Labels = LabelsFromMap(map[string]string{"alertname": "A", "n": time.Duration(i).String()})
		alerts = append(alerts, a)
	}
	worst := firing("B", "critical", noon)
	st.must(opening(Rule{Quiet: time.Minute}, append(alerts, worst)...), noon)
	sum := st.s.Summary()
	if st.s.Alerts.Len() != MaxTracked || st.s.Untracked != 3 || sum.Alerts != MaxTracked+3 || sum.Severity != Sev1 {
		t.Errorf("follows %d, %d besides, %d in all, %s", st.s.Alerts.Len(), st.s.Untracked, sum.Alerts, sum.Severity)
	}
	if len(st.s.Samples) != MaxSamples || len(st.log[0].Alerts.New) != MaxDetailed {
		t.Errorf("keeps %d samples, %d in the log", len(st.s.Samples), len(st.log[0].Alerts.New))
	}
	if size := len(asJSON(t, st.s)); size > 4<<20 {
		t.Errorf("the state takes %d bytes", size)
	}
	for i := range alerts {
		alerts[i] = ended(alerts[i], minute(1))
	}
	st.must(receive(alerts[:MaxTracked]...), minute(1))
	if st.s.Cleared() {
		t.Error("cleared though nobody knows of the three")
	}
}

func TestEffects(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Quiet: time.Minute})
	want := map[string]string{ // key → lane
		"42/room/console": "console", "42/room/slack": "slack", "42/diagnose": LaneDiagnose, "42/timer/ack": LaneTimer,
	}
	for key, e := range st.waiting {
		if e.Incident != 42 || e.Shard != 3 || e.Lane != want[key] || e.Urgency != int(Sev3) || e.Due.IsZero() {
			t.Errorf("effect %+v, want lane %q", e, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
	before := len(st.waiting)
	for i := range 20 { // however much happens, what brings a room up to date is one effect
		st.must(Note{By: bea, Text: "x"}, minute(i))
	}
	if len(st.waiting) != before {
		t.Errorf("effects did not coalesce: %v", st.waiting)
	}
	if e := st.waiting["42/room/console"]; !e.Due.Equal(noon) {
		t.Errorf("coalesced effect is due %s, want as early as the first", e.Due)
	}
	st.must(suggestions(restart(42)), minute(21))
	st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(21))
	if e := st.waiting["42/run/INC-42/1"]; e.Kind != DoRun || e.Lane != LaneRun || e.Arg != "INC-42/1" {
		t.Errorf("effects after an approval: %v", st.waiting)
	}
}
