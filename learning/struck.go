package learning

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// struck is what counts no more, as facts of the log say: a person's votes, or all
// of a service or of everything, up to a time. The log keeps what is struck. A model
// cannot unlearn, so one is made anew from the log without it: the same on all
// replicas, in whatever order they read the shards.
type struck struct {
	people, services map[string]time.Time
	all              time.Time
}

// hear takes in a fact, and says whether anything is struck that was not before.
func (s *struck) hear(f *incidents.Fact) bool {
	later := func(m *map[string]time.Time, key string) bool {
		if !f.At.After((*m)[key]) {
			return false
		}
		if *m == nil {
			*m = map[string]time.Time{}
		}
		(*m)[key] = f.At
		return true
	}
	switch {
	case f.Kind == incidents.FactUndo && f.Person != "":
		return later(&s.people, f.Person)
	case f.Kind == incidents.FactReset && f.Context.Service != "":
		return later(&s.services, f.Context.Service)
	case f.Kind == incidents.FactReset && f.At.After(s.all):
		s.all = f.At
		return true
	}
	return false
}

// has says whether a fact counts no more.
func (s *struck) has(f *incidents.Fact) bool {
	if f.Kind == incidents.FactUnreadable {
		return false // nobody knows whose or when it is; it is counted on
	}
	upTo := func(t time.Time) bool { return !t.IsZero() && !f.At.After(t) }
	return upTo(s.all) || upTo(s.services[f.Context.Service]) || f.Kind == incidents.FactVote && upTo(s.people[f.Person])
}

// Strikes says how many facts that count now would count no more with one more
// strike. It reads the whole log, twice: a strike counts wherever it stands.
func Strikes(ctx context.Context, log Log, shards int, strike incidents.Fact) (int, error) {
	var now, then struck
	each := func(do func(f *incidents.Fact)) error {
		for shard := range shards {
			after := int64(0)
			if err := readOn(ctx, log, shard, &after, func(facts []incidents.Fact) {
				for i := range facts {
					do(&facts[i])
				}
			}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := each(func(f *incidents.Fact) { now.hear(f) }); err != nil {
		return 0, err
	}
	then.hear(&strike)
	n := 0
	err := each(func(f *incidents.Fact) {
		if f.Kind != incidents.FactUndo && f.Kind != incidents.FactReset && then.has(f) && !now.has(f) {
			n++
		}
	})
	return n, err
}
