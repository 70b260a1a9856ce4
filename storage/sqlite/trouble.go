package sqlite

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// trouble follows whether one writer's writes fail. One goroutine reports, any
// may ask.
type trouble struct {
	now    atomic.Pointer[failing]
	logged time.Time
}

// failing is since when writes fail, and why.
type failing struct {
	since time.Time
	err   error
}

const logEvery = 10 * time.Second

func (t *trouble) failed(logger *slog.Logger, what string, err error) {
	now := time.Now()
	f := failing{since: now, err: err}
	if old := t.now.Load(); old != nil {
		f.since = old.since
	}
	t.now.Store(&f)
	if now.Sub(t.logged) >= logEvery {
		t.logged = now
		logger.Error(what, "error", err, "failing_for", now.Sub(f.since).Round(time.Millisecond))
	}
}

func (t *trouble) recovered(logger *slog.Logger, what string) {
	if f := t.now.Swap(nil); f != nil {
		t.logged = time.Time{}
		logger.Info(what, "after", time.Since(f.since).Round(time.Millisecond))
	}
}
