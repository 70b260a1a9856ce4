package trail

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// item is a record that waits to be appended.
type item struct {
	rec  audit.Record
	seq  int64
	err  error
	done chan struct{}
}

// How many records one append takes, how long it may take with all its tries,
// and how many tries that are: each means that somebody else has appended.
const (
	maxBatch  = 128
	flushFor  = 4 * time.Second
	flushTrys = 100
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// append adds one record and returns its number. Those who come while a batch is
// under way share the next one.
func (l *Log) append(ctx context.Context, r audit.Record) (int64, error) {
	r.Replica = l.Owner
	if r.At.IsZero() {
		r.At = audit.TimeOf(l.Now())
	}
	it := &item{rec: r, done: make(chan struct{})}
	l.mu.Lock()
	l.queue = append(l.queue, it)
	l.mu.Unlock()
	for {
		select {
		case <-it.done:
			return it.seq, it.err
		case l.turn <- struct{}{}:
			l.flush(l.take())
			<-l.turn
		case <-ctx.Done():
			if l.withdraw(it) {
				return 0, incidents.Fail(incidents.Unavailable, "error.audit_away", "the audit did not answer in time")
			}
			<-it.done // it is under way, for flushFor at most
			return it.seq, it.err
		}
	}
}

func (l *Log) take() []*item {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.queue), maxBatch)
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

func (l *Log) withdraw(it *item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.queue {
		if l.queue[i] == it {
			l.queue = append(l.queue[:i:i], l.queue[i+1:]...)
			return true
		}
	}
	return false
}

func answer(items []*item, err error) {
	for _, it := range items {
		it.err = err
		close(it.done)
	}
}

// flush appends the items as one batch. It is called by one goroutine at a time.
func (l *Log) flush(items []*item) {
	if len(items) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushFor)
	defer cancel()
	for range flushTrys {
		settle, err := l.meet(ctx)
		if err != nil {
			answer(items, err)
			return
		}
		var entries []audit.Entry
		if entries, items = l.seal(settle, items); len(entries) == 0 {
			return
		}
		err = l.Store.AppendAudit(ctx, l.where(), entries)
		if moved, ok := errors.AsType[*audit.Moved](err); ok {
			if err = l.follow(ctx, moved.Head); err == nil {
				l.redoubt()
				continue
			}
			answer(items, err)
			return
		}
		if closed, ok := errors.AsType[*audit.Closed](err); ok {
			items = l.refuse(items, closed)
			if len(items) == 0 && len(settle) == 0 {
				return
			}
			continue
		}
		if err != nil {
			l.doubt(entries)
			answer(items, err)
			return
		}
		l.appended(entries)
		answer(items, nil)
		return
	}
	answer(items, incidents.Fail(incidents.Unavailable, "error.audit_away", "too many others append to the audit at once"))
}

func (l *Log) where() audit.Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// seal makes entries of what must be settled first and of the items. An item of
// which none can be made is answered.
func (l *Log) seal(settle []audit.Record, items []*item) ([]audit.Entry, []*item) {
	head := l.where()
	var entries []audit.Entry
	add := func(r audit.Record) error {
		e, err := l.Keys.Seal(head, r)
		if err == nil {
			entries, head = append(entries, e), audit.Head{Seq: e.Seq, MAC: e.MAC}
		}
		return err
	}
	for _, r := range settle {
		_ = add(r) // ours, and known to be good
	}
	good := items[:0:0]
	for _, it := range items {
		if err := add(it.rec); err != nil {
			answer([]*item{it}, err)
			continue
		}
		it.seq = head.Seq
		good = append(good, it)
	}
	return entries, good
}

// refuse answers the outcome whose intent has one already.
func (l *Log) refuse(items []*item, closed *audit.Closed) []*item {
	rest := items[:0:0]
	for _, it := range items {
		if it.rec.Kind == audit.Outcome && it.rec.Of == closed.Intent {
			answer([]*item{it}, closed)
			continue
		}
		rest = append(rest, it)
	}
	if len(rest) == len(items) { // it was what a doubt asked for: somebody has told it
		l.mu.Lock()
		l.doubts = nil
		l.mu.Unlock()
	}
	l.redoubt()
	return rest
}

// redoubt has the batches in doubt looked at again before the next try.
func (l *Log) redoubt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.met = l.met && len(l.doubts) == 0
}

// doubt remembers a batch of which nobody knows whether it was appended.
func (l *Log) doubt(entries []audit.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubts = append(l.doubts, entries)
	l.met = false
}

// appended moves the head. Whatever was in doubt wanted to be where we are now:
// it did not happen.
func (l *Log) appended(entries []audit.Entry) {
	last := entries[len(entries)-1]
	l.mu.Lock()
	if l.head.Seq == 0 {
		l.first = entries[0].MAC
	}
	l.head, l.doubts = audit.Head{Seq: last.Seq, MAC: last.MAC}, nil
	due := last.Seq-l.pointed >= l.Records
	l.mu.Unlock()
	if due {
		select {
		case l.nudge <- struct{}{}:
		default:
		}
	}
}
