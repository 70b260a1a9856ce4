package learning

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var day = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// carriedOut are n approvals of an action that stood with a score, of which some
// helped.
func carriedOut(score float64, n, worked int) []incidents.Fact {
	var facts []incidents.Fact
	for i := range n {
		at := day.Add(time.Duration(i) * time.Minute)
		f := incidents.Fact{Incident: incidents.ID(i + 1), Action: "other", At: at, Context: incidents.Context{Name: "x", Service: "y"}}
		chosen, outcome := f, f
		chosen.Kind, chosen.Chance, chosen.Rank = incidents.FactChosen, score, 1
		outcome.Kind = incidents.FactOutcome
		if i < worked {
			outcome.Value = 1
		}
		facts = append(facts, chosen, outcome)
	}
	return facts
}

// What a score is worth is learned from what came of it.
func TestAScoreIsCorrectedByWhatCameOfIt(t *testing.T) {
	var m Model
	if chance, seen := m.chances.of(.5); chance != .5 || seen != 0 {
		t.Errorf("unseen: %v of %d", chance, seen)
	}
	m.Learn(carriedOut(.5, 36, 3)...)
	if chance, seen := m.chances.of(.5); chance != 5./40 || seen != 36 {
		t.Errorf("a score of .5 is worth %v (%d seen), want .125", chance, seen)
	}
	if chance, _ := m.chances.of(.9); chance != .9 {
		t.Errorf("a score of .9 is worth %v: nothing was learned about it", chance)
	}
	if f := m.Forgotten(); f.Facts != 0 || len(m.chances.pending) != 0 {
		t.Errorf("forgotten %+v, pending %d", f, len(m.chances.pending))
	}
}

// An action that does not help is not suggested for ever, and the reason says with
// which chance; one success brings it back.
func TestWhatHardlyHelpsIsNoSuggestion(t *testing.T) {
	log := &memoryLog{shards: make([][]incidents.Fact, 1)}
	s := NewService(log, 1)
	c := incidents.Context{Name: "Errors", Service: "shop"}
	rank := func() ([]Ranked, incidents.Reason) {
		list, none, err := s.Rank(t.Context(), c, []Candidate{{Action: "restart"}}, day.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return list, none
	}
	tell := func(i, value int) {
		log.shards[0] = append(log.shards[0], incidents.Fact{Seq: int64(len(log.shards[0]) + 1), Kind: incidents.FactOutcome, Incident: incidents.ID(i + 1),
			Action: "restart", Value: value, At: day.Add(time.Duration(i) * time.Minute), Context: c})
	}
	if list, _ := rank(); len(list) != 1 {
		t.Fatal("an untried action is not suggested")
	}
	for i := range 5 {
		tell(i, 0)
	}
	list, none := rank()
	if len(list) != 0 || none.Phrase != "why.none.unlikely.unseen" {
		t.Fatalf("after five failures: %+v, %+v", list, none)
	}
	if said := fmt.Sprint(none.Args); said != "map[action:restart chance:14 least:15 n:1 seen:0]" && said != "[n 1 action restart chance 14 least 15 seen 0]" {
		t.Errorf("the reason says %s", said)
	}
	tell(6, 1)
	if list, _ := rank(); len(list) != 1 {
		t.Error("one success does not bring it back")
	}
}

// The reasons of a 👎 weigh differently, and are told apart in the evidence.
func TestReasonsOfAThumbDownWeighDifferently(t *testing.T) {
	c := incidents.Context{Name: "Errors", Service: "shop"}
	score := func(why incidents.Objection, value int) (float64, incidents.Evidence) {
		var m Model
		if value != 0 {
			m.Learn(incidents.Fact{Kind: incidents.FactVote, Incident: 1, Action: "a", Person: "p", Value: value, Objection: why, At: day, Context: c})
		}
		r := m.Rank(c, []Candidate{{Action: "a"}}, day)[0]
		return r.Score, r.Evidence
	}
	none, _ := score("", 0)
	plain, _ := score("", -1)
	wrong, evidence := score(incidents.WrongCause, -1)
	slow, _ := score(incidents.TooSlow, -1)
	root, _ := score(incidents.NotTheRoot, -1)
	unsafe, _ := score(incidents.UnsafeNow, -1)
	if !(wrong < plain && plain < slow && slow == root && slow < none && unsafe == none) {
		t.Errorf("none %v, plain %v, wrong cause %v, slow %v, not the root %v, unsafe %v", none, plain, wrong, slow, root, unsafe)
	}
	if len(evidence.Said) != 1 || evidence.Said[0] != (incidents.Objected{Objection: incidents.WrongCause, N: 1}) || evidence.Down != 1 {
		t.Errorf("evidence %+v", evidence)
	}
	var m Model // and taken back, nothing is left of it
	for i, f := range []incidents.Fact{{Value: -1, Objection: incidents.WrongCause}, {Value: -1, Objection: incidents.TooSlow}, {}} {
		f.Seq, f.Kind, f.Incident, f.Action, f.Person, f.At, f.Context = int64(i+1), incidents.FactVote, 1, "a", "p", day, c
		m.Learn(f)
	}
	if r := m.Rank(c, []Candidate{{Action: "a"}}, day)[0]; r.Score != none || len(r.Evidence.Said) != 0 {
		t.Errorf("after it was taken back: %+v, want %v", r, none)
	}
}

// Exploring leaves the first two alone, moves nothing risky, draws the same list
// for the same incident, and says how probable it was.
func TestExploringIsCapped(t *testing.T) {
	var list []Ranked
	for i := range 6 {
		list = append(list, Ranked{Action: fmt.Sprint("a", i), Score: 1 - float64(i)/10})
	}
	safe := func(action string) bool { return action != "a4" }
	moved := map[string]int{}
	const n = 4000
	for id := range incidents.ID(n) {
		got := Explore(list, safe, .5, id+1) // capped at a tenth
		if got[0].Action != "a0" || got[1].Action != "a1" || len(got) != 6 {
			t.Fatalf("%v", got)
		}
		if again := Explore(list, safe, .5, id+1); again[2].Action != got[2].Action {
			t.Fatalf("%v, then %v", got, again)
		}
		moved[got[2].Action]++
		want := 1 - MaxExplore
		if got[2].Action != "a2" {
			want = MaxExplore / 2 // a3 or a5
		}
		if got[2].Propensity != want || got[0].Propensity != 0 {
			t.Fatalf("%v: propensity %v, want %v", got[2].Action, got[2].Propensity, want)
		}
	}
	if moved["a4"] > 0 || moved["a3"] < n/40 || moved["a5"] < n/40 || moved["a2"] < n*85/100 {
		t.Errorf("third place: %v", moved)
	}
	if got := Explore(list, safe, 0, 1); &got[0] != &list[0] || got[2].Propensity != 0 {
		t.Error("a share of nothing changes something")
	}
}
