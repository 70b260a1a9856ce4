package sqlite

import (
	"context"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// appending is a batch on its way into a log. All that share a transaction and
// a log become one entry.
type appending struct {
	log  int
	body []byte
}

func (a *appending) size() int { return len(a.body) }

func (a *appending) apply(t *tx) (error, error) {
	e := t.logs[a.log]
	if e == nil {
		e = &stagedEntry{}
		t.logs[a.log] = e
	}
	e.body = append(e.body, a.body...)
	return nil, nil
}

// Append implements storage.Intake.
func (s *Store) Append(ctx context.Context, b *incidents.Batch) error {
	const doing = "append to the intake log"
	if s.mem.unfolded.Load() > s.cfg.MaxUnfolded {
		return fault.Overloaded(doing)
	}
	return s.submit(ctx, doing, &appending{log: record.Log(b, s.shards), body: record.Batch(b)}, s.cfg.MaxWaiting)
}

// ReadLog implements storage.Intake.
func (s *Store) ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error) {
	const doing = "read the intake log"
	s.mem.mu.RLock()
	end := s.mem.logs[log].end
	s.mem.mu.RUnlock()
	if after >= end {
		return nil, nil
	}
	var entries []incidents.Entry
	err := s.read(ctx, doing, func(c *conn) error {
		bytes := 0
		return c.each(readEntries, func(row columns) error {
			body := blob(row[1])
			if len(entries) > 0 && bytes+len(body) > maxBytes {
				return errStop
			}
			bytes += len(body)
			batches, err := record.Batches(body)
			if err != nil {
				return fmt.Errorf("entry %d of log %d: %w", numberOf(integer(row[0])), log, err)
			}
			entries = append(entries, incidents.Entry{Offset: numberOf(integer(row[0])), Batches: batches})
			return nil
		}, rowID(log, after), rowID(log, end))
	})
	return entries, err
}

// Mark implements storage.Intake.
func (s *Store) Mark(_ context.Context, shard, log int) (int64, error) {
	s.mem.mu.RLock()
	defer s.mem.mu.RUnlock()
	return s.mem.marks[markKey{shard, log}], nil
}
