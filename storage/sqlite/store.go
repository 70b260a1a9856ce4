package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/broadcast"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/journal"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// FileName is the database's name in the data directory.
const FileName = "hikeshi.db"

// Config says where the store is. The zero values of all but Dir are good.
type Config struct {
	Dir    string // the data directory; created where it is missing
	Shards int    // 0: as the store was made, 1 for a new one
	Logger *slog.Logger

	MaxWaiting  int   // bytes of appends that may wait to be written; default 32 MiB
	MaxUnfolded int64 // bytes of intake that may wait to be folded; default 1 GiB
	MaxKept     int64 // bytes of the file above which folded intake is pruned whatever its age; default 4 GiB
	MaxPages    int   // bounds the file, in pages of 4 KiB; 0: the disk does
}

// Store is the embedded store.
type Store struct {
	cfg     Config
	dir     string
	shards  int
	logger  *slog.Logger
	clock   clock
	root    *os.Root
	lock    io.Closer
	conn    *conn // the writer's
	readers chan *conn
	writer  writer
	mem     memory
	queue   *queue
	hub     broadcast.Hub
	keeper  *keeper
	trouble trouble // of the writer

	journal       *journal.Journal
	journalRoot   *os.Root
	appender      *appender
	intakeTrouble trouble
	created       bool    // by this Open
	tables        []int64 // the last entry of each log that an earlier release put into the database

	// The writer's own.
	walPages      int  // written since the write-ahead log began anew
	checkpointing bool // the keeper is at it

	done   chan struct{}
	once   sync.Once
	closed error
}

const readerCount = 4

// Open opens the store in cfg.Dir, or makes it. A directory that another
// process has, a store with another number of shards and one that a newer
// Hikeshi wrote are refused with an *incidents.Error that says what to do.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = 32 << 20
	}
	if cfg.MaxUnfolded == 0 {
		cfg.MaxUnfolded = 1 << 30
	}
	if cfg.MaxKept == 0 {
		cfg.MaxKept = 4 << 30
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	s := &Store{
		cfg: cfg, dir: dir, logger: cfg.Logger, clock: newClock(), queue: newQueue(),
		writer: writer{wake: make(chan struct{}, 1)}, readers: make(chan *conn, readerCount), keeper: newKeeper(), appender: newAppender(), done: make(chan struct{}),
	}
	for range readerCount {
		s.readers <- nil // opened by whoever needs it first
	}
	if err := s.open(ctx); err != nil {
		s.release()
		return nil, err
	}
	go s.writes()
	go s.appends()
	go s.keeps()
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	var err error
	if s.root, err = os.OpenRoot(s.dir); err != nil {
		return fmt.Errorf("open the data directory: %w", err)
	}
	if s.lock, err = lockDir(s.root, s.dir); err != nil {
		return err
	}
	if err := s.private(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, FileName)
	extra := []string{"wal_autocheckpoint(0)", "journal_size_limit(67108864)"}
	if s.cfg.MaxPages > 0 {
		extra = append(extra, fmt.Sprintf("max_page_count(%d)", s.cfg.MaxPages))
	}
	if err := s.openDatabase(ctx, dsn(path, writerCache, extra...)); err != nil {
		if corrupt(err) {
			return incidents.Fail(incidents.Unavailable, "error.store_damaged", fmt.Sprintf("the database %s is damaged: %v", path, err), "path", path, "error", err.Error()).
				WithHint("put the data directory back from a backup; to begin anew, take another data directory")
		}
		return err
	}
	return s.openJournal()
}

func (s *Store) openDatabase(ctx context.Context, dsn string) (err error) {
	if s.conn, err = openConn(dsn); err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.conn.script(auditSchema); err != nil {
		return fmt.Errorf("make the tables of the audit: %w", err)
	}
	if err := s.load(ctx); err != nil {
		return fmt.Errorf("read %s: %w", FileName, err)
	}
	return nil
}

// JournalDir is the intake log's directory in the data directory.
const JournalDir = "intake"

// openJournal opens the intake log after the last entry that is known of.
func (s *Store) openJournal() error {
	err := s.root.Mkdir(JournalDir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the directory of the intake log: %w", err)
	}
	if err == nil && !s.created && s.mem.marks[markKey{intakeLog, intakeLog}] > s.tables[intakeLog] {
		s.logger.Error("the directory of the intake log was gone; what was not folded is lost", "dir", filepath.Join(s.dir, JournalDir))
	}
	if s.journalRoot, err = s.root.OpenRoot(JournalDir); err != nil {
		return fmt.Errorf("open the directory of the intake log: %w", err)
	}
	l, mark := &s.mem.logs[intakeLog], s.mem.marks[markKey{intakeLog, intakeLog}]
	options := journal.Options{Least: l.end + 1, Segment: min(64<<20, max(s.cfg.MaxKept/4, 4<<10))}
	s.journal, err = journal.Open(s.journalRoot, options, mark, func(number, size int64) {
		l.waiting = append(l.waiting, entrySize{number, size})
		l.bytes += size
		s.mem.unfolded.Add(size)
	})
	if err != nil {
		return incidents.Fail(incidents.Unavailable, "error.intake_log", fmt.Sprintf("the intake log in %s cannot be read: %v", filepath.Join(s.dir, JournalDir), err),
			"dir", filepath.Join(s.dir, JournalDir), "error", err.Error()).
			WithHint("put that file back from a backup; to go on without what it holds, move it elsewhere and start again")
	}
	if s.created && s.journal.Next() > 1 {
		return incidents.Fail(incidents.Conflict, "error.store_emptied", "the database in "+s.dir+" is new, but its intake log is not: "+FileName+" was taken away or emptied", "dir", s.dir, "file", FileName).
			WithHint("put " + FileName + " back from a backup; to begin anew, take another data directory")
	}
	for _, gap := range s.journal.Missing {
		s.logger.Error("entries of the intake log are missing: a file of it was taken away; they are not folded", "first", gap.First, "last", gap.Last)
	}
	if s.journal.Cut > 0 {
		s.logger.Warn("the end of the intake log was not whole and was cut off: an append that was never finished and never answered, unless the file was damaged since", "bytes", s.journal.Cut)
	}
	l.end = s.journal.Next() - 1
	return nil
}

