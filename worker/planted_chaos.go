//go:build chaos

package worker

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// hurried is HIKESHI_CHAOS_LEASE where that is shorter.
func hurried(d time.Duration) time.Duration {
	if short, err := time.ParseDuration(os.Getenv("HIKESHI_CHAOS_LEASE")); err == nil {
		return min(d, short)
	}
	return d
}

var stumbled sync.Map

// stumble fails the first effect of each kind in HIKESHI_CHAOS_STUMBLE
// (separated by commas) in the life of this process; with a ! after it for good.
func stumble(c *incidents.Claim) error {
	all, kind := strings.Split(os.Getenv("HIKESHI_CHAOS_STUMBLE"), ","), string(c.Effect.Kind)
	hopeless := slices.Contains(all, kind+"!")
	if !hopeless && !slices.Contains(all, kind) {
		return nil
	}
	if _, again := stumbled.LoadOrStore(kind, true); again {
		return nil
	}
	if hopeless {
		return incidents.Fail(incidents.Invalid, "error.effect", "it was told to fail for good")
	}
	return errors.New("it was told to fail once")
}

// runUnclaimed is the bug "no-claim": it runs first and claims afterwards.
func (w *Worker) runUnclaimed(ctx context.Context, c *incidents.Claim, r *incidents.Run, owner string) error {
	defer w.keepLease(ctx, c)() // without a crash it must not show, however slow the machine
	before, steps := w.ports.Run.Run(ctx, r.Plan, r.ID)
	failpoint.Hit("worker.run.done")
	if _, err := w.claimRun(ctx, c.Effect.Incident, r.ID, owner); err != nil {
		return err
	}
	return w.conclude(ctx, c, incidents.FinishRun{Run: r.ID, Owner: owner, Before: before, Steps: steps})
}
