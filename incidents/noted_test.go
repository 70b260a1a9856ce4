package incidents

import (
	"slices"
	"testing"
)

func kindsOf(events []Event) (kinds []EventKind) {
	for i := range events {
		kinds = append(kinds, events[i].Kind)
	}
	return kinds
}

// A way that only escalates calls a person, once for each time that it is found.
func TestFindingCallsAPerson(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	call := Diagnosed{Findings: []Finding{{Check: "app:rest", Value: "db down", Calls: &Text{EN: "Call the DBA.", JA: "DBA に連絡。"}}}}
	got := st.must(call, minute(1))
	if !slices.Equal(kindsOf(got), []EventKind{EventDiagnosed, EventEscalated}) || got[1].Note.JA != "DBA に連絡。" {
		t.Fatalf("%+v", got)
	}
	if got := st.must(call, minute(2)); !slices.Equal(kindsOf(got), []EventKind{EventDiagnosed}) {
		t.Errorf("the same once more: %v", kindsOf(got))
	}
	st.must(Diagnosed{}, minute(3))
	if got := st.must(call, minute(4)); !slices.Contains(kindsOf(got), EventEscalated) {
		t.Errorf("found anew: %v", kindsOf(got))
	}
	lines := Timeline(st.s, st.log)
	at := slices.IndexFunc(lines, func(l Line) bool { return l.Kind == EventEscalated })
	if l := lines[at]; l.Phrase.Phrase != "timeline.escalated" || l.Noted == nil || l.Because.Args["found"] != "db down" {
		t.Errorf("%+v", l)
	}
}

// A way that closes ends the incident when all is well and nothing fires: not before, and
// not where anything that its runbook looked at is bad or unknown.
func TestFindingClosesWhenTheAlertHasCleared(t *testing.T) {
	t.Parallel()
	closes := func(more ...Finding) Diagnosed {
		return Diagnosed{Findings: append([]Finding{{Check: "app/site", OK: true}, {Check: "app:well", OK: true, Closes: &Text{EN: "All is well."}}}, more...)}
	}
	alert := firing("HighErrorRate", "warning", noon)
	for name, c := range map[string]struct {
		found  Diagnosed
		fires  bool
		closed bool
	}{
		"well":               {closes(), false, true},
		"it fires":           {closes(), true, false},
		"one is bad":         {closes(Finding{Check: "app/collect-1"}), false, false},
		"one is unknown":     {closes(Finding{Check: "app/collect-1", OK: true, Error: "no time"}), false, false},
		"another is bad":     {closes(Finding{Check: "appendix/site"}), false, true},
		"somebody is called": {closes(Finding{Check: "db:rest", Calls: &Text{EN: "x"}}), false, false},
	} {
		st := opened(t, Rule{})
		st.must(closes(), minute(1))
		if st.s.isResolved() {
			t.Fatalf("%s: resolved while it fires", name)
		}
		if !c.fires {
			st.waiting = map[string]Effect{}
			st.must(receive(ended(alert, minute(2))), minute(2))
			if !slices.ContainsFunc(values(st.waiting), func(e Effect) bool { return e.Kind == DoDiagnose }) {
				t.Errorf("%s: the checks are not made again: %v", name, st.waiting)
			}
		}
		st.must(c.found, minute(3))
		if st.s.isResolved() != c.closed {
			t.Errorf("%s: resolved %t", name, st.s.isResolved())
		}
	}
}

func values(m map[string]Effect) (all []Effect) {
	for _, e := range m {
		all = append(all, e)
	}
	return all
}

func TestRunNotesOnlyWhileUnderWay(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(suggestions(restart(42)), minute(1))
	st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(2))
	note := RunNotes{Run: st.s.Runs[0].ID, Note: Text{EN: "Restarted.", JA: "再起動しました。"}}
	if _, err := st.try(note, minute(2)); CodeOf(err) != Conflict {
		t.Errorf("before it began: %v", err)
	}
	st.must(StartRun{Run: note.Run, Owner: "p1"}, minute(2))
	if got := st.must(note, minute(2)); len(got) != 1 || got[0].Kind != EventNoted || got[0].By != Bot {
		t.Errorf("%+v", got)
	}
	lines := Timeline(st.s, st.log)
	if l := lines[len(lines)-1]; l.Phrase.Phrase != "timeline.noted.runbook" || l.Noted.In("ja") != "再起動しました。" {
		t.Errorf("%+v", l)
	}
	st.must(FinishRun{Run: note.Run, Owner: "p1", Steps: passed("a")}, minute(3))
	if _, err := st.try(note, minute(3)); CodeOf(err) != Conflict {
		t.Errorf("after it ended: %v", err)
	}
}
