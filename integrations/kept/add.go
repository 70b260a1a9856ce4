package kept

import (
	"context"
	"slices"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Lines are whole lines, each with its newline, of one ring.
type Lines struct {
	Ring string
	Text []byte
}

const (
	mostWaiting = 16 << 20 // bytes that may wait to be written
	mostWrite   = 4 << 20  // bytes of lines in one write
	mostPieces  = 256      // in one write, about
)

// adding collects what waits for the write that is under way.
type adding struct {
	mu      sync.Mutex
	waiting []*added
	bytes   int
	turn    chan struct{} // held by who writes
}

type added struct {
	lines []Lines
	bytes int
	done  chan error
}

func newAdding() adding { return adding{turn: make(chan struct{}, 1)} }

// Add makes lines durable; they are, when it returns nil. All that waits for a write
// is written together by one of those who wait, lines of one ring as one piece.
// Overloaded when too much waits: nothing was written.
func (r *Ring) Add(ctx context.Context, lines []Lines) error {
	a := &added{lines: lines, done: make(chan error, 1)}
	for _, l := range lines {
		a.bytes += len(l.Text)
	}
	if !r.adding.queue(a) {
		return incidents.Fail(incidents.Overloaded, "error.overloaded", "too much is waiting already").WithHint("send it again after the time in Retry-After")
	}
	for {
		select {
		case err := <-a.done:
			return err
		case r.adding.turn <- struct{}{}:
			r.inTurn(ctx, a)
		case <-ctx.Done():
			r.adding.leave(a)
			return incidents.Fail(incidents.Unavailable, "error.store_away", "the store did not answer in time")
		}
	}
}

// inTurn writes what waits, and gives the turn back, whatever becomes of it.
func (r *Ring) inTurn(ctx context.Context, a *added) {
	defer func() { <-r.adding.turn }()
	if len(a.done) == 0 { // else who had the turn before has written it
		r.write(ctx)
	}
}

func (a *adding) queue(one *added) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bytes > 0 && a.bytes+one.bytes > mostWaiting {
		return false
	}
	a.waiting, a.bytes = append(a.waiting, one), a.bytes+one.bytes
	return true
}

// leave takes one out for which nobody waits any more; what is under way stays.
func (a *adding) leave(one *added) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.waiting, one); i >= 0 {
		a.waiting, a.bytes = slices.Delete(a.waiting, i, i+1), a.bytes-one.bytes
	}
}

// take removes what the next write has.
func (a *adding) take() []*added {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, bytes, rings := 0, 0, 0
	for n < len(a.waiting) && (n == 0 || bytes+a.waiting[n].bytes <= mostWrite && rings+len(a.waiting[n].lines) <= mostPieces) {
		bytes, rings = bytes+a.waiting[n].bytes, rings+len(a.waiting[n].lines)
		n++
	}
	batch := a.waiting[:n:n]
	if a.waiting = a.waiting[n:]; len(a.waiting) == 0 {
		a.waiting = nil
	}
	a.bytes -= bytes
	return batch
}

// write writes what waits, and answers it. All are answered also where the writing
// panics: only who writes hears more of that.
func (r *Ring) write(ctx context.Context) {
	batch := r.adding.take()
	if len(batch) == 0 {
		return
	}
	var err error = incidents.Fail(incidents.Unavailable, "error.store_away", "the write was broken off")
	defer func() {
		for _, a := range batch {
			a.done <- err
		}
	}()
	err = r.push(context.WithoutCancel(ctx), batch)
}

func (r *Ring) push(ctx context.Context, batch []*added) error {
	items, err := r.encode.pieces(r.self, batch)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	last, err := r.Store.PushRings(ctx, r.Kind, r.Bound, items)
	if err != nil {
		return err
	}
	r.wrote(len(items), last)
	return nil
}
