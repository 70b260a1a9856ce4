package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/anomaly"
)

// nabSeries is one file of the Numenta Anomaly Benchmark.
type nabSeries struct {
	times   []int64
	values  []float64
	windows [][2]int // first and last row of each
	trial   int      // rows that are not scored
}

// nabProfile is what a detection, a miss and a false alarm are worth.
type nabProfile struct {
	name       string
	tp, fn, fp float64
}

// measureNAB scores the detector as the benchmark does: one threshold for the
// whole corpus. Other than the benchmark's own runner, it does not tell the
// detector the least and the greatest value of a file beforehand.
func measureNAB(ctx context.Context, data fs.FS, _ io.Writer) ([]Result, error) {
	series, err := readNAB(data)
	if err != nil {
		return nil, err
	}
	profiles, err := nabProfiles(data)
	if err != nil {
		return nil, err
	}
	var points []nabPoint
	windows := 0
	for _, s := range series {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		points = append(points, s.score(windows)...)
		windows += len(s.windows)
	}
	var results []Result
	for _, p := range profiles {
		at, best := p.sweep(points, windows, anomaly.DefaultOptions().Threshold)
		results = append(results, Result{"nab/" + p.name, at})
		if p.name == "standard" {
			results = append(results, Result{"nab/standard_best", best})
		}
	}
	return results, nil
}

// nabPoint is one scored row outside the trial: its worth as a detection, and
// the window it is in, -1 for none.
type nabPoint struct {
	score, worth float64
	window       int
}

// score runs the detector over the series.
func (s *nabSeries) score(firstWindow int) []nabPoint {
	d := anomaly.New(anomaly.DefaultOptions())
	var points []nabPoint
	for i, x := range s.values {
		score, _ := d.Add(s.times[i], x)
		if i < s.trial || score == 0 {
			continue
		}
		worth, window := s.worth(i)
		if window >= 0 {
			window += firstWindow
		}
		points = append(points, nabPoint{score, worth, window})
	}
	return points
}

// worth is what a detection at a row is worth before weights, after NAB's
// scorer.py: in a window the earlier the better; outside the less the later
// after a window.
func (s *nabSeries) worth(row int) (float64, int) {
	previous := -1
	for k, w := range s.windows {
		if row >= w[0] && row <= w[1] {
			width := float64(w[1] - w[0] + 1)
			return scaledSigmoid(-float64(w[1]-row+1)/width) / scaledSigmoid(-1), k
		}
		if w[1] < row {
			previous = k
		}
	}
	if previous < 0 {
		return -1, -1
	}
	w := s.windows[previous]
	return scaledSigmoid(float64(row-w[1]) / float64(w[1]-w[0])), -1
}

func scaledSigmoid(position float64) float64 {
	if position > 3 {
		return -1
	}
	return 2/(1+math.Exp(5*position)) - 1
}

// sweep is the score of 100 at the threshold, and at the best threshold there is.
// 0 is a detector that says nothing, 100 one that finds every window at once.
func (p nabProfile) sweep(points []nabPoint, windows int, threshold float64) (at, best float64) {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b nabPoint) int { return cmp.Compare(b.score, a.score) })
	found := make([]float64, windows)
	for i := range found {
		found[i] = -p.fn
	}
	nothing := -p.fn * float64(windows)
	sum := nothing
	at, best = sum, sum
	for i, q := range points {
		if q.window < 0 {
			sum += q.worth * p.fp
		} else if worth := q.worth * p.tp; worth > found[q.window] {
			sum += worth - found[q.window]
			found[q.window] = worth
		}
		if i+1 < len(points) && points[i+1].score == q.score {
			continue
		}
		best = max(best, sum)
		if q.score >= threshold {
			at = sum
		}
	}
	scale := 100 / (p.tp*float64(windows) - nothing)
	return (at - nothing) * scale, (best - nothing) * scale
}

func nabProfiles(data fs.FS) ([]nabProfile, error) {
	b, err := fs.ReadFile(data, "nab/profiles.json")
	if err != nil {
		return nil, fmt.Errorf("read the profiles: %w", err)
	}
	var raw map[string]struct {
		CostMatrix struct{ TpWeight, FnWeight, FpWeight float64 }
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("read the profiles: %w", err)
	}
	var profiles []nabProfile
	for _, names := range [][2]string{{"standard", "standard"}, {"reward_low_FP_rate", "low_fp"}, {"reward_low_FN_rate", "low_fn"}} {
		c, ok := raw[names[0]]
		if !ok {
			return nil, fmt.Errorf("profiles.json has no %s", names[0])
		}
		profiles = append(profiles, nabProfile{names[1], c.CostMatrix.TpWeight, c.CostMatrix.FnWeight, c.CostMatrix.FpWeight})
	}
	return profiles, nil
}

// readNAB reads every series that has labels; a label without its file is
// another half's.
func readNAB(data fs.FS) ([]*nabSeries, error) {
	b, err := fs.ReadFile(data, "nab/labels/combined_windows.json")
	if err != nil {
		return nil, fmt.Errorf("nab: %w", err)
	}
	var labels map[string][][2]string
	if err := json.Unmarshal(b, &labels); err != nil {
		return nil, fmt.Errorf("read the labels: %w", err)
	}
	var all []*nabSeries
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		s, err := readNABSeries(data, "nab/data/"+name, labels[name])
		if err != nil {
			return nil, err
		}
		if s != nil {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("nab/data: %w", fs.ErrNotExist)
	}
	return all, nil
}

func readNABSeries(data fs.FS, name string, windows [][2]string) (*nabSeries, error) {
	f, err := data.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	s := &nabSeries{}
	for _, row := range rows[1:] {
		t, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		x, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		s.times, s.values = append(s.times, t.Unix()), append(s.values, x)
	}
	s.trial = int(min(math.Floor(.15*float64(len(s.values))), 750))
	for _, w := range windows {
		from, err1 := time.Parse("2006-01-02 15:04:05.999999", w[0])
		to, err2 := time.Parse("2006-01-02 15:04:05.999999", w[1])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("read the window %v of %s", w, name)
		}
		first := slices.IndexFunc(s.times, func(t int64) bool { return t >= from.Unix() })
		last := len(s.times) - 1
		for last > 0 && s.times[last] > to.Unix() {
			last--
		}
		s.windows = append(s.windows, [2]int{first, last})
	}
	return s, nil
}
