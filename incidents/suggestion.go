package incidents

import (
	"slices"
	"time"
)

// Suggestion is one possible next action, ranked, with its evidence and the
// exact plan that an approval would run.
type Suggestion struct {
	Rank     int      `json:"rank"`   // 1 is the best
	Action   string   `json:"action"` // the runbook's id
	Title    Text     `json:"title"`
	Score    float64  `json:"score"` // higher is better; comparable only within one list
	Evidence Evidence `json:"evidence"`
	Plan     Plan     `json:"plan"`
	Manual   Manual   `json:"manual,omitzero"` // where people's own words about it are

	Propensity float64 `json:"propensity,omitempty"` // how probable this place was; 0: certain
}

// Evidence is why: what happened when this was tried on incidents like this.
type Evidence struct {
	Tried  int           `json:"tried"`  // verified outcomes on such incidents
	Worked int           `json:"worked"` // of them, those that helped
	Up     int           `json:"up"`
	Down   int           `json:"down"`
	Said   []Objected    `json:"said,omitempty"` // what was said against it, on such incidents
	LastAt time.Time     `json:"last_at,omitzero"`
	Median time.Duration `json:"median,omitempty"` // from approval to verified
	Terms  []Term        `json:"terms,omitempty"`  // what the score is made of, largest first
}

// Term is one part of a score.
type Term struct {
	Because Reason  `json:"because"`
	Weight  float64 `json:"weight"`
}

// RankMove is what a piece of feedback did to the order.
type RankMove struct {
	Action string `json:"action"`
	Title  Text   `json:"title"`
	Before int    `json:"before"` // 0: was not in the list
	After  int    `json:"after"`  // 0: is no longer in the list
}

// samePlaces says whether two lists put the same actions in the same places, as
// probably: only their scores may differ.
func samePlaces(a, b []Suggestion) bool {
	return slices.EqualFunc(a, b, func(x, y Suggestion) bool {
		return x.Action == y.Action && x.propensity() == y.propensity()
	})
}

// propensity is how probable the place was.
func (g *Suggestion) propensity() float64 {
	if g.Propensity == 0 {
		return 1
	}
	return g.Propensity
}

// suggestion finds an action in the present list.
func (s *Incident) suggestion(action string) *Suggestion {
	for i := range s.Suggestions {
		if s.Suggestions[i].Action == action {
			return &s.Suggestions[i]
		}
	}
	return nil
}

// rankMoves compares two lists.
func rankMoves(before, after []Suggestion) []RankMove {
	old := make(map[string]int, len(before))
	for _, s := range before {
		old[s.Action] = s.Rank
	}
	var moves []RankMove
	for _, s := range after {
		if old[s.Action] != s.Rank {
			moves = append(moves, RankMove{Action: s.Action, Title: s.Title, Before: old[s.Action], After: s.Rank})
		}
		delete(old, s.Action)
	}
	for _, s := range before {
		if _, gone := old[s.Action]; gone {
			moves = append(moves, RankMove{Action: s.Action, Title: s.Title, Before: s.Rank})
		}
	}
	return moves
}

// replanned says whether an action of both lists would now do something else.
func replanned(before, after []Suggestion) bool {
	digest := make(map[string]string, len(before))
	for _, s := range before {
		digest[s.Action] = s.Plan.Digest
	}
	return slices.ContainsFunc(after, func(s Suggestion) bool {
		return digest[s.Action] != "" && digest[s.Action] != s.Plan.Digest
	})
}
