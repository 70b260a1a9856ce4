// Package movers says which of many series moved first and most around a time:
// the question of the first minute of an incident.
//
// It is pure; series may have gaps, repeated times and values that are missing.
// Start with Rank; Change is what it says of one series.
package movers

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Point is a value at a time in Unix seconds.
type Point struct {
	T int64
	V float64
}

// Series is what one host says of one metric.
type Series struct {
	Metric, Host string
	Points       []Point // in the order of time
}

// Change is where a series left its usual ways.
type Change struct {
	Series        int   // its place in what Rank was given
	Since         int64 // "since 14:02"; Unix seconds
	Before, After float64
	// Times is how many times its usual it is now: 3.4. 0 where the usual is
	// nothing or below, or the sign differs; then only the values say how much.
	Times float64
	// Deviations is how far it moved in units of what it usually varies by.
	Deviations float64
}

const (
	// leastPoints before and after a change: fewer say nothing.
	leastPoints = 3
	// leastDeviations make a move; below is what series do all day.
	leastDeviations = 4
	// mostDeviations bounds what a series that never varied can score.
	mostDeviations = 100
	// normal makes a median absolute deviation a standard deviation.
	normal = 1.4826
	// leastShare of its level is what any series varies by.
	leastShare = 0.01
)

// Rank lists the series that moved within the window around the time, those that
// moved most first, and of equals the one that moved first. Skipped counts the
// series that had too few values to say.
func Rank(series []Series, around time.Time, window time.Duration) (moved []Change, skipped int) {
	from := around.Add(-window).Unix()
	for i, s := range series {
		c, ok := Find(s.Points, from)
		if !ok {
			skipped++
			continue
		}
		if c.Deviations >= leastDeviations {
			c.Series = i
			moved = append(moved, c)
		}
	}
	slices.SortStableFunc(moved, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.magnitude(), a.magnitude()), cmp.Compare(a.Since, b.Since))
	})
	return moved, skipped
}

// magnitude makes moves of much the same size equal, so that the first counts.
func (c Change) magnitude() int { return int(math.Log2(c.Deviations)) }

// Find is the one point after from, in Unix seconds, that best divides the series
// into before and after: the greatest difference of means, weighted as in CUSUM,
// in units of the usual deviation. ok is false where there are too few values.
func Find(points []Point, from int64) (c Change, ok bool) {
	points = usable(points)
	n := len(points)
	first, _ := slices.BinarySearchFunc(points, from, func(p Point, t int64) int { return cmp.Compare(p.T, t) })
	first = max(first, leastPoints)
	if first > n-leastPoints {
		return Change{}, false
	}
	usual, dev := Level(points[:first])
	sum := 0.0
	for _, p := range points[first:] {
		sum += clip(p.V, usual, dev)
	}
	// The values from i on are "after"; the mean of all before is held to the usual.
	best, at, rest := -1.0, first, sum
	for i := first; i <= n-leastPoints; i++ {
		m := float64(n - i)
		if gain := math.Abs(rest/m) * math.Sqrt(m); gain > best {
			best, at = gain, i
		}
		rest -= clip(points[i].V, usual, dev)
	}
	after, _ := Level(points[at:])
	c = Change{Since: points[at].T, Before: usual, After: after, Deviations: min(math.Abs(after-usual)/dev, mostDeviations)}
	if usual > 0 && after >= 0 {
		c.Times = after / usual
	}
	return c, true
}

// clip is how far a value is from the usual, in deviations; one spike must not
// weigh like an hour.
func clip(v, usual, dev float64) float64 {
	return max(-mostDeviations, min((v-usual)/dev, mostDeviations))
}

// usable leaves out what is no number, and sorts where times are out of order.
func usable(points []Point) []Point {
	bad := func(p Point) bool { return math.IsNaN(p.V) || math.IsInf(p.V, 0) || math.Abs(p.V) > 1e300 }
	byTime := func(a, b Point) int { return cmp.Compare(a.T, b.T) }
	if !slices.ContainsFunc(points, bad) && slices.IsSortedFunc(points, byTime) {
		return points
	}
	points = slices.DeleteFunc(slices.Clone(points), bad)
	slices.SortStableFunc(points, byTime)
	return points
}

// Level is the median, and the deviation by the median absolute deviation, which is
// never nothing: a series that stood still is not moved by a hair's breadth.
func Level(points []Point) (median, dev float64) {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.V
	}
	median = middle(values)
	for i, v := range values {
		values[i] = math.Abs(v - median)
	}
	dev = max(normal*middle(values), leastShare*math.Abs(median), math.SmallestNonzeroFloat32)
	return median, dev
}

func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n%2 == 1 {
		return values[n/2]
	}
	return values[n/2-1]/2 + values[n/2]/2
}
