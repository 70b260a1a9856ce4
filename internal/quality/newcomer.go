package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"github.com/hikeshi-ops/hikeshi/learning/factored"
	"github.com/hikeshi-ops/hikeshi/learning/replay"
)

// A newcomer is a runbook that nobody has, of a group and with a code that nobody
// has either: from the middle of the log on it is what helps with one class of
// alerts, whatever helped with them before. The class is a category with its
// subcategory. The same log is replayed with and without it; actions join the
// catalogue when they are first heard of.
const (
	newcomer        = "newcomer"
	newcomerClasses = 8 // the most frequent ones after the middle, one at a time
	newcomerGrace   = 5 // incidents of the class after which it is expected to be among the first three
)

var newcomerRegimes = []replay.Regime{replay.F0, replay.CombN}

// measureNewcomer says, for each regime, after how many incidents of its class the
// newcomer is among the first three (those that had begun, and those of them whose end
// was told), how often it is from the sixth on, and how many points all others lose.
func measureNewcomer(ctx context.Context, data fs.FS, progress io.Writer) ([]Result, error) {
	files, err := logsIn(data, "uci_itsm")
	if err != nil {
		return nil, err
	}
	lines, err := readLines(data, files[0])
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, regime := range newcomerRegimes {
		use := seeds
		if !regime.Chance() {
			use = seeds[:1]
		}
		var all []arrival
		for _, seed := range use {
			got, err := arrivals(ctx, lines, replay.Options{Regime: regime, Noise: replay.DefaultNoise, Seed: seed})
			if err != nil {
				return results, fmt.Errorf("replay with a newcomer, %s: %w", regime, err)
			}
			all = append(all, got...)
		}
		name := "uci_itsm/newcomer/" + string(regime)
		results = append(results, summary(name, all)...)
		fmt.Fprintf(progress, "  %s: %d arrivals\n", name, len(all))
	}
	return results, nil
}

// summary is the mean of all arrivals, and the worst of them.
func summary(name string, all []arrival) []Result {
	var mean, worst arrival
	for _, a := range all {
		n := float64(len(all))
		mean = arrival{mean.begun + a.begun/n, mean.told + a.told/n, mean.settled + a.settled/n, mean.loss1 + a.loss1/n, mean.loss3 + a.loss3/n}
		worst = arrival{max(worst.begun, a.begun), max(worst.told, a.told), 0, max(worst.loss1, a.loss1), max(worst.loss3, a.loss3)}
	}
	return []Result{
		{name + "/incidents", mean.begun}, {name + "/incidents_worst", worst.begun},
		{name + "/told", mean.told}, {name + "/told_worst", worst.told}, {name + "/then_hit3", mean.settled},
		{name + "/others_loss_hit1", mean.loss1}, {name + "/others_loss_hit3", mean.loss3},
		{name + "/others_loss_worst", max(worst.loss1, worst.loss3)},
	}
}

// arrival is what became of one newcomer.
type arrival struct {
	begun, told  float64 // incidents of its class before it was among the first three
	settled      float64 // share of the later incidents of its class in which it was
	loss1, loss3 float64 // points of the others, after the middle
}

// line is one incident of the log: as it is written, and what is asked of it.
type line struct {
	raw   map[string]json.RawMessage
	id    string
	class string
}

