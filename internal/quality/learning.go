package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/hikeshi-ops/hikeshi/learning/factored"
	"github.com/hikeshi-ops/hikeshi/learning/replay"
)

// histories are the recorded logs, each in a folder of its own: any *.jsonl.gz
// or *.jsonl in it, whose action stands in these fields.
var histories = []struct {
	folder  string
	action  []string
	regimes []replay.Regime
}{
	{"uci_itsm", []string{"group", "code"}, replay.Regimes},
	{"bpi14_rabobank", []string{"kb"}, []replay.Regime{replay.F0}},
}

// seeds are those over which figures with chance in them are averaged.
var seeds = []uint64{1, 2, 3}

// learned replays the histories and scores the ranking of actions.
func learned(ctx context.Context, data fs.FS, progress io.Writer) ([]Result, error) {
	var results []Result
	for _, h := range histories {
		files, err := logsIn(data, h.folder)
		if err != nil {
			return results, err
		}
		for _, regime := range h.regimes {
			for _, file := range files {
				name := h.folder + "/" + string(regime)
				if len(files) > 1 {
					name = h.folder + "/" + path.Base(file) + "/" + string(regime)
				}
				o := replay.Options{
					Open:   func() (io.ReadCloser, error) { return data.Open(file) },
					Action: h.action, Regime: regime, Noise: replay.DefaultNoise,
				}
				got, err := overSeeds(ctx, o, name)
				if err != nil {
					return results, fmt.Errorf("replay %s: %w", name, err)
				}
				results = append(results, got...)
				fmt.Fprintf(progress, "  %s hit@1 %.3f hit@3 %.3f\n", name, got[0].Value, got[1].Value)
				if regime != replay.CombN {
					continue
				}
				o.Noise.Flips = .10
				if got, err = overSeeds(ctx, o, name+"-flips10"); err != nil {
					return results, fmt.Errorf("replay %s: %w", name, err)
				}
				results = append(results, got...)
			}
		}
	}
	return results, nil
}

// logsIn are the logs of a folder.
func logsIn(data fs.FS, folder string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"*.jsonl.gz", "*.jsonl"} {
		found, err := fs.Glob(data, folder+"/"+pattern)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", folder, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no log: %w", folder, fs.ErrNotExist)
	}
	return files, nil
}

// overSeeds is the mean over the seeds, and the least hit@1 of them. Where
// nothing is left to chance one seed is enough.
func overSeeds(ctx context.Context, o replay.Options, name string) ([]Result, error) {
	use := seeds
	if !o.Regime.Chance() {
		use = seeds[:1]
	}
	sums := map[string]float64{}
	least := 1.
	for _, seed := range use {
		o.Seed = seed
		scores, err := replay.Run(ctx, o, replay.Ours{M: factored.New(factored.DefaultConfig())})
		if err != nil {
			return nil, err
		}
		s := scores[0]
		for prefix, t := range map[string]replay.Tally{"": s.All, "first_": s.First, "last_": s.Last} {
			sums[prefix+"hit1"] += t.Hit1()
			sums[prefix+"hit3"] += t.Hit3()
			sums[prefix+"mrr"] += t.MRR()
		}
		least = min(least, s.All.Hit1())
	}
	var results []Result
	for _, measure := range []string{"hit1", "hit3", "mrr", "first_hit1", "first_hit3", "last_hit1", "last_hit3"} {
		results = append(results, Result{name + "/" + measure, sums[measure] / float64(len(use))})
	}
	return append(results, Result{name + "/least_hit1", least}), nil
}
