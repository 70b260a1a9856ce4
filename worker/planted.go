//go:build !chaos

package worker

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// hurried shortens a lease in crash tests, which cannot wait for the real one.
func hurried(d time.Duration) time.Duration { return d }

// stumble fails an effect in crash tests, to reach what follows a failure.
func stumble(*incidents.Claim) error { return nil }

// runUnclaimed is reached in crash tests only: see failpoint.Planted.
func (w *Worker) runUnclaimed(context.Context, *incidents.Claim, *incidents.Run, string) error {
	return nil
}
