package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// look looks at whether a run helped, by the plan that was approved and no other.
func (w *Worker) look(ctx context.Context, c *incidents.Claim, s *incidents.Incident, r *incidents.Run) error {
	if gate := w.gate.Looks(); len(gate) > 0 {
		if no := gate.Refuses(ctx, s, r); no != nil {
			w.stopped(ctx, s, r, no)
			refused := incidents.StepResult{Step: no.Brake, Error: no.Because.Phrase, Because: no.Because}
			return w.finish(ctx, c, incidents.Looked{Run: r.ID, After: []incidents.StepResult{refused}})
		}
	}
	return w.finish(ctx, c, incidents.Looked{Run: r.ID, After: w.ports.Run.Look(ctx, r.Plan, r.ID)})
}

// run carries out an approved plan at most once. The claim is a commit
// (StartRun); whoever finds it taken by somebody who is gone must not run.
func (w *Worker) run(ctx context.Context, c *incidents.Claim, s *incidents.Incident) error {
	r := s.Run(c.Effect.Arg)
	if r == nil {
		return w.ack(ctx, c)
	}
	switch r.State {
	case incidents.RunApproved:
	case incidents.RunRunning:
		// The effect came to us although the run is claimed: the lease of its
		// owner ran out, so the owner is dead or cut off.
		return w.finish(ctx, c, incidents.LoseRun{Run: r.ID})
	default:
		return w.ack(ctx, c)
	}
	if no := w.gate.Refuses(ctx, s, r); no != nil {
		if no.Unsure != nil {
			return no.Unsure // it is not claimed yet, so it can wait
		}
		w.stopped(ctx, s, r, no)
		return w.finish(ctx, c, incidents.RefuseRun{Run: r.ID, Because: no.Because})
	}
	owner := fmt.Sprintf("%s#%d", w.owner, c.Token)
	failpoint.Hit("worker.run.before_claim")
	if failpoint.Planted("no-claim") {
		return w.runUnclaimed(ctx, c, r, owner)
	}
	s, err := w.claimRun(ctx, s.ID, r.ID, owner)
	if err != nil {
		return err
	}
	r = s.Run(c.Effect.Arg)
	if r.State != incidents.RunRunning || r.Owner != owner {
		return w.ack(ctx, c) // refused by the decision (expired, changed), which said so
	}
	failpoint.Hit("worker.run.claimed")
	ctx, fence := context.WithCancel(ctx)
	defer fence()
	defer w.keepLeaseOr(ctx, c, fence)()
	// Whoever pulls a brake from here on finds the run among those under way.
	if no := w.gate.Refuses(ctx, s, r); no != nil {
		w.stopped(ctx, s, r, no)
		return w.conclude(ctx, c, incidents.RefuseRun{Run: r.ID, Owner: owner, Because: no.Because})
	}
	before, steps := w.ports.Run.Run(ctx, r.Plan, r.ID)
	failpoint.Hit("worker.run.done")
	if ctx.Err() != nil && !settled(r.Plan, steps) { // told to stop before the steps were through
		return w.conclude(ctx, c, incidents.LoseRun{Run: r.ID})
	}
	return w.conclude(ctx, c, incidents.FinishRun{Run: r.ID, Owner: owner, Before: before, Steps: steps})
}

// settled says that the steps came to an end by themselves, so that it is known what
// the run did although it was told to stop meanwhile: all passed, or the last one ran
// through and found that it had failed.
func settled(p incidents.Plan, steps []incidents.StepResult) bool {
	if incidents.AllOK(steps) {
		return len(steps) == len(p.Recover)
	}
	if len(steps) == 0 {
		return false
	}
	last := &steps[len(steps)-1]
	return !last.OK && last.RanThrough()
}

// claimRun commits the claim. When the answer is lost, the incident itself
// tells whether the claim stands.
func (w *Worker) claimRun(ctx context.Context, id incidents.ID, run, owner string) (*incidents.Incident, error) {
	s, err := w.engine.Do(ctx, id, "", incidents.StartRun{Run: run, Owner: owner})
	if err == nil {
		return s, nil
	}
	now, loadErr := w.engine.Load(ctx, id)
	if loadErr == nil {
		if r := now.Run(run); r != nil && r.State == incidents.RunRunning && r.Owner == owner {
			return now, nil
		}
	}
	return nil, err
}

// concludeFor is how long the outcome of a run is offered to a store that is
// away; concludeStopping the same when the process was told to stop.
const (
	concludeFor      = 10 * time.Minute
	concludeStopping = 5 * time.Second
)

// conclude commits a run's outcome, again and again while the store is away:
// nobody else knows it. Should the claim be lost meanwhile, the outcome is told
// all the same, by the owner that the claim names.
func (w *Worker) conclude(ctx context.Context, c *incidents.Claim, cmd incidents.Command) error {
	until, stopping := w.now().Add(concludeFor), ctx.Done()
	outlive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	for try := 1; ; try++ {
		err := w.finish(outlive, c, cmd)
		if errors.Is(err, incidents.ErrClaimLost) {
			_, err = w.engine.Do(outlive, c.Effect.Incident, "", cmd)
		}
		switch incidents.CodeOf(err) {
		case incidents.Invalid, incidents.NotFound, incidents.Forbidden, incidents.Conflict:
			return err // it was decided: trying again decides the same
		}
		if err == nil || w.now().After(until) {
			return err
		}
		w.complain("tell the outcome of a run", err, "run", c.Effect.Arg)
		select {
		case <-stopping:
			stopping = nil
			until = w.now().Add(concludeStopping)
		case <-time.After(backoff(try)):
		}
	}
}
