package report

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var begin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday

// story is a log of incidents, a day apart, in which a list is shown, an action is
// approved, and helps or does not.
type story struct {
	facts []incidents.Fact
	n     int
}

func (s *story) incident(service string, list []string, chosen string, chance float64, helped bool) {
	s.n++
	f := incidents.Fact{Incident: incidents.ID(s.n), At: begin.AddDate(0, 0, s.n-1), Context: incidents.Context{Name: "Errors", Service: service}}
	shown, approved, outcome := f, f, f
	shown.Kind = incidents.FactShown
	for i, action := range list {
		shown.Shown = append(shown.Shown, incidents.Shown{Action: action, Chance: chance, Propensity: 1})
		if action == chosen {
			approved.Rank, approved.Chance = i+1, chance
		}
	}
	approved.Kind, approved.Action, approved.At = incidents.FactChosen, chosen, f.At.Add(time.Minute)
	outcome.Kind, outcome.Action, outcome.At = incidents.FactOutcome, chosen, f.At.Add(2*time.Minute)
	if helped {
		outcome.Value = 1
	}
	s.facts = append(s.facts, shown)
	if chosen != "" {
		s.facts = append(s.facts, approved, outcome)
	}
}

func of(t *testing.T, facts []incidents.Fact, now time.Time) *Report {
	t.Helper()
	r, err := Of(t.Context(), facts, now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestListsAreJudgedAsTheyWereShown(t *testing.T) {
	t.Parallel()
	s := &story{}
	s.incident("shop", []string{"a", "b", "c", "d"}, "a", .8, true)
	s.incident("shop", []string{"a", "b", "c", "d"}, "c", .6, true)
	s.incident("till", []string{"a", "b", "c", "d"}, "d", .3, true)
	s.incident("till", []string{"a", "b"}, "elsewhere", 0, true)
	s.incident("till", []string{"a", "b"}, "a", .85, false)
	s.incident("till", []string{"a", "b"}, "", 0, false)
	r := of(t, s.facts, begin.AddDate(0, 0, 60))
	want := Part{Hit1: Share{1, 4}, Hit3: Share{2, 4}, Accepted: Share{4, 6}, Verified: Share{4, 5}}
	if r.All != want {
		t.Errorf("all: %+v, want %+v", r.All, want)
	}
	if len(r.Services) != 2 || r.Services[0].Name != "till" || r.Services[1].Hit1 != (Share{1, 2}) {
		t.Errorf("services: %+v", r.Services)
	}
	if len(r.Weeks) != 1 || r.Weeks[0].Name != "2026-03-02" || len(r.New) != 0 || len(r.Moves) != 0 || r.Outcomes != 0 {
		t.Errorf("weeks %+v, this week %v %v %d", r.Weeks, r.New, r.Moves, r.Outcomes)
	}
	if len(r.Calibration) != 3 || r.Calibration[2].Observed != (Share{1, 2}) || r.Calibration[2].Predicted != .825 {
		t.Errorf("calibration: %+v", r.Calibration)
	}
}

// The others rank the same lists by what was known at the time of the choice; what
// came of it is no help to them.
func TestOthersRankTheSameLists(t *testing.T) {
	t.Parallel()
	s := &story{}
	for range 20 { // at first a helps, then b; the lists follow, the copy does not
		s.incident("shop", []string{"a", "b"}, "a", .8, true)
	}
	for range 180 {
		s.incident("shop", []string{"b", "a"}, "b", .8, true)
	}
	r := of(t, s.facts, begin.AddDate(1, 0, 0))
	if len(r.Compared) != 3 || r.Compared[0].Hit1 != (Share{180, 180}) || r.Compared[2].Hit1 != (Share{0, 180}) {
		t.Fatalf("%+v", r.Compared)
	}
	// b is the most frequent once it helped 21 times; before its 22nd choice it was not.
	if got := r.Compared[1].Hit1; got != (Share{159, 180}) {
		t.Errorf("most frequent: %v", got)
	}
}

func TestWhatAWeekTaughtIsTold(t *testing.T) {
	t.Parallel()
	s := &story{}
	s.incident("shop", []string{"a", "b"}, "a", .8, false)
	s.incident("shop", []string{"b", "a", "new"}, "b", .8, true)
	s.facts[3].At = begin.AddDate(0, 0, 20)
	s.facts[4].At, s.facts[5].At = s.facts[3].At, s.facts[3].At
	s.facts = append(s.facts, incidents.Fact{Kind: incidents.FactOutcome, Source: "import", Ref: "x", Action: "old", Value: 1, At: s.facts[5].At})
	r := of(t, s.facts, begin.AddDate(0, 0, 21))
	if fmt.Sprint(r.Moves) != "[{Errors shop b 2 1} {Errors shop a 1 2} {Errors shop new 0 3}]" || fmt.Sprint(r.New) != "[new]" {
		t.Errorf("moves %v, new %v", r.Moves, r.New)
	}
	if r.Outcomes != 1 || r.Imported != 1 || r.All.Verified != (Share{1, 2}) {
		t.Errorf("outcomes %d, imported %d, %+v", r.Outcomes, r.Imported, r.All)
	}
}