func readLines(data fs.FS, name string) ([]line, error) {
	f, err := data.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer z.Close()
	var all []line
	for lines := bufio.NewReader(z); ; {
		b, err := lines.ReadBytes('\n')
		if err == io.EOF && len(b) == 0 {
			return all, nil
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		var l line
		var about struct {
			ID  string
			Ctx struct{ Category, Subcategory string }
		}
		if err := cmp.Or(json.Unmarshal(b, &l.raw), json.Unmarshal(b, &about)); err != nil {
			return nil, fmt.Errorf("read line %d of %s: %w", len(all)+1, name, err)
		}
		l.id, l.class = about.ID, about.Ctx.Category+"|"+about.Ctx.Subcategory
		all = append(all, l)
	}
}

// frequent are the classes that come up most after the middle.
func frequent(lines []line, most int) []string {
	count := map[string]int{}
	for _, l := range lines[len(lines)/2:] {
		count[l.class]++
	}
	classes := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	return classes[:min(len(classes), most)]
}

// arrivals replays the log as it is, and once for each class with its newcomer.
func arrivals(ctx context.Context, lines []line, o replay.Options) ([]arrival, error) {
	without, err := watched(ctx, lines, "", o)
	if err != nil {
		return nil, err
	}
	var all []arrival
	for _, class := range frequent(lines, newcomerClasses) {
		with, err := watched(ctx, lines, class, o)
		if err != nil {
			return nil, err
		}
		all = append(all, compare(lines, class, without, with))
	}
	return all, nil
}

// watched replays the log in which the class has its newcomer; "" for none.
func watched(ctx context.Context, lines []line, class string, o replay.Options) ([]seen, error) {
	log, right, err := rewrite(lines, class)
	if err != nil {
		return nil, err
	}
	o.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(log)), nil }
	o.Action, o.Grow = []string{"group", "code"}, true
	w := &watcher{Learner: replay.Ours{M: factored.New(factored.DefaultConfig())}, right: right, number: map[string]int{}}
	if _, err := replay.Run(ctx, o, w); err != nil {
		return nil, err
	}
	return w.seen, nil
}

// rewrite is the log with the newcomer, and the right action of each incident.
func rewrite(lines []line, class string) (log []byte, right map[string]string, err error) {
	var out bytes.Buffer
	right = map[string]string{}
	for i, l := range lines {
		raw := l.raw
		if class != "" && l.class == class && i >= len(lines)/2 {
			raw = maps.Clone(raw)
			raw["group"], raw["code"] = json.RawMessage(`"`+newcomer+`"`), json.RawMessage(`"`+newcomer+`"`)
		}
		b, err := json.Marshal(raw)
		if err != nil {
			return nil, nil, fmt.Errorf("write line %d: %w", i+1, err)
		}
		out.Write(append(b, '\n'))
		var action struct{ Group, Code string }
		if err := json.Unmarshal(b, &action); err != nil {
			return nil, nil, fmt.Errorf("read line %d: %w", i+1, err)
		}
		right[l.id] = action.Group + "|" + action.Code
	}
	return out.Bytes(), right, nil
}

// seen is what a watcher saw of one incident: where the right action stood before
// anything was told, −1 for nowhere, and of how many the newcomer's outcome was told.
type seen struct{ at, told int }

// watcher looks at what a learner shows and is told.
type watcher struct {
	replay.Learner
	right  map[string]string // by incident
	number map[string]int    // of an action
	told   int
	seen   []seen
}

// Join implements replay.Learner.
func (w *watcher) Join(id string, kin []string) {
	w.number[id] = len(w.number)
	w.Learner.Join(id, kin)
}

// Rank implements replay.Learner.
func (w *watcher) Rank(c *replay.Case, k int) []int {
	shown := w.Learner.Rank(c, k)
	at := -1
	if n, joined := w.number[w.right[c.ID]]; joined {
		at = slices.Index(shown, n)
	}
	w.seen = append(w.seen, seen{at, w.told})
	return shown
}

// Outcome implements replay.Learner.
func (w *watcher) Outcome(c *replay.Case, action int) {
	if n, joined := w.number[newcomer+"|"+newcomer]; joined && n == action {
		w.told++
	}
	w.Learner.Outcome(c, action)
}

// compare says what became of the class's newcomer, and of the others.
func compare(lines []line, class string, without, with []seen) arrival {
	var a arrival
	var reached bool
	var of, others, settled, later float64
	for i := len(lines) / 2; i < len(lines); i++ {
		if lines[i].class != class {
			others++
			a.loss1 += hit(without[i], 1) - hit(with[i], 1)
			a.loss3 += hit(without[i], 3) - hit(with[i], 3)
			continue
		}
		if !reached {
			a.told = float64(with[i].told)
		}
		if reached = reached || hit(with[i], 3) == 1; !reached {
			a.begun++
		}
		if of++; of > newcomerGrace {
			later++
			settled += hit(with[i], 3)
		}
	}
	a.settled = settled / max(later, 1)
	a.loss1, a.loss3 = 100*a.loss1/max(others, 1), 100*a.loss3/max(others, 1)
	return a
}

func hit(s seen, among int) float64 {
	if s.at >= 0 && s.at < among {
		return 1
	}
	return 0
}
