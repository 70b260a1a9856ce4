package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
)

// compare lets others order the lists of the decisions. The copy stopped learning
// after the first tenth of them; only those after it are compared.
func (r *Report) compare(ctx context.Context, facts []incidents.Fact, decisions []decision) error {
	r.Compared = []Ranker{{Name: "hikeshi"}, {Name: "frequent"}, {Name: "frozen"}}
	if len(decisions) < 2 {
		return nil
	}
	first := max(len(decisions)/10, 1)
	r.Since = decisions[first-1].at
	frozen, err := frozenCopy(ctx, facts, r.Since)
	if err != nil {
		return err
	}
	for _, d := range decisions[max(first, len(decisions)-maxCompared):] {
		list, err := frozen(ctx, d)
		if err != nil {
			return err
		}
		for i, order := range [][]string{d.list, d.frequent, list} {
			rank := slices.Index(order, d.action) + 1
			r.Compared[i].Hit1.count(rank == 1)
			r.Compared[i].Hit3.count(rank >= 1 && rank <= 3)
		}
	}
	return nil
}

// frozenCopy ranks by what was known at a time, for ever.
func frozenCopy(ctx context.Context, facts []incidents.Fact, until time.Time) (func(context.Context, decision) ([]string, error), error) {
	n, _ := slices.BinarySearchFunc(facts, until, func(f incidents.Fact, until time.Time) int {
		if f.At.After(until) {
			return 1
		}
		return -1
	})
	model := learning.NewService(earlier(facts[:n]), 1)
	if err := model.Settle(ctx, until.Add(time.Hour)); err != nil {
		return nil, fmt.Errorf("make a copy of the model: %w", err)
	}
	return func(ctx context.Context, d decision) ([]string, error) {
		candidates := make([]learning.Candidate, 0, len(d.list))
		for _, action := range d.list {
			candidates = append(candidates, learning.Candidate{Action: action})
		}
		ranked, _, err := model.Rank(ctx, d.context, candidates, d.at)
		if err != nil {
			return nil, fmt.Errorf("rank by a copy of the model: %w", err)
		}
		order := make([]string, 0, len(ranked))
		for _, g := range ranked {
			order = append(order, g.Action)
		}
		return order, nil
	}, nil
}

// earlier is a log of facts that are there already.
type earlier []incidents.Fact

// Facts implements learning.Log. Their numbers are their places, as a store's are.
func (e earlier) Facts(_ context.Context, _ int, after int64, limit int) ([]incidents.Fact, error) {
	from := min(int(after), len(e))
	page := slices.Clone(e[from:min(from+limit, len(e))])
	for i := range page {
		page[i].Seq = int64(from + i + 1)
	}
	return page, nil
}
