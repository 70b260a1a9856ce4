package anomaly

import (
	"encoding/binary"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// daily is a series of one value in five minutes with a daily rhythm.
func daily(i int) (int64, float64) {
	return int64(i) * 300, 50 + 20*math.Sin(2*math.Pi*float64(i)/288) + float64(i*7919%13)/10
}

func TestFindsWhatIsStrange(t *testing.T) {
	t.Parallel()
	d := New(DefaultOptions())
	var found []int
	for i := range 3000 {
		at, x := daily(i)
		if i >= 2500 && i < 2520 {
			x = 140
		}
		if _, yes := d.Add(at, x); yes && i > 1000 {
			found = append(found, i)
		}
	}
	if len(found) == 0 || found[0] < 2500 || found[0] > 2505 {
		t.Errorf("found %v, want the jump at 2500 and nothing before", found)
	}
	if len(found) > 2 {
		t.Errorf("found %v: one anomaly is told once, and perhaps its end", found)
	}
}

func TestWhatIsNoNumberIsCounted(t *testing.T) {
	t.Parallel()
	d := New(DefaultOptions())
	for _, x := range []float64{math.NaN(), math.Inf(1), 1, math.Inf(-1), 2} {
		if score, yes := d.Add(7, x); score != 0 || yes {
			t.Errorf("%v scores %v", x, score)
		}
	}
	if got, want := d.Stats(), (Stats{Seen: 2, Missing: 3, Disorder: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestAConstantSeriesIsQuiet(t *testing.T) {
	t.Parallel()
	d := New(DefaultOptions())
	for i := range 2000 {
		if score, yes := d.Add(int64(i), 5); yes {
			t.Fatalf("value %d of a constant series scores %v", i, score)
		}
	}
	if _, yes := d.Add(2000, 6); !yes {
		t.Error("the first change of a constant series is no anomaly")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	d := New(DefaultOptions())
	x := uint32(1)
	for i := range 3000 {
		x = x*1664525 + 1013904223
		d.Add(int64(i), float64(x>>16))
	}
	if len(d.ring) > kept || len(d.grid.contexts) > maxContexts || len(d.grid.known[0].sets) > maxContexts {
		t.Errorf("keeps %d values and %d contexts", len(d.ring), len(d.grid.contexts))
	}
}

func TestScoresOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64(), rapid.Just(math.NaN()), rapid.Float64Range(0, 10)), 0, 200).Draw(t, "values")
		times := rapid.SliceOfN(rapid.Int64(), len(values), len(values)).Draw(t, "times")
		a, b := New(DefaultOptions()), New(DefaultOptions())
		for i, x := range values {
			score, yes := a.Add(times[i], x)
			if again, also := b.Add(times[i], x); again != score || also != yes {
				t.Fatalf("the same series scores %v and %v", score, again)
			}
			if !(score >= 0 && score <= 1) || yes != (score >= DefaultOptions().Threshold) {
				t.Fatalf("value %d scores %v, anomaly %v", i, score, yes)
			}
		}
		if s := a.Stats(); s.Seen+s.Missing != len(values) {
			t.Fatalf("%+v of %d", s, len(values))
		}
	})
}

func FuzzDetector(f *testing.F) {
	f.Add([]byte("12345678abcdefgh87654321"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := New(Options{Threshold: .5, Rest: .1, RestMost: 3})
		for i := 0; i+8 <= len(data) && i < 8*500; i += 8 {
			u := binary.LittleEndian.Uint64(data[i:])
			if score, _ := d.Add(int64(u), math.Float64frombits(u)); !(score >= 0 && score <= 1) {
				t.Fatalf("score %v", score)
			}
		}
	})
}

func BenchmarkDetector(b *testing.B) {
	d := New(DefaultOptions())
	for i := 0; b.Loop(); i++ {
		d.Add(daily(i))
	}
}
