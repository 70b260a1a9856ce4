package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Health is what /healthz answers as JSON. Status is the worst of the faults:
// "wedged", "cache_full", "slow" or "ok". The answer's HTTP status is 503 where
// customers are turned away (wedged, cache_full) and 200 otherwise.
type Health struct {
	Status        string        `json:"status"`
	Reason        string        `json:"reason,omitempty"`
	Wedged        bool          `json:"wedged"`
	CacheFull     bool          `json:"cache_full"`
	Slow          bool          `json:"slow"` // not known while wedged
	ProbeSeconds  float64       `json:"probe_seconds"`
	PID           int           `json:"pid"`
	UptimeSeconds float64       `json:"uptime_seconds"`
	QueueDepth    int           `json:"queue_depth"`
	QueueCapacity int           `json:"queue_capacity"`
	WorkersBusy   int           `json:"workers_busy"`
	Workers       []workerState `json:"workers"`
	CacheBytes    int64         `json:"cache_bytes"`
	CacheQuota    int64         `json:"cache_quota_bytes"`
}

// A prober sends a quote through the queue and the workers and measures how long
// it takes. At most one probe is under way, shared by all who ask, so that probes
// of a wedged shop do not fill its queue.
type prober struct {
	pool *pool
	till *till

	mu      sync.Mutex
	current *probe
}

type probe struct {
	began time.Time
	done  chan struct{} // closed when took and err are set
	took  time.Duration
	err   error
}

// ask waits for the probe at most until the context ends.
func (p *prober) ask(ctx context.Context) (time.Duration, error) {
	pr := p.join()
	select {
	case <-pr.done:
		return pr.took, pr.err
	case <-ctx.Done():
		return time.Since(pr.began), errNoAnswer
	}
}

func (p *prober) join() *probe {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		return p.current
	}
	pr := &probe{began: time.Now(), done: make(chan struct{})}
	j, err := p.pool.post(context.Background(), "probe", func(w *worker) error {
		p.till.quote(w, products[0])
		p.finish(pr)
		return nil
	})
	if j == nil {
		pr.err = err
		close(pr.done)
		return pr
	}
	p.current = pr
	return pr
}

// finish is called by the worker at the end of the probe.
func (p *prober) finish(pr *probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current = nil
	pr.took = time.Since(pr.began)
	close(pr.done)
}

// health asks the workers and looks at the cache.
func (s *shop) health(ctx context.Context) Health {
	ctx, cancel := context.WithTimeout(ctx, s.o.deadline)
	defer cancel()
	took, err := s.prober.ask(ctx)
	now := time.Now()
	h := Health{
		Status: "ok", PID: os.Getpid(), UptimeSeconds: now.Sub(s.began).Seconds(),
		ProbeSeconds: took.Seconds(), QueueDepth: len(s.pool.queue), QueueCapacity: cap(s.pool.queue),
		WorkersBusy: s.pool.busy(), Workers: s.pool.states(now), CacheQuota: s.till.cache.quota,
	}
	full, used, cacheErr := s.till.cache.full()
	h.CacheBytes, h.CacheFull = used, full || cacheErr != nil
	h.Wedged = err != nil
	h.Slow = err == nil && took > s.o.slowAbove
	switch {
	case errors.Is(err, errNoAnswer):
		h.Status, h.Reason = "wedged", fmt.Sprintf("no worker answered within %v", s.o.deadline)
	case err != nil:
		h.Status, h.Reason = "wedged", err.Error()
	case cacheErr != nil:
		h.Status, h.Reason = "cache_full", cacheErr.Error()
	case h.CacheFull:
		h.Status, h.Reason = "cache_full", fmt.Sprintf("%v: %s of %s used", errNoSpace, size(used), size(h.CacheQuota))
	case h.Slow:
		h.Status, h.Reason = "slow", fmt.Sprintf("a worker took %v to answer, more than %v", took.Round(time.Millisecond), s.o.slowAbove)
	}
	return h
}
