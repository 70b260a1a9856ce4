package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
)

// An op is one thing to be written. apply first checks, without writing, and
// returns what refuses it; any error after the first write is an error of the
// file. It runs again, in another transaction, where an earlier one failed.
type op interface {
	apply(t *tx) (refusal error, failure error)
	size() int
}

// request is an op that waits for its answer.
type request struct {
	op     op
	answer chan error
}

// Bounds of one transaction: enough that the fsync is shared by many, few
// enough that the first does not wait for long.
const (
	maxTxOps   = 1024
	maxTxBytes = 4 << 20 // a quarter of the page cache: its pages are used again, not given back
)

// writer collects what waits and writes it, one transaction at a time.
type writer struct {
	mu      sync.Mutex
	waiting []request
	bytes   int
	closed  bool
	wake    chan struct{}
}

var errClosed = errors.New("the store is closed")

// add queues an op. limit bounds the bytes that may wait, 0 for no bound.
func (w *writer) add(r request, limit int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	if limit > 0 && w.bytes > 0 && w.bytes+r.op.size() > limit {
		return errFull
	}
	w.waiting = append(w.waiting, r)
	w.bytes += r.op.size()
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

var errFull = errors.New("too much waits to be written")

// take removes the next transaction's worth.
func (w *writer) take() (batch []request, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	bytes, n := 0, 0
	for n < len(w.waiting) && n < maxTxOps && (n == 0 || bytes+w.waiting[n].op.size() <= maxTxBytes) {
		bytes += w.waiting[n].op.size()
		n++
	}
	batch = w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	w.bytes -= bytes
	return batch, w.closed
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// submit hands an op to the writer and waits for the answer, or for ctx. When
// ctx ends first nobody knows whether it will happen.
func (s *Store) submit(ctx context.Context, doing string, o op, limit int) error {
	if err := ctx.Err(); err != nil {
		return fault.Unavailable(doing, err)
	}
	r := request{op: o, answer: make(chan error, 1)}
	if err := s.writer.add(r, limit); err != nil {
		if errors.Is(err, errFull) {
			return fault.Overloaded(doing)
		}
		return fault.Unavailable(doing, err)
	}
	select {
	case err := <-r.answer:
		if failure, ok := errors.AsType[*fileError](err); ok {
			return fault.Unavailable(doing, failure.cause)
		}
		return err
	case <-ctx.Done():
		return fault.Unavailable(doing, ctx.Err())
	}
}

// fileError is an answer for which the file is to blame, not the op.
type fileError struct{ cause error }

func (e *fileError) Error() string { return e.cause.Error() }

// writes is the writer's goroutine.
func (s *Store) writes() {
	defer close(s.done)
	for {
		<-s.writer.wake
		for {
			batch, closed := s.writer.take()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			if closed {
				answerAll(batch, &fileError{errClosed})
				continue
			}
			s.write(batch)
		}
	}
}

func answerAll(batch []request, err error) {
	for _, r := range batch {
		r.answer <- err
	}
}

// write carries out one batch. Where one op spoils the transaction for all,
// each is tried by itself.
func (s *Store) write(batch []request) {
	refusals, err := s.transact(batch)
	if err != nil && len(batch) > 1 && ofTheOperation(err) {
		for i := range batch {
			s.write(batch[i : i+1])
		}
		return
	}
	if err != nil && ofTheOperation(err) {
		s.logger.Error("an operation cannot be written", "error", err)
		answerAll(batch, err)
		return
	}
	if err != nil {
		s.trouble.failed(s.logger, "cannot write to the store", err)
		answerAll(batch, &fileError{err})
		return
	}
	s.trouble.recovered(s.logger, "the store can be written again")
	failpoint.Hit("sqlite.tx.before_answer")
	for i, r := range batch {
		r.answer <- refusals[i]
	}
	s.afterCommit()
}

// transact runs the ops in one transaction.
func (s *Store) transact(batch []request) (refusals []error, err error) {
	t := newTx(s, s.conn)
	defer func() {
		if p := recover(); p != nil { // a bug in one op must not leave the transaction open for the next
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			_ = s.conn.exec(rollbackTx) // after some errors it has been rolled back already
			t.abandon()
		}
	}()
	if err := s.conn.exec(beginTx); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	failpoint.Hit("sqlite.tx.begun")
	refusals = make([]error, len(batch))
	for i, r := range batch {
		if refusals[i], err = r.op.apply(t); err != nil {
			return nil, err
		}
	}
	if err := t.flush(); err != nil {
		return nil, err
	}
	failpoint.Hit("sqlite.tx.before_commit")
	if err := s.conn.exec(commitTx); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	failpoint.Hit("sqlite.tx.after_commit")
	t.publish()
	return refusals, nil
}
