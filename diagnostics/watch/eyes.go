package watch

import (
	"math"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/analysis/anomaly"
	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

const (
	history   = 240 // values a source is asked for: what new eyes learn from
	usualOf   = 60  // values before an onset make the usual
	nameBytes = 200
)

// eyes look at the series of one rule, a detector each. They can be made anew of
// the source's history at any time.
type eyes map[string]*eye

type eye struct {
	detector *anomaly.Detector
	last     int64
	odd      map[int64]bool // within the history
}

// see feeds what is new by to, and tells what was seen after since. Series that
// are not looked at, because there are too many or their names are the same, are
// left. keep are those that must be looked at.
func (e eyes) see(r *Rule, all []diagnostics.Series, since, to int64, keep []Subject) (sights []Sight, left int) {
	type named struct {
		name  string
		kept  bool
		given *diagnostics.Series
	}
	var series []named
	for i := range all {
		name := nameOf(r, &all[i])
		kept := slices.ContainsFunc(keep, func(u Subject) bool { return u.Of == name })
		series = append(series, named{name, kept, &all[i]})
	}
	slices.SortStableFunc(series, func(a, b named) int {
		if a.kept != b.kept {
			if a.kept {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	distinct := slices.CompactFunc(series, func(a, b named) bool { return a.name == b.name })
	looked := distinct[:min(len(distinct), mostSeries)]
	for name := range e {
		if !slices.ContainsFunc(looked, func(n named) bool { return n.name == name }) {
			delete(e, name)
		}
	}
	for _, n := range looked {
		points := onGrid(n.given.Points, seconds(r.Every), to)
		odd := e.feed(n.name, points, to-history*seconds(r.Every))
		for i, p := range points {
			if p.T <= since {
				continue
			}
			x := Sight{Of: n.name, At: p.T, Value: p.V, Odd: odd[p.T], URL: n.given.URL}
			if x.Odd && i > 0 {
				x.Usual, x.Dev = movers.Level(points[max(0, i-usualOf):i])
			}
			sights = append(sights, x)
		}
	}
	slices.SortStableFunc(sights, func(a, b Sight) int { return int(a.At - b.At) })
	return sights, len(all) - len(looked)
}

// feed gives an eye what it has not seen, and returns when it was odd.
func (e eyes) feed(name string, points []movers.Point, oldest int64) map[int64]bool {
	x := e[name]
	if x == nil || x.last < oldest { // new, or closed for so long that it would start at nothing
		x = &eye{detector: anomaly.New(anomaly.DefaultOptions()), odd: map[int64]bool{}}
		e[name] = x
	}
	for _, p := range points {
		if p.T <= x.last {
			continue
		}
		x.last = p.T
		if _, odd := x.detector.Add(p.T, p.V); odd {
			x.odd[p.T] = true
		}
	}
	for t := range x.odd {
		if t < oldest {
			delete(x.odd, t)
		}
	}
	return x.odd
}

// nameOf tells the series of a rule apart.
func nameOf(r *Rule, s *diagnostics.Series) string {
	name := s.Of
	if s.Title != r.Query {
		name = strings.TrimSpace(s.Title + " " + s.Of)
	}
	return strings.ToValidUTF8(name[:min(len(name), nameBytes)], "")
}

// onGrid is the mean of the values in each stretch of so many seconds, at its end,
// so that every replica judges the same ones. What is no number is a gap.
func onGrid(points []movers.Point, every, to int64) []movers.Point {
	sums := map[int64]movers.Point{} // T counts
	for _, p := range points {
		at := (p.T + every - 1) / every * every
		if at > to || math.IsNaN(p.V) || math.IsInf(p.V, 0) {
			continue
		}
		sum := sums[at]
		sums[at] = movers.Point{T: sum.T + 1, V: sum.V + (p.V-sum.V)/float64(sum.T+1)}
	}
	grid := make([]movers.Point, 0, len(sums))
	for at, sum := range sums {
		if !math.IsInf(sum.V, 0) && !math.IsNaN(sum.V) {
			grid = append(grid, movers.Point{T: at, V: sum.V})
		}
	}
	slices.SortFunc(grid, func(a, b movers.Point) int { return int(a.T - b.T) })
	return grid
}
