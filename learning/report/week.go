package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// alert is what lists are compared by: the same alert of the same service.
type alert struct{ name, service string }

// lists are the order of an alert's actions a week ago, and now. An alert that came
// up first within the week has its first list for the one of before.
type lists struct{ before, after []string }

func (t *tally) keep(f *incidents.Fact) {
	key := alert{f.Context.Name, f.Context.Service}
	order := make([]string, 0, len(f.Shown))
	for _, g := range f.Shown {
		order = append(order, g.Action)
	}
	l := t.lists[key]
	switch {
	case l == nil:
		t.lists[key] = &lists{order, order}
	case f.At.After(t.now.Add(-week)):
		l.after = order
	default:
		l.before, l.after = order, order
	}
}

// moves are the places that changed, those that lead to the top first.
func (t *tally) moves() []Move {
	moves := []Move{}
	for key, l := range t.lists {
		for _, action := range union(l.before, l.after) {
			m := Move{key.name, key.service, action, slices.Index(l.before, action) + 1, slices.Index(l.after, action) + 1}
			if m.Before != m.After {
				moves = append(moves, m)
			}
		}
	}
	last := func(rank int) int { // a place that is none comes last
		if rank == 0 {
			return 1 << 20
		}
		return rank
	}
	slices.SortFunc(moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(last(a.After), last(b.After)), cmp.Compare(last(b.Before), last(a.Before)),
			cmp.Compare(a.Alert, b.Alert), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Action, b.Action))
	})
	return moves[:min(len(moves), maxMoves)]
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// heardOf notes when an action was first named.
func (t *tally) heardOf(f *incidents.Fact) {
	note := func(action string) {
		if _, known := t.seen[action]; !known && action != "" {
			t.seen[action] = f.At
		}
	}
	note(f.Action)
	for _, g := range f.Shown {
		note(g.Action)
	}
}

// news are the actions of this week.
func (t *tally) news() []string {
	all := []string{}
	for _, action := range slices.Sorted(maps.Keys(t.seen)) {
		if t.seen[action].After(t.now.Add(-week)) {
			all = append(all, action)
		}
	}
	return all[:min(len(all), maxNew)]
}
