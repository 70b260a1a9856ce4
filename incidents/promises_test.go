package incidents

import (
	"errors"
	"maps"
	"slices"
	"time"
)

// advance is Advance, held to what it promises of every command:
//   - Decide changes nothing and decides the same again;
//   - an error is one for people, with a code and a sentence;
//   - versions and sequence numbers are dense, and both clocks are set;
//   - each step from status to status is one of moves;
//   - applying an event to a copy from the store gives the same state;
//   - effects have deterministic keys;
//   - what is written down in lawful (below) holds after every event.
func (st *story) advance(cmd Command, now time.Time) ([]Event, []Effect, error) {
	t := st.t
	t.Helper()
	before := asJSON(t, st.s)
	decided, err := Decide(st.s, cmd, now)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); !ok || e.Code == Internal || e.Phrase == "" || e.Message == "" {
			t.Fatalf("%T: %#v is no error for people", cmd, err)
		}
	}
	if after := asJSON(t, st.s); after != before {
		t.Fatalf("deciding %T changed the state\nfrom %s\n  to %s", cmd, before, after)
	}
	twin, step := copyOf(t, st.s), copyOf(t, st.s)
	events, effects, err2 := Advance(st.s, cmd, now, testPolicy)
	if (err == nil) != (err2 == nil) || asJSON(t, decided) != asJSON(t, events) {
		t.Fatalf("%T was decided twice, as %v (%v) and as %v (%v)", cmd, decided, err, events, err2)
	}
	twinEvents, twinEffects, _ := Advance(twin, cmd, now, testPolicy)
	if asJSON(t, twinEvents) != asJSON(t, events) || asJSON(t, twinEffects) != asJSON(t, effects) || asJSON(t, twin) != asJSON(t, st.s) {
		t.Fatalf("%T is decided otherwise of a state from the store:\n%s\n%s", cmd, asJSON(t, twinEvents), asJSON(t, events))
	}
	for i := range events {
		st.lawful(step, &events[i], now)
	}
	if asJSON(t, step) != asJSON(t, st.s) {
		t.Fatalf("%T: applying its events gives another state than Advance", cmd)
	}
	return events, effects, err
}

