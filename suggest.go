package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// maxSuggestions is how many next actions a room shows.
const maxSuggestions = 5

// suggester answers "what should I do now?": the runbooks that fit, ranked by
// what worked, each with the exact plan that an approval would run. It is the
// place where runbooks and learning meet.
type suggester struct {
	library *runbooks.Library
	learned *learning.Service
	now     func() time.Time
}

// Rank implements worker.Ranker.
func (g *suggester) Rank(ctx context.Context, s *incidents.Incident) ([]incidents.Suggestion, incidents.Reason, error) {
	plans := map[string]incidents.Plan{}
	var candidates []learning.Candidate
	var refused incidents.Reason
	for _, c := range g.library.Fitting(s) {
		if c.Err != nil {
			refused = incidents.Because("none.unplannable", "runbook", c.Runbook.ID, "error", c.Err.Error())
			continue
		}
		plans[c.Runbook.ID] = c.Plan
		candidates = append(candidates, learning.Candidate{Action: c.Runbook.ID})
	}
	ranked, none, err := g.learned.Rank(ctx, s.Context(), candidates, g.now())
	if err != nil {
		return nil, incidents.Reason{}, fmt.Errorf("rank the next actions: %w", err)
	}
	if len(ranked) == 0 {
		if refused.Phrase != "" {
			none = refused
		}
		return nil, none, nil
	}
	ranked = ranked[:min(len(ranked), maxSuggestions)]
	list := make([]incidents.Suggestion, 0, len(ranked))
	for i, r := range ranked {
		plan := plans[r.Action]
		list = append(list, incidents.Suggestion{
			Rank: i + 1, Action: r.Action, Title: plan.Title, Score: r.Score, Evidence: r.Evidence, Plan: plan,
		})
	}
	return list, incidents.Reason{}, nil
}

// settle lets the model learn what is old enough, so that no ranking waits for
// it: after a start, the whole log.
func (a *app) settle(ctx context.Context) {
	if err := a.learned.Settle(ctx, time.Now()); err != nil && ctx.Err() == nil {
		a.log.Warn("could not learn from what happened", "error", err)
	}
}
