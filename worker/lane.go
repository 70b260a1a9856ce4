package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Queue is the store's queue of effects.
type Queue interface {
	Claim(ctx context.Context, q incidents.ClaimQuery) (claims []incidents.Claim, next time.Time, err error)
	Extend(ctx context.Context, c *incidents.Claim, lease time.Duration) error
	Retry(ctx context.Context, c *incidents.Claim, due time.Time, reason string) error
}

// LaneStats counts what a lane did since the start.
type LaneStats struct {
	Claimed, Done, Retried, Dead, Lost int64
	Paused                             time.Time // until when the lane rests; zero: it works
}

// lane is one bulkhead: it claims the effects of one provider and carries out
// a bounded number of them at once, so a provider that hangs delays nobody
// else.
type lane struct {
	w     *Worker
	name  string
	slots chan struct{} // one token for each effect under way
	wake  chan int      // shards that have something new; -1: all
	due   []time.Time   // when each shard has something next; zero: unknown

	mu       sync.Mutex
	stats    LaneStats
	failures int // in a row
}

// The breaker: after this many failures in a row a lane rests, then tries one.
const (
	breakAfter = 5
	breakFor   = 15 * time.Second
)

func newLane(w *Worker, name string, size int) *lane {
	return &lane{w: w, name: name, slots: make(chan struct{}, size), wake: make(chan int, 256), due: make([]time.Time, w.shards)}
}

// nudge says that shard may have something; it never blocks.
func (l *lane) nudge(shard int) {
	select {
	case l.wake <- shard:
	default: // it is behind; what this signal was about is found at the next poll
	}
}

// claiming loops until ctx ends. Effects run under carry, which outlives ctx
// while the worker drains.
func (l *lane) claiming(ctx, carry context.Context, work *sync.WaitGroup) {
	look := make([]bool, l.w.shards)
	for i := range look {
		look[i] = true
	}
	for ctx.Err() == nil {
		wait := l.sweep(ctx, carry, look, work)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
			l.mark(look, -1) // a signal may have been lost
		case shard := <-l.wake:
			l.mark(look, shard)
			for len(l.wake) > 0 {
				l.mark(look, <-l.wake)
			}
		}
		timer.Stop()
	}
}

func (l *lane) mark(look []bool, shard int) {
	for i := range look {
		if shard < 0 || i == shard {
			look[i] = true
		}
	}
}

// sweep claims from every shard marked in look and returns how long there is
// nothing to do, at most Options.Poll. Where that is all of them the store looks at
// them together, which is one round trip where nothing is due.
func (l *lane) sweep(ctx, carry context.Context, look []bool, work *sync.WaitGroup) time.Duration {
	if rest := l.resting(); rest > 0 {
		return min(rest, l.w.poll)
	}
	if !slices.Contains(look, false) {
		full, next, ok := l.claim(ctx, carry, incidents.AnyShard, work)
		if !ok {
			return l.w.poll
		}
		for shard := range look { // when each has something is not known, but none has it sooner
			look[shard], l.due[shard] = full, next
		}
	}
	for shard := range look {
		for look[shard] && ctx.Err() == nil {
			full, next, ok := l.claim(ctx, carry, shard, work)
			if !ok {
				return l.w.poll
			}
			look[shard], l.due[shard] = full, next
		}
	}
	return l.untilDue()
}

// claim claims what fits into the free slots and begins it. It says whether there
// may be more, and when there will be; not ok: not now.
func (l *lane) claim(ctx, carry context.Context, shard int, work *sync.WaitGroup) (full bool, next time.Time, ok bool) {
	free := l.reserve(ctx)
	if free == 0 {
		return false, next, false
	}
	if free > 1 && l.halfOpen() { // one shows whether it works again
		l.release(free - 1)
		free = 1
	}
	claims, next, err := l.w.queue.Claim(ctx, incidents.ClaimQuery{Shard: shard, Lane: l.name, Owner: l.w.owner, Max: free, Lease: l.w.lease})
	l.release(free - len(claims))
	if err != nil {
		if ctx.Err() == nil {
			l.w.complain("claim effects", err, "lane", l.name)
		}
		return false, next, false
	}
	for i := range claims {
		work.Add(1)
		go l.carry(carry, &claims[i], work)
	}
	l.count(func(s *LaneStats) { s.Claimed += int64(len(claims)) })
	return len(claims) == free, next, true
}

func (l *lane) untilDue() time.Duration {
	wait, now := l.w.poll, l.w.now()
	for _, due := range l.due {
		if !due.IsZero() {
			wait = min(wait, max(due.Sub(now), time.Millisecond))
		}
	}
	return wait
}

