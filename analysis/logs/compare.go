package logs

import (
	"cmp"
	"math"
	"slices"
)

// Trend says what became of a template.
type Trend string

const (
	Fresh    Trend = "new"
	Bursting Trend = "bursting"
	Vanished Trend = "vanished"
)

// Finding is a template that does not behave as before.
type Finding struct {
	ID       int
	Trend    Trend
	Count    int     // now
	Expected float64 // now, from how many there were before
}

const (
	surprising = 5     // so many deviations of a Poisson count make a burst
	chance     = 0.001 // that likely it is at most that what vanished only did not come by
)

// Compare says what changed from before to now, counts by template; share is how
// long now is against before, 1/12 for five minutes against an hour. The most
// surprising comes first.
func Compare(before, now map[int]int, share float64) []Finding {
	var found []Finding
	for id, n := range now {
		expected := float64(before[id]) * share
		switch {
		case before[id] == 0 && n > 0:
			found = append(found, Finding{id, Fresh, n, 0})
		case off(float64(n), expected, share) >= surprising:
			found = append(found, Finding{id, Bursting, n, expected})
		}
	}
	for id, n := range before {
		if now[id] == 0 && allBefore(n, share) <= chance {
			found = append(found, Finding{id, Vanished, 0, float64(n) * share})
		}
	}
	slices.SortFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(math.Abs(off(float64(b.Count), b.Expected, share)), math.Abs(off(float64(a.Count), a.Expected, share))), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// off is how far a count is from the expected one, in its deviations. That one is
// a guess from what came before, the worse the longer now is against before.
func off(n, expected, share float64) float64 {
	return (n - expected) / math.Sqrt(expected*(1+share)+1)
}

// allBefore is how likely all n that come at the same rate as ever come before: each
// of them does with 1/(1+share).
func allBefore(n int, share float64) float64 { return math.Pow(1+share, -float64(n)) }
