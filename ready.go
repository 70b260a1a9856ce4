package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// readiness says whether this process should get traffic, and why not.
type readiness struct {
	store    storage.Store
	worker   *worker.Worker
	relaxed  bool // an unsafe store is announced, not refused
	stopping atomic.Bool

	mu     sync.Mutex
	health incidents.Health
}

// healthTimeout bounds one look at the store.
const healthTimeout = 3 * time.Second

// check looks at the store (R2: at the start and every 30 s).
func (r *readiness) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	h := r.store.Health(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health = h
}

// lagging is how long a due effect may wait before the process is not ready.
const lagging = time.Minute

// reasons are why this process is not ready; none: it is.
func (r *readiness) reasons(ctx context.Context) []incidents.Reason {
	if r.stopping.Load() {
		return []incidents.Reason{{Phrase: "ready.stopping"}}
	}
	r.check(ctx)
	r.mu.Lock()
	h := r.health
	r.mu.Unlock()
	var reasons []incidents.Reason
	if !h.Durable && !r.relaxed {
		reasons = append(reasons, incidents.Reason{Phrase: "ready.not_durable"})
		reasons = append(reasons, h.Problems...)
	}
	if s := r.worker.Stats(); s.Folding && time.Since(s.LastFold) > lagging {
		reasons = append(reasons, incidents.Reason{Phrase: "ready.fold_lags"})
	}
	return reasons
}
