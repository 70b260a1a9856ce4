package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
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
	past    diagnostics.Past
	now     func() time.Time
	explore float64 // the share of incidents in which the third place is given to an action of which little is known
}

// Rank implements worker.Ranker.
func (g *suggester) Rank(ctx context.Context, s *incidents.Incident) ([]incidents.Suggestion, incidents.Reason, error) {
	plans, manuals := map[string]incidents.Plan{}, map[string]incidents.Manual{}
	var candidates []learning.Candidate
	var refused incidents.Reason
	for _, c := range g.library.Fitting(s) {
		if c.Err != nil {
			refused = incidents.Because("none.unplannable", "runbook", c.Runbook.ID, "error", c.Err.Error())
			continue
		}
		plans[c.Runbook.ID], manuals[c.Runbook.ID] = c.Plan, c.Runbook.Manual
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
	ranked = learning.Explore(ranked, func(action string) bool {
		risk := plans[action].Risk
		return risk == incidents.RiskRead || risk == incidents.RiskLow
	}, g.explore, s.ID)
	ranked = unsafeLast(s, ranked)
	ranked = ranked[:min(len(ranked), maxSuggestions)]
	list := make([]incidents.Suggestion, 0, len(ranked))
	for i, r := range ranked {
		plan := plans[r.Action]
		r.Evidence.Terms = learning.Unnamed(r.Evidence.Terms, func(id incidents.ID) bool { return g.mayName(ctx, s, id) })
		list = append(list, incidents.Suggestion{
			Rank: i + 1, Action: r.Action, Title: plan.Title, Score: r.Score, Evidence: r.Evidence, Plan: plan, Manual: manuals[r.Action], Propensity: r.Propensity,
		})
	}
	return list, incidents.Reason{}, nil
}

// mayName says whether an incident may be named in the room of another: who sees
// that one sees a customer's own only.
func (g *suggester) mayName(ctx context.Context, in *incidents.Incident, id incidents.ID) bool {
	if in.Customer == "" {
		return true
	}
	other, err := g.past.Load(ctx, id)
	return err == nil && other != nil && other.Customer == in.Customer
}

// unsafeLast puts what somebody here holds for unsafe at present behind the rest,
// whatever speaks for it.
func unsafeLast(s *incidents.Incident, ranked []learning.Ranked) []learning.Ranked {
	var safe, unsafe []learning.Ranked
	for _, r := range ranked {
		if !s.UnsafeHere(r.Action) {
			safe = append(safe, r)
			continue
		}
		r.Evidence.Terms = slices.Insert(r.Evidence.Terms, 0, incidents.Term{Because: incidents.Because("why.unsafe_here"), Weight: -1})
		unsafe = append(unsafe, r)
	}
	return append(safe, unsafe...)
}
