package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/analysis/similar"
)

const (
	similarKept  = 5000 // incidents that can be found again
	similarShown = 5
	similarShare = 10 // the first 1/10 is not scored
)

// pastIncident is a line of a replay file.
type pastIncident struct {
	ID              string
	T, Tr           int64
	Ctx             map[string]string
	Group, Code, KB string
}

func (p *pastIncident) fix() string {
	if p.KB != "" {
		return p.KB
	}
	return p.Group + "|" + p.Code
}

// measureSimilar replays incidents in time order: each looks for its like among
// the latest, before its own end is told. A hit is one that had the same end.
// hit5 is told how an incident ended before the next one begins; hit5_ended only
// when it had really ended.
func measureSimilar(ctx context.Context, data fs.FS, _ io.Writer) ([]Result, error) {
	files, err := fs.Glob(data, "*/*_replay_*.jsonl.gz")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("replay files: %w", fs.ErrNotExist)
	}
	var results []Result
	for _, name := range files {
		past, err := readPast(data, name)
		if err != nil {
			return results, err
		}
		set, _, _ := strings.Cut(name, "/")
		hit5, err := findAgain(ctx, past, func(p pastIncident) int64 { return p.T })
		if err != nil {
			return results, err
		}
		results = append(results, Result{"similar/" + set + "/hit5", hit5})
		if !slices.ContainsFunc(past, func(p pastIncident) bool { return p.Tr > p.T }) {
			continue
		}
		ended, err := findAgain(ctx, past, func(p pastIncident) int64 { return p.Tr })
		if err != nil {
			return results, err
		}
		results = append(results, Result{"similar/" + set + "/hit5_ended", ended})
	}
	return results, nil
}

func findAgain(ctx context.Context, past []pastIncident, toldAt func(pastIncident) int64) (hit5 float64, err error) {
	x := similar.New(similarKept)
	order := make([]int, len(past))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(toldAt(past[a]), toldAt(past[b])) })
	told, scored := 0, 0
	for i, p := range past {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		// Never the incident itself nor a later one, whatever its times are.
		for told < len(order) && toldAt(past[order[told]]) <= p.T && order[told] < i {
			old := past[order[told]]
			x.Add(similar.Doc{ID: old.ID, Attrs: known(old.Ctx), Fix: old.fix()})
			told++
		}
		if i < len(past)/similarShare {
			continue
		}
		scored++
		found := x.Find(similar.Doc{Attrs: known(p.Ctx)}, similarShown)
		if slices.ContainsFunc(found, func(m similar.Match) bool { return m.Fix == p.fix() }) {
			hit5++
		}
	}
	return hit5 / float64(max(scored, 1)), nil
}

// known leaves out what the file calls unknown.
func known(ctx map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range ctx {
		if value != "?" {
			out[name] = value
		}
	}
	return out
}

func readPast(data fs.FS, name string) ([]pastIncident, error) {
	f, err := data.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var past []pastIncident
	lines := json.NewDecoder(bufio.NewReader(z))
	for {
		var p pastIncident
		if err := lines.Decode(&p); errors.Is(err, io.EOF) {
			return past, nil
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		past = append(past, p)
	}
}