// private makes the file before SQLite does, so that nobody else may read it.
func (s *Store) private() error {
	f, err := s.root.OpenFile(FileName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

// prepare makes the tables of a new store and checks those of an old one.
func (s *Store) prepare() error {
	var version int64
	err := s.conn.each(tables, func(row columns) error { version = integer(row[0]); return errStop })
	if err != nil {
		return fmt.Errorf("look at the database: %w", err)
	}
	if version == 0 {
		s.shards, s.created = max(s.cfg.Shards, 1), true
		return s.create()
	}
	stored, err := s.meta("schema")
	if err != nil {
		return err
	}
	if stored > record.Schema {
		return fault.Schema(s.dir, int(stored), record.Schema)
	}
	shards, err := s.meta("shards")
	if err != nil {
		return err
	}
	if s.shards = int(shards); s.cfg.Shards != 0 && s.cfg.Shards != s.shards {
		return fault.Shards(s.dir, s.shards, s.cfg.Shards)
	}
	if err := s.conn.script(later); err != nil {
		return fmt.Errorf("make the tables that came later: %w", err)
	}
	if stored == record.Schema {
		return nil
	}
	if err := s.conn.script(fmt.Sprintf("UPDATE meta SET value = %d WHERE name = 'schema'", record.Schema)); err != nil {
		return fmt.Errorf("note the schema of this release: %w", err)
	}
	return nil
}

// MaxShards is the most a store can have.
const MaxShards = 255

func (s *Store) create() error {
	if s.shards > MaxShards {
		return incidents.Fail(incidents.Invalid, "error.store_many_shards", fmt.Sprintf("a store has 1 to %d shards", MaxShards), "max", strconv.Itoa(MaxShards))
	}
	err := s.conn.script(fmt.Sprintf("BEGIN IMMEDIATE; %s INSERT INTO meta VALUES ('schema', %d), ('shards', %d); COMMIT",
		schema+later, record.Schema, s.shards))
	if err != nil {
		_ = s.conn.exec(rollbackTx)
		return fmt.Errorf("make the tables: %w", err)
	}
	return nil
}

func (s *Store) meta(name string) (int64, error) {
	row, err := s.conn.one(getMeta, name)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	if row == nil {
		return 0, fmt.Errorf("%s is not a store of hikeshi: it says nothing of its %s", filepath.Join(s.dir, FileName), name)
	}
	return integer(row[0]), nil
}

// Shards implements storage.Store.
func (s *Store) Shards() int { return s.shards }

// Watch implements storage.Store.
func (s *Store) Watch() (<-chan incidents.Signal, func()) { return s.hub.Watch() }

// Lease implements storage.Effects: there is only one process.
func (s *Store) Lease(context.Context, string, string, time.Duration) (bool, error) { return true, nil }

// NewIDs implements storage.Store. Numbers that were given out and never
// committed before a crash are given out again: nobody has seen them.
func (s *Store) NewIDs(_ context.Context, _, n int) (incidents.ID, error) {
	return incidents.ID(s.mem.lastID.Add(int64(n)) - int64(n) + 1), nil
}

// read runs f with a connection that only reads.
func (s *Store) read(ctx context.Context, doing string, f func(c *conn) error) error {
	select {
	case c := <-s.readers:
		defer func() { s.readers <- c }()
		if c == nil {
			var err error
			if c, err = openConn(dsn(filepath.Join(s.dir, FileName), readerCache, "query_only(1)")); err != nil {
				return wrapRead(doing, err)
			}
		}
		return wrapRead(doing, f(c))
	case <-s.done:
		return fault.Unavailable(doing, errClosed)
	case <-ctx.Done():
		return fault.Unavailable(doing, ctx.Err())
	}
}

func wrapRead(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, meant := errors.AsType[*incidents.Error](err); meant {
		return err
	}
	return fault.Unavailable(doing, err)
}

// Close implements storage.Upkeep.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.appender.close()
		<-s.appender.done
		s.writer.close()
		<-s.done
		close(s.keeper.wake)
		<-s.keeper.done
		s.hub.Close()
		s.closed = s.release()
	})
	return s.closed
}

// release lets go of whatever is open.
func (s *Store) release() error {
	var errs []error
	for range readerCount { // waits for reads under way
		if c := <-s.readers; c != nil {
			errs = append(errs, c.close())
		}
	}
	if s.keeper.conn != nil {
		errs = append(errs, s.keeper.conn.close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	if s.journalRoot != nil {
		errs = append(errs, s.journalRoot.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.root != nil {
		errs = append(errs, s.root.Close())
	}
	return errors.Join(errs...)
}
