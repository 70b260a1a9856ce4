package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// percentile of sorted values by the nearest rank; zero of none.
func percentile[T any](sorted []T, p float64) T {
	if len(sorted) == 0 {
		var none T
		return none
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// median of values in any order.
func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return percentile(sorted, 50)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
