package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// pruning drops up to a thousand old entries of one log, or old once names.
type pruning struct {
	log    int
	before int64 // ns: only what is older
	once   bool
	limit  int64 // bytes: above it age does not matter
	gone   int
}

func (p *pruning) size() int { return 64 }

func (p *pruning) apply(t *tx) (error, error) {
	var err error
	if p.once {
		err = p.names(t)
	} else {
		err = p.entries(t)
	}
	failpoint.Hit("sqlite.prune.after_write")
	return nil, err
}

func (p *pruning) entries(t *tx) error {
	mark, before := t.mark(markKey{p.log, p.log}), p.before
	if used, err := t.c.used(); err != nil {
		return err
	} else if used > p.limit {
		before = math.MaxInt64
	}
	row, err := t.c.one(oldEntries, rowID(p.log, 0), rowID(p.log, mark), before)
	if err != nil || integer(row[0]) == 0 {
		return err
	}
	p.gone = int(integer(row[0]))
	return t.c.exec(deleteEntries, rowID(p.log, 0), integer(row[1]))
}

// used is how many bytes of the file hold something.
func (c *conn) used() (int64, error) {
	pages, err := c.one(pageCount)
	if err != nil {
		return 0, err
	}
	free, err := c.one(freePages)
	if err != nil {
		return 0, err
	}
	return (integer(pages[0]) - integer(free[0])) * pageSize, nil
}

// pageSize is SQLite's default.
const pageSize = 4096

func (p *pruning) names(t *tx) error {
	var rows []int64
	err := t.c.each(oldOnce, func(row columns) error {
		rows = append(rows, integer(row[0]))
		t.forget = append(t.forget, shardKey{incidents.Key(blob(row[2])), uint16(integer(row[1]))})
		return nil
	}, p.before)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := t.c.exec(deleteOnce, row); err != nil {
			return err
		}
	}
	p.gone = len(rows)
	return nil
}

// folded is the last entry of the intake log that every shard has folded.
func (s *Store) folded() int64 {
	s.mem.mu.RLock()
	defer s.mem.mu.RUnlock()
	return s.mem.marks[markKey{intakeLog, intakeLog}]
}

// Prune implements storage.Upkeep. In a file larger than Config.MaxKept folded
// intake goes whatever its age.
func (s *Store) Prune(ctx context.Context, keep time.Duration) (int, error) {
	total, err := s.journal.Prune(s.folded(), time.Now().Add(-keep), s.cfg.MaxKept)
	if err != nil {
		return total, fault.Unavailable("prune", err)
	}
	work := []pruning{{once: true, before: time.Now().Add(-record.OnceHours * time.Hour).UnixNano()}}
	for log := range s.shards {
		work = append(work, pruning{log: log, before: time.Now().Add(-keep).UnixNano(), limit: s.cfg.MaxKept})
	}
	for _, w := range work {
		for {
			p := w
			if err := s.submit(ctx, "prune", &p, 0); err != nil {
				return total, err
			}
			if p.gone == 0 {
				break
			}
			total += p.gone
		}
	}
	return total, nil
}

// probing writes 256 KiB, or takes them away again: enough to know that there
// is room for more than the crumbs that a full disk still has.
type probing struct{ q query }

func (probing) size() int { return 256 << 10 }

func (p probing) apply(t *tx) (error, error) { return nil, t.c.exec(p.q) }

// Health implements storage.Upkeep. While writes fail it tries one, so that
// readiness comes back even when nobody writes because we are not ready.
func (s *Store) Health(ctx context.Context) incidents.Health {
	h := incidents.Health{Kind: "sqlite", Durable: true}
	if s.trouble.now.Load() != nil {
		s.probe(ctx)
	}
	if s.intakeTrouble.now.Load() != nil {
		s.probeIntake(ctx)
	}
	for _, f := range []*failing{s.trouble.now.Load(), s.intakeTrouble.now.Load()} {
		if f == nil {
			continue
		}
		h.Durable = false
		since := f.since.UTC().Format(time.RFC3339)
		if noRoom(f.err) {
			h.Problems = append(h.Problems, incidents.Because("store.disk_full", "dir", s.dir, "since", since))
			break // both are on one disk
		}
		h.Problems = append(h.Problems, incidents.Because("store.failing", "error", f.err.Error(), "since", since))
	}
	return h
}

// probe tries to write; how it went stands in trouble.
func (s *Store) probe(ctx context.Context) {
	for _, q := range []query{fillProbe, emptyProbe} {
		if s.submit(ctx, "probe", probing{q}, 0) != nil {
			return
		}
	}
}

// probeIntake has the appender try the intake log; how it went stands in
// intakeTrouble. While it fails nobody appends, since we are not ready.
func (s *Store) probeIntake(ctx context.Context) {
	p := appending{answer: make(chan error, 1)}
	if s.appender.add(p, s.cfg.MaxWaiting) != nil {
		return
	}
	select {
	case <-p.answer:
	case <-ctx.Done():
	}
}
