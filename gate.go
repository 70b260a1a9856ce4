package main

import (
	"context"
	"errors"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// gate is all that can keep an approved run from starting, in the order in which it
// is asked. A new brake is a line here.
func (a *app) gate(freezer *worker.Freezer, ladder auditedLadder) worker.Gate {
	return worker.Gate{
		a.audit.sealed(),              // by people, through Hikeshi, and not by whoever can write to the store
		worker.Clock(a.clock).Brake(), // all below goes by it
		worker.Approved(time.Now),     // as it is, by as many as must, not too long ago
		{Name: "rights", Ask: bot.StillMay(a.config.Rights)},
		{Name: "trust", Ask: ladder.StillStands}, // what begins by itself may have lost that since
		freezer.Brake(),
		windows{a.config.Windows}.unlessFrozen(time.Now),
	}
}

// clock is why ours cannot be relied on.
func (a *app) clock() incidents.Reason { return a.ready.clock() }

// still asks the gate once more when a run has looked and is about to begin: looking may
// have taken as long as its slowest check, and a freeze that was answered meanwhile holds.
func still(from bot.Loader, gate worker.Gate) func(ctx context.Context, plan incidents.Plan, run string) error {
	return func(ctx context.Context, plan incidents.Plan, run string) error {
		because := incidents.Because("because.gate_unknown")
		if s, err := from.Load(ctx, plan.Incident); err == nil && s.Run(run) != nil {
			no := gate.Refuses(ctx, s, s.Run(run))
			if no == nil {
				return nil
			}
			because = no.Because
		}
		return &incidents.Error{Code: incidents.Conflict, Message: "the run may not start", Phrase: because.Phrase, Args: because.Args}
	}
}

// seal is of an approval: a keyed digest of all that it is about, with the audit's key,
// which is in no store.
func (r *recorder) seal(w incidents.Warrant) string { return r.keys.Sign(w.Values()...) }

// sealed stops what the store calls approved and nobody approved here.
func (r *recorder) sealed() worker.Brake {
	return worker.Brake{Name: "seal", Looks: true, Ask: func(_ context.Context, s *incidents.Incident, run *incidents.Run) (incidents.Reason, error) {
		warrants := s.Warrants(run)
		whole := len(warrants) > 0 && run.Plan.Sealed() && run.Plan.Incident == s.ID && run.ApprovedAt.Equal(warrants[len(warrants)-1].Given.At)
		if !whole {
			return incidents.Because("because.forged", "run", run.ID), nil
		}
		for i := range warrants {
			w := &warrants[i]
			switch err := r.keys.Signed(w.Given.Seal, w.Values()...); {
			case errors.Is(err, audit.ErrNoSuch):
				return incidents.Because("because.sealed_elsewhere", "run", run.ID, "key", audit.Text(audit.SignedBy(w.Given.Seal), 32)), nil
			case err != nil:
				return incidents.Because("because.forged", "run", run.ID), nil
			}
		}
		return incidents.Reason{}, nil
	}}
}
