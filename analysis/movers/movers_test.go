package movers

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// flat varies by 1 around level and jumps by a factor at minute at.
func flat(level, factor float64, at, n int) []Point {
	points := make([]Point, n)
	for i := range points {
		v := level + float64(i*7919%3) - 1
		if i >= at {
			v = level*factor + float64(i*7919%3) - 1
		}
		points[i] = Point{start.Unix() + int64(i)*60, v}
	}
	return points
}

func TestRankSaysWhoMovedFirstAndMost(t *testing.T) {
	t.Parallel()
	series := []Series{
		{Metric: "quiet", Points: flat(100, 1, 0, 180)},
		{Metric: "late", Points: flat(100, 3.4, 130, 180)},
		{Metric: "first", Points: flat(100, 3.4, 122, 180)},
		{Metric: "small", Points: flat(100, 1.1, 118, 180)},
		{Metric: "short", Points: flat(100, 9, 1, 2)},
	}
	got, skipped := Rank(series, start.Add(125*time.Minute), 30*time.Minute)
	if len(got) != 3 || skipped != 1 {
		t.Fatalf("moved: %+v, skipped %d, want three and one", got, skipped)
	}
	for i, want := range []string{"first", "late", "small"} {
		if series[got[i].Series].Metric != want {
			t.Errorf("place %d is %s, want %s", i, series[got[i].Series].Metric, want)
		}
	}
	if c := got[0]; c.Since != start.Add(122*time.Minute).Unix() || math.Abs(c.Times-3.4) > .01 {
		t.Errorf("since %s, %.2f times, want 14:02 and 3.4", time.Unix(c.Since, 0).UTC(), c.Times)
	}
}

func TestGapsAndNoNumbers(t *testing.T) {
	t.Parallel()
	points := flat(10, 4, 60, 120)
	points[3].V, points[70].V, points[80].V = math.NaN(), math.Inf(1), math.NaN()
	points = append(points[:20], points[40:]...)
	points = append(points, points[len(points)-1])
	points[30], points[31] = points[31], points[30]
	c, ok := Find(points, start.Unix())
	if !ok || c.Since != start.Unix()+3600 || math.Abs(c.Times-4) > .1 {
		t.Errorf("%+v, %v, want four times since minute 60", c, ok)
	}
}

func TestFindOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Point {
			return Point{rapid.Int64().Draw(t, "t"), rapid.Float64().Draw(t, "v")}
		})).Draw(t, "points")
		c, ok := Find(points, rapid.Int64().Draw(t, "from"))
		if ok && !(c.Deviations >= 0 && c.Deviations <= mostDeviations) || math.IsNaN(c.Times) {
			t.Fatalf("%+v", c)
		}
	})
}

func FuzzFind(f *testing.F) {
	f.Add(int64(3), []byte{1, 2, 3, 4, 5, 6, 200, 201, 202})
	f.Fuzz(func(t *testing.T, from int64, values []byte) {
		var points []Point
		for i, b := range values {
			points = append(points, Point{int64(i), float64(b)})
		}
		if c, ok := Find(points, from); ok && (c.Since < 0 || c.Since >= int64(len(points))) {
			t.Fatalf("%+v of %d", c, len(points))
		}
	})
}

// The goal: 1,000 series of a day, a value a minute, in 2 s on two cores.
func BenchmarkThousandSeriesOfADay(b *testing.B) {
	series := make([]Series, 1000)
	for i := range series {
		series[i] = Series{Metric: "m", Host: fmt.Sprint(i), Points: flat(100, 1+float64(i%3), 1300+i%100, 1440)}
	}
	for b.Loop() {
		var wg sync.WaitGroup
		for part := range runtime.NumCPU() {
			wg.Go(func() {
				size := len(series) / runtime.NumCPU()
				Rank(series[part*size:(part+1)*size], start.Add(1350*time.Minute), 2*time.Hour)
			})
		}
		wg.Wait()
	}
}