// reserve waits for one free slot and takes all that are free; 0 when ctx ended.
func (l *lane) reserve(ctx context.Context) int {
	select {
	case <-ctx.Done():
		return 0
	case l.slots <- struct{}{}:
	}
	n := 1
	for n < cap(l.slots) {
		select {
		case l.slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
	return n
}

func (l *lane) release(n int) {
	for range n {
		<-l.slots
	}
}

// carry carries out one effect and settles it: acknowledged, tried again, or
// given up.
func (l *lane) carry(ctx context.Context, c *incidents.Claim, work *sync.WaitGroup) {
	defer work.Done()
	defer l.release(1)
	if failpoint.Planted("ack-first") {
		_ = l.w.ack(ctx, c)
	}
	err := l.guarded(ctx, c)
	switch {
	case err == nil:
		l.mu.Lock()
		l.failures = 0
		l.stats.Done++
		l.mu.Unlock()
		return
	case errors.Is(err, incidents.ErrClaimLost):
		l.count(func(s *LaneStats) { s.Lost++ })
		l.w.logger.Debug("an effect was no longer ours", "effect", c.Effect.Key)
		return
	case ctx.Err() != nil: // stopped: the lease will run out and another takes it
		return
	}
	l.failed(err)
	l.settle(ctx, c, err)
}

// guarded turns a panic into an error: one poisoned effect must not take the
// others down.
func (l *lane) guarded(ctx context.Context, c *incidents.Claim) (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.w.logger.Error("an effect panicked", "effect", c.Effect.Key, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if err := stumble(c); err != nil {
		return err
	}
	if c.Effect.Kind == incidents.DoRun || c.Effect.Kind == incidents.DoLook {
		return l.w.carry(ctx, c) // a plan's steps have their own limits
	}
	ctx, cancel := context.WithTimeout(ctx, l.w.timeout)
	defer cancel()
	return l.w.carry(ctx, c)
}

// failed counts towards the breaker, and honours a provider's Retry-After for
// the whole lane: inside a closed window no request is sent.
func (l *lane) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	later, ok := errors.AsType[*incidents.Later](err)
	if ok && (later.Alone || incidents.CodeOf(err) == incidents.Overloaded) {
		return // nothing was sent: our own limit keeps the window, and others may be open
	}
	l.failures++
	now := l.w.now()
	if ok {
		l.pauseUntil(now.Add(min(max(later.After, firstBackoff), maxLater)))
		return
	}
	if l.failures >= breakAfter && l.name != incidents.LaneRun {
		l.pauseUntil(now.Add(breakFor))
	}
}

// pauseUntil never cuts a pause short. l.mu is held.
func (l *lane) pauseUntil(t time.Time) {
	if t.After(l.stats.Paused) {
		l.stats.Paused = t
	}
}

// halfOpen says that the breaker was closed and nothing has succeeded since.
func (l *lane) halfOpen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures >= breakAfter && l.name != incidents.LaneRun
}

func (l *lane) resting() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.stats.Paused.Sub(l.w.now())
	if rest <= 0 {
		l.stats.Paused = time.Time{}
	}
	return rest
}

// settle puts a failed effect back, or among the dead letters. Giving up is an
// event of the incident, in the same commit: people see it on the card.
func (l *lane) settle(ctx context.Context, c *incidents.Claim, cause error) {
	due, hopeless := verdict(c, cause, l.w.now())
	failpoint.Hit("worker.settle")
	if !hopeless {
		l.count(func(s *LaneStats) { s.Retried++ })
		l.tellRetry(c, due, cause)
		if err := l.w.queue.Retry(ctx, c, due, cause.Error()); err != nil && !errors.Is(err, incidents.ErrClaimLost) {
			l.w.complain("put an effect back", err, "effect", c.Effect.Key)
		}
		return
	}
	l.count(func(s *LaneStats) { s.Dead++ })
	l.w.logger.Warn("an effect was given up", "effect", c.Effect.Key, "attempt", c.Attempt, "error", cause)
	c.Dead = cause.Error()
	err := l.w.engine.Finish(ctx, c, incidents.GiveUp{Effect: c.Effect, Reason: c.Dead})
	if incidents.CodeOf(err) == incidents.NotFound {
		err = l.w.ack(ctx, c)
	}
	if err != nil && !errors.Is(err, incidents.ErrClaimLost) {
		l.w.complain("give up an effect", err, "effect", c.Effect.Key)
	}
}

// tellRetry logs at most one failure of the lane in ten seconds, with how many
// there were: where a disk is full or a provider is down, all fail alike.
func (l *lane) tellRetry(c *incidents.Claim, due time.Time, cause error) {
	if n, say := l.w.quiet.due("carry out "+l.name, l.w.now()); say {
		l.w.logger.Info("an effect failed and will be tried again", "lane", l.name, "times", n,
			"effect", c.Effect.Key, "attempt", c.Attempt, "at", due, "error", cause)
	}
}

func (l *lane) count(f func(*LaneStats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}
