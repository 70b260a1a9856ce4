package sqlite

import (
	"context"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// The write-ahead log has to be carried over into the database file now and
// then, a few megabytes at a time. SQLite would do that within whichever commit
// comes next, and everybody would wait for it; here a goroutine with its own
// connection carries over the bulk while commits go on, and the writer only
// the rest, so that the log starts anew.
const (
	checkpointPages = 1000   // 4 MiB
	forcePages      = 32_000 // 128 MiB: the writer waits for the whole of it
)

// keeper is the goroutine.
type keeper struct {
	conn  *conn // opened at the first need
	wake  chan struct{}
	ready chan struct{} // the bulk is over; the rest is the writer's
	done  chan struct{}
}

func newKeeper() *keeper {
	return &keeper{wake: make(chan struct{}, 1), ready: make(chan struct{}, 1), done: make(chan struct{})}
}

// keeps ends when wake is closed. Between checkpoints it sees to the attempts of
// effects that take long.
func (s *Store) keeps() {
	defer close(s.keeper.done)
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.noteAttempts(context.Background())
		case _, open := <-s.keeper.wake:
			if !open {
				return
			}
			if err := s.keeper.carry(filepath.Join(s.dir, FileName)); err != nil {
				s.logger.Warn("cannot carry the write-ahead log over", "error", err)
			}
			select {
			case s.keeper.ready <- struct{}{}:
			default:
			}
		}
	}
}

func (k *keeper) carry(path string) (err error) {
	if k.conn == nil {
		if k.conn, err = openConn(dsn(path, readerCache, "wal_autocheckpoint(0)")); err != nil {
			return err
		}
	}
	_, err = k.conn.checkpoint()
	return err
}

// checkpoint carries over what it can without waiting for anybody, and says
// whether that was all.
func (c *conn) checkpoint() (all bool, err error) {
	row, err := c.one(checkpointWAL)
	if err != nil {
		return false, err
	}
	return integer(row[0]) == 0 && integer(row[1]) == integer(row[2]), nil
}

// afterCommit is the writer's part.
func (s *Store) afterCommit() {
	if n, _, err := s.conn.raw.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true); err == nil {
		s.walPages += n
	}
	select {
	case <-s.keeper.ready:
		s.checkpointing = false
		s.finishCheckpoint()
	default:
		switch {
		case s.walPages >= forcePages && !s.checkpointing:
			s.finishCheckpoint()
		case s.walPages >= checkpointPages && !s.checkpointing:
			s.checkpointing = true
			s.keeper.wake <- struct{}{}
		}
	}
}

// finishCheckpoint carries over the rest. Where a reader still needs the log,
// it goes on growing until the next time.
func (s *Store) finishCheckpoint() {
	started := time.Now()
	all, err := s.conn.checkpoint()
	if err != nil {
		s.logger.Warn("cannot carry the write-ahead log over", "error", err, "took", time.Since(started))
	}
	if all {
		s.walPages = 0
	}
}
