package main

import (
	"math"
	"testing"
)

// The worth of a row, by hand after NAB's scorer.py, and the three anchors of
// its scale.
func TestNABScoring(t *testing.T) {
	t.Parallel()
	s := &nabSeries{values: make([]float64, 100), windows: [][2]int{{40, 59}}}
	for row, want := range map[int]float64{40: 1, 39: -1, 59: scaledSigmoid(-.05) / scaledSigmoid(-1), 60: scaledSigmoid(1. / 19), 99: scaledSigmoid(40. / 19)} {
		if got, _ := s.worth(row); math.Abs(got-want) > 1e-9 {
			t.Errorf("row %d is worth %v, want %v", row, got, want)
		}
	}
	p := nabProfile{"standard", 1, 1, .11}
	if at, best := p.sweep(nil, 1, .5); at != 0 || best != 0 {
		t.Errorf("saying nothing scores %v, %v, want 0", at, best)
	}
	found := nabPoint{.9, 1, 0}
	if at, _ := p.sweep([]nabPoint{found}, 1, .5); at != 100 {
		t.Errorf("finding all at once scores %v, want 100", at)
	}
	points := []nabPoint{found, {.6, -1, -1}, {.4, -1, -1}}
	if at, best := p.sweep(points, 1, .5); math.Abs(at-94.5) > 1e-9 || best != 100 {
		t.Errorf("one false alarm at the threshold: %v, best %v, want 94.5 and 100", at, best)
	}
}
