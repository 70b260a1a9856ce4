package sqlite

import (
	"context"
	"errors"
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
	e.parts = append(e.parts, a.body)
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
	err := s.read(ctx, doing, func(c *conn) error {
		return c.each(readEntries, func(row columns) error {
			return p.add(numberOf(integer(row[0])), blob(row[1]))
		}, rowID(log, after), rowID(log, end))
	})
	return p.end(err)
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
