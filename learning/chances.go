package learning

import (
	"cmp"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// LeastChance is the share of such incidents on which an action must be expected to
// help, or it is not suggested: below one in seven, looking for the cause beats
// trying.
const LeastChance = 0.15

// chances learns what a score is worth: of the actions that were carried out with
// about that score, how many helped. A new model has seen nothing and takes a score
// for what it says.
type chances struct {
	bins    [10]struct{ n, worked int } // by tenths of the score
	pending map[chosen]stood            // approved, and not known yet whether it helped
}

type chosen struct {
	incident incidents.ID
	action   string
}

type stood struct {
	at    int64
	score float64
}

// maxPending bounds the approvals of which nobody ever hears what became.
const maxPending = 10_000

// imagined outcomes, as the score has them, stand beside those that were seen.
const imagined = 4

func (c *chances) chosen(f *incidents.Fact) {
	if f.Chance <= 0 || f.Chance > 1 {
		return // it was not in the list: no score was at stake
	}
	if c.pending == nil {
		c.pending = map[chosen]stood{}
	}
	c.pending[chosen{f.Incident, f.Action}] = stood{f.At.UnixNano(), f.Chance}
	if len(c.pending) > maxPending {
		dropOldest(c.pending, func(s stood) int64 { return s.at }, func(a, b chosen) int {
			return cmp.Or(cmp.Compare(a.incident, b.incident), cmp.Compare(a.action, b.action))
		})
	}
}

func (c *chances) outcome(f *incidents.Fact) {
	key := chosen{f.Incident, f.Action}
	s, known := c.pending[key]
	if !known {
		return
	}
	delete(c.pending, key)
	b := &c.bins[tenth(s.score)]
	b.n++
	if f.Value > 0 {
		b.worked++
	}
}

// tenth is the bin of a share.
func tenth(share float64) int { return min(max(int(share*10), 0), 9) }

// of is the chance that an action with this score helps, and of how many that were
// carried out with about this score (its tenth and the two beside it) that speaks.
func (c *chances) of(score float64) (chance float64, seen int) {
	b, worked := tenth(score), 0
	for i := max(b-1, 0); i <= min(b+1, len(c.bins)-1); i++ {
		seen += c.bins[i].n
		worked += c.bins[i].worked
	}
	return (float64(worked) + imagined*score) / (float64(seen) + imagined), seen
}
