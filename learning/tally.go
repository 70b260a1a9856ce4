package learning

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// HalfLife is the time after which a fact counts half. Systems, teams and
// causes change over quarters: a fix that was last proved half a year ago
// counts a quarter of one proved today.
const HalfLife = 90 * 24 * time.Hour

// maxTook bounds the durations kept for the median.
const maxTook = 15

// cell names a tally: an action at a place.
type cell struct {
	action string
	place
}

// place is an alert name of a service. A zero key stands for any.
type place struct{ name, service incidents.Key }

// counts are facts about an action. As floats they are decayed, in a raw tally
// they are whole.
type counts struct {
	worked, failed, up, down float64
	against                  float64 // what the thumbs down weigh, by their reasons

	own, ownUp, ownAgainst float64 // of the thumbs, those of people whose service it is: how many, and the same as above
}

func (c counts) plus(d counts, times float64) counts {
	return counts{
		c.worked + d.worked*times, c.failed + d.failed*times,
		c.up + d.up*times, c.down + d.down*times, c.against + d.against*times,
		c.own + d.own*times, c.ownUp + d.ownUp*times, c.ownAgainst + d.ownAgainst*times,
	}
}

// minus never goes below nothing: differences of decayed sums carry the noise
// of floating point.
func (c counts) minus(d counts) counts {
	return counts{
		max(c.worked-d.worked, 0), max(c.failed-d.failed, 0),
		max(c.up-d.up, 0), max(c.down-d.down, 0), max(c.against-d.against, 0),
		max(c.own-d.own, 0), max(c.ownUp-d.ownUp, 0), max(c.ownAgainst-d.ownAgainst, 0),
	}
}

func (c counts) none() bool { return c == counts{} }

// tally is what is known of one cell. The decayed counts are as of time at:
// adding a fact older than that adds its remaining weight, so that the order
// in which facts come does not matter.
type tally struct {
	raw, decayed counts
	at           int64 // ns: the latest fact
	lastOutcome  int64 // ns
	took         []took
	said         objections
}

type took struct {
	at int64 // ns
	d  time.Duration
}

// add counts a fact of time at, or with times −1 takes it back.
func (t *tally) add(c counts, at int64, times float64) {
	if at > t.at {
		t.decayed = counts{}.plus(t.decayed, decay(t.at, at))
		t.at = at
	}
	t.raw = t.raw.plus(c, times)
	t.decayed = t.decayed.plus(c, times*decay(at, t.at))
	if times < 0 {
		t.raw, t.decayed = t.raw.minus(counts{}), t.decayed.minus(counts{})
	}
}

// outcome keeps when and how long, of the latest few.
func (t *tally) outcome(at int64, worked bool, d time.Duration) {
	t.lastOutcome = max(t.lastOutcome, at)
	if !worked || d <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(t.took, took{at, d}, func(a, b took) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.d, b.d))
	})
	t.took = slices.Insert(t.took, i, took{at, d})
	if len(t.took) > maxTook {
		t.took = slices.Delete(t.took, 0, 1)
	}
}

// median of the kept durations; 0 for none.
func (t *tally) median() time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	ds := make([]time.Duration, len(t.took))
	for i := range t.took {
		ds[i] = t.took[i].d
	}
	slices.Sort(ds)
	mid := len(ds) / 2
	if len(ds)%2 == 1 {
		return ds[mid]
	}
	return (ds[mid-1] + ds[mid]) / 2
}

// decay is what is left at time to of a fact of time from: 1 for one that is
// said to lie in the future.
func decay(from, to int64) float64 {
	if to <= from {
		return 1
	}
	return math.Exp2(-float64(to-from) / float64(HalfLife))
}
