package main

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/web"
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
	began  time.Time // when this process was first seen to fold, since it last did not
}

// healthTimeout bounds one look at the store.
const healthTimeout = 3 * time.Second

// check looks at the store (at the start, and every 30 s). What it sees decides about
// everybody's alerts, so it does not depend on whether whoever asked still listens.
func (r *readiness) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
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
	if !h.ClockSeen { // a wrong clock is not right because nobody could look
		h.ClockOff = r.health.ClockOff
	}
	if off := incidents.ClockOff(h.ClockOff); off.Phrase != "" {
		r.log.Error("nothing is approved or started: this clock and the store's differ; set both (NTP)", "ahead", h.ClockOff)
	}
	r.health, r.at = h, time.Now()
}

// clock is why the clock of this machine cannot be relied on; the zero Reason: it can.
func (r *readiness) clock() incidents.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	return incidents.ClockOff(r.health.ClockOff)
}

// Append is the store's, for alerts: a store that could lose them must not
// answer for them. A store that was unsafe is looked at again, once a
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

// takeOver is how long after the death of the process that folded another one
// begins to: the worker's folding lease.
const takeOver = 6 * time.Second

// is says how fit for work this process is.
func (r *readiness) is(ctx context.Context) web.Readiness {
	if r.stopping.Load() {
		return web.Readiness{Wrong: []incidents.Reason{{Phrase: "ready.stopping"}}}
	}
	is := r.ofStore(ctx)
	s := r.worker.Stats()
	lags, note := r.folding(s.Folding, s.LastFold, time.Now())
	if lags {
		is.Wrong = append(is.Wrong, incidents.Reason{Phrase: "ready.fold_lags"})
	}
	if note.Phrase != "" {
		is.Notes = append(is.Notes, note)
	}
	if s.Aside > 0 {
		is.Notes = append(is.Notes, incidents.Because("ready.set_aside", "n", strconv.FormatInt(s.Aside, 10)))
	}
	return is
}

// ofStore is what a look at the store tells. A clock that differs is an alarm: should
// it be the store's that is wrong, no replica would be left for the alerts.
func (r *readiness) ofStore(ctx context.Context) (is web.Readiness) {
	r.check(ctx)
	r.mu.Lock()
	h := r.health
	r.mu.Unlock()
	if !h.Durable && !r.relaxed || h.Newer {
		if is.Wrong = append(is.Wrong, h.Problems...); len(is.Wrong) == 0 {
			is.Wrong = append(is.Wrong, incidents.Reason{Phrase: "ready.not_durable"})
		}
	}
	if off := incidents.ClockOff(h.ClockOff); off.Phrase != "" {
		is.Alarms = append(is.Alarms, off)
	}
	return is
}

// folding says whether the intake log waits for this process, and for how long
// it may wait for another one's. Who has only just become the one that folds has
// a minute for the first time.
func (r *readiness) folding(folds bool, last, now time.Time) (lags bool, note incidents.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !folds {
		r.began = time.Time{}
		return false, incidents.Because("ready.fold_elsewhere", "within", takeOver.String())
	}
	if r.began.IsZero() {
		r.began = now
	}
	if last.Before(r.began) {
		return now.Sub(r.began) > lagging, incidents.Because("ready.fold_begins")
	}
	return now.Sub(last) > lagging, incidents.Reason{}
}

// readiness is how fit for work the process is, with all its parts.
func (a *app) readiness(ctx context.Context) web.Readiness {
	is := a.ready.is(ctx)
	if bad := a.misread.Load(); bad != nil {
		is.Alarms = append(is.Alarms, *bad)
	}
	is.Notes = slices.Concat(is.Notes, a.audit.reasons(), unreadable(a.learned.Forgotten()), windows{a.config.Windows}.unread())
	return is
}
