// Package limit keeps the requests to one provider within its limits.
//
// It promises: of one class and key never more than the configured number in
// any window of the configured length, from this replica and, where they share a
// store, from all of them together (see share.go; while one joins, for one window,
// its part may come on top); no request inside a window that the
// provider closed (a 429 and its Retry-After), on this replica at once, on the
// others as soon as they have read of it, within about a second; and that what
// is urgent goes first. Who could not be served before their deadline is told
// so at once, with when to come back, instead of waiting in vain.
//
// Start with Limiter.Wait, before each request, and Limiter.Close, after each
// refusal.
package limit

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Rate is how many requests there may be in any window of that length.
type Rate struct {
	N   int
	Per time.Duration
	Own bool // each replica has all of it: there is one at a time at one key
}

// Lane is how urgent a request is.
type Lane int

// The lanes, the most urgent first.
const (
	Urgent Lane = iota // approvals, escalations, new rooms
	Normal
	Idle // tables that are refreshed, decoration
	lanes
)

// Settings is where replicas tell each other of closed windows.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// AllClasses in Options.Rates bounds the requests of all classes and keys
// together.
const AllClasses = "*"

// Options is what a Limiter needs.
type Options struct {
	Provider string
	Rates    map[string]Rate // by class; "" is for the others; without a rate there is no limit
	Store    Settings        // nil: this process alone
	Replica  string          // this process among those that share the store; "": it has the rates for itself
	Now      func() time.Time
}

// Limiter gives turns for requests to one provider.
type Limiter struct {
	provider string
	rates    map[string]Rate
	now      func() time.Time
	shared   *shared // nil: this process alone

	mu      sync.Mutex
	live    map[string]time.Time // the other replicas, and until when they count
	parts   int                  // among how many replicas the rates are divided
	queues  map[string]*queue    // by class and key
	closed  map[string]time.Time // until when: by class and key, by class, and by ""
	waiting map[*waiter]struct{}
	sweepAt int // of queues: when the forgotten ones are removed
}

// New makes a limiter.
func New(o Options) *Limiter {
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &Limiter{
		provider: o.Provider, rates: o.Rates, now: o.Now,
		live: map[string]time.Time{}, parts: 1, queues: map[string]*queue{}, closed: map[string]time.Time{}, waiting: map[*waiter]struct{}{}, sweepAt: sweepFrom,
	}
	if o.Store != nil {
		l.shared = &shared{store: o.Store, name: "limit/" + o.Provider, replica: o.Replica}
	}
	return l
}

// waiter is somebody who waits for a turn.
type waiter struct {
	lane  Lane
	since time.Time
	wake  chan struct{} // holds one: look again
}

func (w *waiter) nudge() {
	select {
	case w.wake <- struct{}{}:
	default: // it has not looked since the last one
	}
}

// Wait waits for a turn to send one request of class at key, "chat.update" and
// a channel, say. Where the turn would come after ctx's deadline it returns at
// once, with an *incidents.Error of code Overloaded inside an *incidents.Later
// that says when to come back.
func (l *Limiter) Wait(ctx context.Context, class, key string, lane Lane) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{lane: min(max(lane, Urgent), lanes-1), since: l.now(), wake: make(chan struct{}, 1)}
	names := []string{"", class, name(class, key)}
	own, all := l.join(w, names[2], l.rate(class))
	defer l.leave(w, own, all)
	for {
		l.refresh(ctx)
		at, first, taken := l.try(w, names, own, all)
		if taken {
			return nil
		}
		now := l.now()
		if deadline, ok := ctx.Deadline(); ok && at.After(deadline) {
			return l.later(at.Sub(now))
		}
		if err := w.sleep(ctx, first, at.Sub(now)); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return l.later(at.Sub(l.now()))
			}
			return err
		}
	}
}

func (l *Limiter) rate(class string) Rate {
	if r, ok := l.rates[class]; ok {
		return r
	}
	return l.rates[""]
}

// join queues w up. all is the queue of all classes together, nil without one:
// only who could be served in their own queue stand in it.
func (l *Limiter) join(w *waiter, name string, rate Rate) (own, all *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[w] = struct{}{}
	own = l.queue(name, rate)
	own.add(w)
	if rate := l.rates[AllClasses]; rate.N > 0 {
		all = l.queue(AllClasses, rate)
	}
	return own, all
}

func (l *Limiter) leave(w *waiter, own, all *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, w)
	own.remove(w)
	own.nudge()
	if all != nil {
		all.remove(w)
		all.nudge()
	}
}

// try takes a turn where that is possible now; else it says when that may be
// so, and whether w is the first who will see it.
func (l *Limiter) try(w *waiter, names []string, own, all *queue) (at time.Time, first, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	ahead := own.ahead(w)
	at = later(own.at(ahead, now), l.closedUntil(names))
	if ahead > 0 || at.After(now) {
		if all != nil && all.has(w) {
			all.remove(w)
			all.nudge()
		}
		return at, ahead == 0, false
	}
	if all != nil {
		if !all.has(w) {
			all.add(w)
		}
		ahead = all.ahead(w)
		if at = all.at(ahead, now); ahead > 0 || at.After(now) {
			return at, ahead == 0, false
		}
		all.take(now)
	}
	own.take(now)
	return now, true, true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// look is how often who waits first looks whether another replica has closed
// the window.
const look = time.Second

func (w *waiter) sleep(ctx context.Context, first bool, d time.Duration) error {
	var tick <-chan time.Time
	if first {
		t := time.NewTimer(min(max(d, time.Millisecond), look))
		defer t.Stop()
		tick = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.wake:
	case <-tick:
	}
	return nil
}

// leastLater keeps who comes back from coming back at once.
const leastLater = 100 * time.Millisecond

func (l *Limiter) later(after time.Duration) error {
	after = max(after, leastLater)
	seconds := strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10)
	return &incidents.Later{After: after, Err: incidents.Fail(incidents.Overloaded, "error.chat_limit",
		l.provider+" lets us send no more for "+seconds+" s", "provider", l.provider, "seconds", seconds)}
}

// closedUntil is when all of names are open; l.mu is held.
func (l *Limiter) closedUntil(names []string) time.Time {
	var until time.Time
	for _, n := range names {
		if t := l.closed[n]; t.After(until) {
			until = t
		}
	}
	return until
}

// Behind is how long the one waits who has waited longest, and how many wait.
func (l *Limiter) Behind() (time.Duration, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest time.Duration
	now := l.now()
	for w := range l.waiting {
		longest = max(longest, now.Sub(w.since))
	}
	return longest, len(l.waiting)
}
