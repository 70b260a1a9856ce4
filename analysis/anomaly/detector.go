// Package anomaly watches one series and says which of its values nobody would
// have expected.
//
// It is pure and goes through a series once: no clock, no random numbers, and
// memory that does not grow with the series. Times may be irregular, repeated
// or out of order, values missing; what could not be used is counted in Stats.
//
// Start with Detector. Where the parts come from, and what was measured, stands
// in docs/decisions/0019 and docs/quality.md.
package anomaly

import "math"

// Options of a Detector. The defaults are the ones that are measured.
type Options struct {
	Threshold float64 // a score from here on is an anomaly
	Rest      float64 // after an anomaly nothing is said for this share of what was seen
	RestMost  int     // … but for so many values at most
	Warm      int     // the first values are learnt from and never reported
}

// DefaultOptions are one configuration for all series.
func DefaultOptions() Options {
	return Options{Threshold: 0.68, Rest: 0.025, RestMost: 150, Warm: 50}
}

const (
	surpriseWeight = 0.3  // of the score; the rest is how new the pattern is
	margin         = 0.3  // the grid is made larger than what was seen, by this share
	kept           = 1000 // values that are learnt again when the grid has to grow
	most           = 1e300
)

// Stats is what a detector was given.
type Stats struct {
	Seen     int
	Missing  int // no number: left out
	Disorder int // not later than the one before
}

// Detector watches one series; make it with New. It is not safe for concurrent use.
type Detector struct {
	o       Options
	stats   Stats
	grid    *patterns
	err     surprise
	ring    []float64
	next    int
	last    int64
	restAt  int // the value at which the latest anomaly was
	low, hi float64
}

// New makes one that has seen nothing.
func New(o Options) *Detector {
	return &Detector{o: o, restAt: -1}
}

// Stats says what went through.
func (d *Detector) Stats() Stats { return d.stats }

// Add takes the next value, t in Unix seconds. The score is from 0 to 1; 0 while
// it rests. anomaly says that it reached the threshold.
func (d *Detector) Add(t int64, x float64) (score float64, anomaly bool) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		d.stats.Missing++
		return 0, false
	}
	x = max(-most, min(x, most))
	if d.stats.Seen > 0 && t <= d.last {
		d.stats.Disorder++
	}
	d.last = t
	raw := d.score(t, x)
	i := d.stats.Seen
	d.stats.Seen++
	if i < d.o.Warm {
		return 0, false
	}
	resting := d.restAt >= 0 && i-d.restAt <= min(d.o.RestMost, int(d.o.Rest*float64(i)))
	if raw >= d.o.Threshold {
		d.restAt = i // what goes on is one anomaly
	}
	if resting {
		return 0, false
	}
	return raw, raw >= d.o.Threshold
}

func (d *Detector) score(t int64, x float64) float64 {
	if d.stats.Seen == 0 {
		d.low, d.hi = x, x
		d.grid = newPatterns(x, x)
	}
	if x < d.low || x > d.hi {
		d.widen(x)
	}
	score := (1-surpriseWeight)*d.grid.add(x) + surpriseWeight*d.err.add(t, x)
	if len(d.ring) < kept {
		d.ring = append(d.ring, x)
	} else {
		d.ring[d.next] = x
	}
	d.next = (d.next + 1) % kept
	return score
}

// widen makes room for x in the grid and learns what is kept again, as if the
// range had been known. It grows by a share, so that this happens seldom.
func (d *Detector) widen(x float64) {
	low, hi := d.low, d.hi
	if x < low {
		low = max(x-margin*(d.hi-x), -2*most)
	}
	if x > hi {
		hi = min(x+margin*(x-d.low), 2*most)
	}
	d.low, d.hi = low, hi
	d.grid = newPatterns(low, hi)
	if len(d.ring) == kept {
		for _, old := range d.ring[d.next:] {
			d.grid.add(old)
		}
		for _, old := range d.ring[:d.next] {
			d.grid.add(old)
		}
		return
	}
	for _, old := range d.ring {
		d.grid.add(old)
	}
}
