// Package kept holds what is sent to us and is of use for some hours only, lines of
// logs and changes, in the store's rings: every replica knows what any was sent.
//
// It promises that lines are durable once Add returned nil; that all who add at
// once share one write, one at a time, so that a flood of logs leaves the store to
// the alerts; and that each line of others, and of this process's own past, is given
// to Each once. What was gone before it was read is counted. Why it is so stands in
// docs/decisions/0024. Start with New.
package kept

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Store has the rings.
type Store interface {
	PushRings(ctx context.Context, kind string, bound incidents.RingBound, items []incidents.RingItem) (last int64, err error)
	PullRings(ctx context.Context, kind string, after int64, maxBytes int) (items []incidents.RingItem, last int64, err error)
}

// Options are what a Ring is made of.
type Options struct {
	Store  Store
	Kind   string
	Bound  incidents.RingBound
	Self   string            // names this process among replicas and restarts
	Each   func(line []byte) // is given a line of others; one at a time
	Logger *slog.Logger
}

// Ring is safe for concurrent use.
type Ring struct {
	Options
	self   incidents.Key
	adding adding
	encode encoder // of whoever writes

	reading chan struct{} // held by who reads
	caught  bool          // up to the end, once; owned by who reads
	mu      sync.Mutex
	read    int64 // the last piece that is known here
	missed  atomic.Int64
}

const (
	pullBytes   = 1 << 20
	followEvery = 5 * time.Second
)

// New makes one that knows nothing yet: Catch or Follow reads.
func New(o Options) *Ring {
	return &Ring{Options: o, self: incidents.KeyOf(o.Self), adding: newAdding(), reading: make(chan struct{}, 1)}
}

// Missed counts the pieces of others that were gone before they were read.
func (r *Ring) Missed() int { return int(r.missed.Load()) }

// Follow reads what others add until ctx ends. Nobody has to wait for it: whoever
// wants to know all catches up first.
func (r *Ring) Follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	trouble := false
	for {
		err := r.Catch(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !trouble {
			r.Logger.Warn("what other replicas were sent cannot be read", "kind", r.Kind, "error", err)
		}
		trouble = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Catch reads all that others added until now.
func (r *Ring) Catch(ctx context.Context) error {
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	case <-ctx.Done():
		return Unread()
	}
	for {
		r.mu.Lock()
		after := r.read
		r.mu.Unlock()
		items, last, err := r.Store.PullRings(ctx, r.Kind, after, pullBytes)
		if err != nil {
			return err
		}
		r.give(items)
		r.advance(after, items, last)
		if n := len(items); n == 0 || items[n-1].Number >= last {
			r.caught = true
			return nil
		}
	}
}

// Unread says that what is told is not all.
func Unread() error {
	return incidents.Fail(incidents.Unavailable, "clue.missing.others", "what other replicas were sent could not be read; told is what this one knows")
}

// give hands on the lines of others.
func (r *Ring) give(items []incidents.RingItem) {
	for i := range items {
		from, lines, err := decode(items[i].Body)
		if err != nil {
			r.Logger.Warn("a piece of a ring cannot be read", "kind", r.Kind, "number", items[i].Number, "error", err)
			continue
		}
		if from != r.self {
			eachLine(lines, r.Each)
		}
	}
}

// advance notes what was read. A store that knows less than before has lost what
// came after: from there on it goes on, and nothing is read twice.
func (r *Ring) advance(after int64, items []incidents.RingItem, last int64) {
	if n := len(items); n > 0 {
		end := items[n-1].Number
		if gone := end - after - int64(n); r.caught && gone > 0 {
			r.missed.Add(gone)
			r.Logger.Warn("pieces were gone before they were read here", "kind", r.Kind, "pieces", gone)
		}
		last = end
	} else if last >= after {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last > r.read || len(items) == 0 && r.read == after {
		r.read = last
	}
}

// wrote notes that the pieces up to last are our own: they need not be read, unless
// others came between.
func (r *Ring) wrote(n int, last int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read == last-int64(n) {
		r.read = last
	}
}
