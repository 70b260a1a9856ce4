package logs

import (
	"slices"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	before := map[int]int{1: 1200, 2: 120, 3: 1200, 4: 12}
	now := map[int]int{1: 104, 2: 90, 5: 2}
	got := Compare(before, now, 1./12)
	want := []Finding{{2, Bursting, 90, 10}, {3, Vanished, 0, 100}, {5, Fresh, 2, 0}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
