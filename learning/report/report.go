package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Share is how many of how many: the count comes with every figure.
type Share struct {
	N  int `json:"n"`
	Of int `json:"of"`
}

// Value is the share, 0 of none.
func (s Share) Value() float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.N) / float64(s.Of)
}

func (s *Share) count(yes bool) {
	s.Of++
	if yes {
		s.N++
	}
}

// Part is the figures of one service, of one week, or of all.
type Part struct {
	Name     string `json:"name,omitempty"` // a service; the Monday of a week
	Hit1     Share  `json:"hit1"`           // decisions for the first of the list
	Hit3     Share  `json:"hit3"`           // … for one of the first three
	Accepted Share  `json:"accepted"`       // incidents with a list, in which an action of it was approved
	Verified Share  `json:"verified"`       // actions that were carried out, and verifiably helped
}

// Ranker is one way to order the lists, in the comparison.
type Ranker struct {
	Name string `json:"name"` // "hikeshi", "frequent", "frozen"
	Hit1 Share  `json:"hit1"`
	Hit3 Share  `json:"hit3"`
}

// Bin is what became of actions that were approved with scores between From and To.
type Bin struct {
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Predicted float64 `json:"predicted"` // the mean score
	Observed  Share   `json:"observed"`  // of those that were carried out, how many helped
}

// Move is an action that stands elsewhere in the list of an alert than a week ago.
type Move struct {
	Alert   string `json:"alert"`
	Service string `json:"service,omitempty"`
	Action  string `json:"action"`
	Before  int    `json:"before"` // 0: it was not in the list
	After   int    `json:"after"`  // 0: it is no longer
}

// Struck is something that was taken back.
type Struck struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Person  string    `json:"person,omitempty"`  // whose votes
	Service string    `json:"service,omitempty"` // of which service; neither: everything
}

// Report is how good the suggestions were.
type Report struct {
	At       time.Time `json:"at"`
	Facts    int       `json:"facts"`                // that it was made of
	LeftOut  int       `json:"left_out,omitempty"`   // older ones, beyond MaxFacts
	Imported int       `json:"imported,omitempty"`   // of them, from another system: learned from, not judged
	Unread   int       `json:"unreadable,omitempty"` // that cannot be read: kept where they are, and not counted
	All      Part      `json:"all"`
	Services []Part    `json:"services"` // those with the most lists, at most MaxServices
	Weeks    []Part    `json:"weeks"`    // the latest MaxWeeks, the oldest first

	// Compared are three ways to order the same lists: as they were shown, the most
	// frequent remedy first, and by a copy that learned nothing after Since.
	Compared []Ranker  `json:"compared"`
	Since    time.Time `json:"since,omitzero"`

	Calibration []Bin   `json:"calibration"`
	Error       float64 `json:"calibration_error"` // mean distance of predicted and observed

	Votes    int      `json:"votes_this_week"`
	Outcomes int      `json:"outcomes_this_week"`
	New      []string `json:"new_this_week"` // actions that nobody had seen before
	Moves    []Move   `json:"moves_this_week"`
	Struck   []Struck `json:"struck,omitempty"` // the latest maxStruck that were taken back, the latest first
}

// Bounds of a report.
const (
	MaxFacts    = 200_000
	MaxServices = 30
	MaxWeeks    = 26
	maxMoves    = 30
	maxNew      = 50
	maxStruck   = 20
	maxCompared = 1000 // the latest decisions: the copy must rank each of them
	week        = 7 * 24 * time.Hour
)

// Of makes the report as of now. The facts may come in any order.
func Of(ctx context.Context, facts []incidents.Fact, now time.Time) (*Report, error) {
	slices.SortStableFunc(facts, func(a, b incidents.Fact) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Incident, b.Incident), cmp.Compare(a.Seq, b.Seq))
	})
	t := newTally(now)
	for i := range facts {
		t.take(&facts[i])
	}
	r := &Report{
		At: now, Facts: len(facts), Imported: t.imported, All: t.all, Services: t.parts(t.services, MaxServices, byLists),
		Weeks: t.parts(t.weeks, MaxWeeks, byName), Votes: t.votes, Outcomes: t.outcomes, New: t.news(), Moves: t.moves(), Unread: t.unread, Struck: t.struck,
	}
	slices.Reverse(r.Struck)
	r.Calibration, r.Error = t.calibration()
	if err := r.compare(ctx, facts, t.decisions); err != nil {
		return nil, err
	}
	return r, nil
}

func byLists(a, b Part) int {
	return cmp.Or(cmp.Compare(b.Accepted.Of, a.Accepted.Of), cmp.Compare(a.Name, b.Name))
}
func byName(a, b Part) int { return cmp.Compare(b.Name, a.Name) }
