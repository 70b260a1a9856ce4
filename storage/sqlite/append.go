package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// intakeLog is the log that appends go to. There is one writer, so more would
// only cut each fold into smaller steps; the others hold what earlier releases
// left there until it is folded.
const intakeLog = 0

// appending is a batch on its way into the log.
type appending struct {
	body   []byte // nil: only see whether one could be written
	answer chan error
}

// appender collects the batches that wait for the journal.
type appender struct {
	mu      sync.Mutex
	waiting []appending
	bytes   int
	closed  bool
	wake    chan struct{}
	done    chan struct{}
}

func newAppender() *appender {
	return &appender{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// add queues a batch. limit bounds the bytes that may wait.
func (a *appender) add(p appending, limit int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return errClosed
	}
	if a.bytes > 0 && a.bytes+len(p.body) > limit {
		return errFull
	}
	a.waiting = append(a.waiting, p)
	a.bytes += len(p.body)
	signalTo(a.wake)
	return nil
}

// take removes what makes the next entry.
func (a *appender) take() (batch []appending, closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	bytes, n := 0, 0
	for n < len(a.waiting) && (n == 0 || bytes+len(a.waiting[n].body) <= maxTxBytes) {
		bytes += len(a.waiting[n].body)
		n++
	}
	batch = a.waiting[:n:n]
	if a.waiting = a.waiting[n:]; len(a.waiting) == 0 {
		a.waiting = nil
	}
	a.bytes -= bytes
	return batch, a.closed
}

func (a *appender) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	signalTo(a.wake)
}

func signalTo(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// appends is the appender's goroutine: what came while an entry was written
// makes the next one.
func (s *Store) appends() {
	defer close(s.appender.done)
	for {
		<-s.appender.wake
		for {
			runtime.Gosched() // POSTs that are ready to be appended share the fsync
			batch, closed := s.appender.take()
			if len(batch) == 0 {
				if closed {
					return
				}
				break
			}
			err := errClosed
			if !closed {
				err = s.journalize(batch)
			}
			for _, p := range batch {
				p.answer <- err
			}
		}
	}
}

// journalize writes one entry and makes it visible.
func (s *Store) journalize(batch []appending) error {
	body := batch[0].body
	if len(batch) > 1 {
		parts := make([][]byte, len(batch))
		for i := range batch {
			parts[i] = batch[i].body
		}
		body = bytes.Join(parts, nil)
	}
	if len(body) == 0 {
		return s.tryJournal()
	}
	failpoint.Hit("sqlite.append.before_write")
	offset, err := s.journal.Append(body)
	if err != nil {
		s.intakeTrouble.failed(s.logger, "cannot write to the intake log", err)
		return err
	}
	failpoint.Hit("sqlite.append.after_write")
	s.intakeTrouble.recovered(s.logger, "the intake log can be written again")
	m := &s.mem
	m.mu.Lock()
	m.logs[intakeLog].add(offset, body)
	m.mu.Unlock()
	m.unfolded.Add(int64(len(body)))
	s.hub.Send(incidents.Signal{Kind: incidents.SignalIntake, Shard: intakeLog})
	return nil
}

// tryJournal finds out whether an append that failed would go well now.
func (s *Store) tryJournal() error {
	if err := s.journal.Probe(); err != nil {
		s.intakeTrouble.failed(s.logger, "cannot write to the intake log", err)
		return err
	}
	s.intakeTrouble.recovered(s.logger, "the intake log can be written again")
	return nil
}

// Append implements storage.Intake.
func (s *Store) Append(ctx context.Context, b *incidents.Batch) error {
	const doing = "append to the intake log"
	if s.mem.unfolded.Load() > s.cfg.MaxUnfolded {
		return fault.Overloaded(doing)
	}
	if err := ctx.Err(); err != nil {
		return fault.Unavailable(doing, err)
	}
	p := appending{body: record.Batch(b), answer: make(chan error, 1)}
	if err := s.appender.add(p, s.cfg.MaxWaiting); err != nil {
		if errors.Is(err, errFull) {
			return fault.Overloaded(doing)
		}
		return fault.Unavailable(doing, err)
	}
	select {
	case err := <-p.answer:
		if err != nil {
			return fault.Unavailable(doing, err)
		}
		return nil
	case <-ctx.Done():
		return fault.Unavailable(doing, ctx.Err())
	}
}

// ReadLog implements storage.Intake.
func (s *Store) ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error) {
	const doing = "read the intake log"
	s.mem.mu.RLock()
	end := s.mem.logs[log].end
	recent, kept := s.mem.logs[log].after(after)
	s.mem.mu.RUnlock()
	p := portion{log: log, max: maxBytes}
	if kept {
		for _, body := range recent {
			after++
			if err := p.add(after, body); err != nil {
				return p.end(err)
			}
		}
		return p.entries, nil
	}
	if after < s.tables[log] {
		full := false
		err := s.read(ctx, doing, func(c *conn) error {
			return c.each(readEntries, func(row columns) error {
				err := p.add(numberOf(integer(row[0])), blob(row[1]))
				full = errors.Is(err, errStop)
				return err
			}, rowID(log, after), rowID(log, s.tables[log]))
		})
		if err != nil || full || log != intakeLog {
			return p.end(err)
		}
	}
	if log != intakeLog {
		return nil, nil
	}
	err := s.journal.Read(max(after, s.tables[log]), func(number int64, body []byte) error {
		if number > end { // it is not visible yet
			return errStop
		}
		return p.add(number, body)
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, fault.Unavailable(doing, err)
	}
	return p.entries, nil
}

// portion collects entries until they are enough.
type portion struct {
	log, bytes, max int
	entries         []incidents.Entry
}

func (p *portion) add(offset int64, body []byte) error {
	if len(p.entries) > 0 && p.bytes+len(body) > p.max {
		return errStop
	}
	p.bytes += len(body)
	batches, err := record.Batches(body)
	if err != nil {
		return fmt.Errorf("entry %d of log %d: %w", offset, p.log, err)
	}
	p.entries = append(p.entries, incidents.Entry{Offset: offset, Batches: batches})
	return nil
}

func (p *portion) end(err error) ([]incidents.Entry, error) {
	if err != nil && !errors.Is(err, errStop) {
		return nil, err
	}
	return p.entries, nil
}

// Mark implements storage.Intake.
func (s *Store) Mark(_ context.Context, shard, log int) (int64, error) {
	s.mem.mu.RLock()
	defer s.mem.mu.RUnlock()
	return s.mem.marks[markKey{shard, log}], nil
}