// lawful applies e to s, the state before it, and checks the laws of incidents.
func (st *story) lawful(s *Incident, e *Event, now time.Time) {
	t := st.t
	t.Helper()
	was, before := s.Status(), copyOf(t, s)
	if s.Version == 0 {
		was = ""
	}
	if _, has := flow[e.Kind]; !has {
		t.Fatalf("event %s has no row in flow", e.Kind)
	}
	if e.Seq != s.Version+1 || e.At.IsZero() || !e.Written.Equal(now) || e.By.ID == "" {
		t.Fatalf("event %+v after version %d at %s", e, s.Version, now)
	}
	Apply(s, e)
	if s.Version != e.Seq {
		t.Fatalf("version = %d after event %d", s.Version, e.Seq)
	}
	if is := s.Status(); is != was && !slices.Contains(moves[was], is) {
		t.Fatalf("%s took the incident from %q to %q, which is not in moves", e.Kind, was, is)
	}
	busy := 0
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.State == RunApproved || r.State == RunRunning || r.State == RunVerifying {
			busy++
		}
		a := s.Approval(r.Approval)
		byPerson := a != nil && a.Decided.By.IsPerson() || a != nil && a.Standing != nil && a.Standing.By.IsPerson() && a.Standing.Digest == r.Plan.RunbookDigest && r.Plan.Risk == RiskLow && i == 0
		if a == nil || a.State != ApprovalGiven || !byPerson || a.Plan.Digest != r.Plan.Digest || !r.Plan.Sealed() {
			t.Fatalf("run %s was not approved by a person as it is: %+v", r.ID, a)
		}
		if old := before.Run(r.ID); old != nil && old.State != r.State && !slices.Contains(runMoves[old.State], r.State) {
			t.Fatalf("run %s went from %s to %s", r.ID, old.State, r.State)
		}
	}
	if busy > 1 {
		t.Fatalf("%d runs are under way at once", busy)
	}
	approvedBy := map[string]bool{}
	for i := range s.Runs {
		if approvedBy[s.Runs[i].Approval] {
			t.Fatalf("approval %s was used twice", s.Runs[i].Approval)
		}
		approvedBy[s.Runs[i].Approval] = true
	}
	for i := range before.Approvals {
		old, new := &before.Approvals[i], &s.Approvals[i]
		if old.State != ApprovalPending && (new.State != old.State || !new.Decided.At.Equal(old.Decided.At) || new.Decided.By != old.Decided.By) {
			t.Fatalf("approval %s was decided twice: %s, then %s", old.ID, old.State, new.State)
		}
		if new.Plan.Digest != old.Plan.Digest {
			t.Fatalf("approval %s changed its plan", old.ID)
		}
	}
	switch e.Kind {
	case EventVerified:
		r := s.Run(e.RunID)
		if !AllOK(r.After) || !r.Plan.Verify.NoAlerts && (s.Alerts.Firing() > 0 || s.Untracked > 0) {
			t.Fatalf("run %s is verified while %d alerts fire and the checks say %+v", r.ID, s.Alerts.Firing(), r.After)
		}
	case EventRunStarted, EventApproved:
		if was == Resolved || was == Closed || was == Held || was == Discarded {
			t.Fatalf("%s while %s", e.Kind, was)
		}
	}
	for action, votes := range s.Votes {
		for person, v := range votes {
			if v != 1 && v != -1 {
				t.Fatalf("%s has vote %d on %s", person, v, action)
			}
		}
	}
	firing := 0
	for _, track := range s.Alerts.tracks {
		if track.Firing() {
			firing++
		}
	}
	if firing != s.Alerts.Firing() {
		t.Fatalf("counts %d firing alerts, has %d", s.Alerts.Firing(), firing)
	}
	if len(s.Acks) > MaxMarks || len(s.Escalated) > MaxMarks || len(s.Responders) > MaxResponders || len(s.Samples) > MaxSamples {
		t.Fatalf("the state outgrew its bounds")
	}
}

// runMoves are the legal steps of a run.
var runMoves = map[RunState][]RunState{
	RunApproved:  {RunRunning, RunFailed},
	RunRunning:   {RunVerifying, RunFailed, RunUnknown},
	RunVerifying: {RunVerified, RunNotVerified},
	RunUnknown:   {RunVerifying, RunFailed, RunUnknown}, // its owner was only slow
}

// timersAreArmed: whatever the state wants to be told of, it will be.
func (st *story) timersAreArmed() {
	st.t.Helper()
	names := []string{"hold", "ack", "quiet", "close", "alerts"}
	for i := range st.s.Approvals {
		names = append(names, "expiry/"+st.s.Approvals[i].ID)
	}
	for _, name := range names {
		for _, want := range Rearm(st.s, name, testPolicy) {
			if got, armed := st.waiting[want.Key]; !armed || got.Due.After(want.Due) {
				st.t.Fatalf("in %s, timer %s is due at %s, and nothing will ring then (%v) after %v", st.s.Status(), name, want.Due, slices.Sorted(maps.Keys(st.waiting)), kinds(st.log))
			}
		}
	}
}

// replays: the log gives the state, from its start and from any snapshot.
func (st *story) replays(from int) {
	st.t.Helper()
	want := asJSON(st.t, st.s)
	again := &Incident{}
	for i := range st.log {
		if i == from {
			again = copyOf(st.t, again)
		}
		e := st.log[i]
		Apply(again, &e)
	}
	if got := asJSON(st.t, again); got != want {
		st.t.Fatalf("replayed (snapshot at %d) the log gives\n%s\nwant\n%s", from, got, want)
	}
}
