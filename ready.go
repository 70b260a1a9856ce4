package main

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// readiness says whether this process should get traffic, and why not.
type readiness struct {
	store    storage.Store
	worker   *worker.Worker
	relaxed  bool // an unsafe store is announced, not refused
	log      *slog.Logger
	stopping atomic.Bool

	mu     sync.Mutex
	health incidents.Health
	at     time.Time // of the latest look
}

// healthTimeout bounds one look at the store.
const healthTimeout = 3 * time.Second

// check looks at the store (R2: at the start and every 30 s).
func (r *readiness) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	h := r.store.Health(ctx)
	if !h.Durable && ctx.Err() == nil {
		said := make([]string, 0, len(h.Problems))
		for _, p := range h.Problems {
			said = append(said, phrases.Fill(phrases.English, p.Phrase, p.Args))
		}
		r.log.Warn("the store may lose what it answers for", "problems", said, "relaxed", r.relaxed)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health, r.at = h, time.Now()
}

// Append is the store's, for alerts: a store that could lose them must not
// answer for them (R2). A store that was unsafe is looked at again, once a
// second at most, so that it is used as soon as it is mended.
func (r *readiness) Append(ctx context.Context, b *incidents.Batch) error {
	if !r.relaxed && !r.durable(ctx) {
		return incidents.Fail(incidents.Unavailable, "ready.not_durable", "the store may lose what it answered for").
			WithHint("GET /readyz says why")
	}
	return r.store.Append(ctx, b)
}

func (r *readiness) durable(ctx context.Context) bool {
	r.mu.Lock()
	durable, stale := r.health.Durable, time.Since(r.at) > time.Second
	if !durable && stale {
		r.at = time.Now() // the others do not look meanwhile
	}
	r.mu.Unlock()
	if durable || !stale {
		return durable
	}
	r.check(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health.Durable
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
