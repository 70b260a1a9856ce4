package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/broadcast"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// Config says where the store is. The zero values of all but URL are good.
type Config struct {
	URL    string // see parseURL
	Shards int    // 0: as the store was made, 16 for a new one
	Logger *slog.Logger
	Now    func() time.Time // the clock that Health holds against the server's; nil: time.Now

	MaxWaiting  int // bytes of appends that may wait to be sent; default 32 MiB
	MaxUnfolded int // entries of one log that may wait to be folded; default 50,000
}

// DefaultShards is how many shards a new store has.
const DefaultShards = 16

// MaxShards is the most a store can have: a byte says which.
const MaxShards = 254

// Schema is the version of everything the store holds: see record.
const Schema = record.Schema

// Store is the store in Redis.
type Store struct {
	cfg        Config
	target     *target
	client     redis.UniversalClient
	logger     *slog.Logger
	shards     atomic.Int64
	assumed    bool   // how many shards there are was not known when Open returned
	self       string // names this process among replicas and restarts
	hub        broadcast.Hub
	appender   *appender
	slots      chan *slot
	weights    weights
	shardOf    shardCache
	complaints complaints
	pressed    atomic.Bool  // the server's memory is nearly full
	highest    atomic.Int64 // number of an incident that the server has given out
	contact    atomic.Pointer[contact]
	outgrown   atomic.Int64 // the store's schema, since a newer release has raised it above ours
	stop       context.CancelFunc
	loops      sync.WaitGroup
	once       sync.Once
	mu         sync.Mutex // of the Health that is being made
}

// contact is how the first contact went. Before it nothing is done.
type contact struct {
	made  bool
	err   error
	final bool // trying again will not help
}

// Open opens the store. A URL that makes no sense, a store with another number
// of shards and one that a newer Hikeshi wrote are refused; a server that is
// away is not: the store opens and goes on trying.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	t, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if cfg.Shards < 0 || cfg.Shards > MaxShards {
		return nil, incidents.Fail(incidents.Invalid, "error.store_many_shards", fmt.Sprintf("a store has 1 to %d shards", MaxShards))
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxWaiting == 0 {
		cfg.MaxWaiting = 32 << 20
	}
	if cfg.MaxUnfolded == 0 {
		cfg.MaxUnfolded = 50_000
	}
	logging.Disable() // the client's own lines repeat, unbounded, what we say once
	s := &Store{cfg: cfg, target: t, client: redis.NewUniversalClient(&t.UniversalOptions), logger: cfg.Logger, self: rand.Text()}
	s.shards.Store(int64(cfg.Shards))
	if cfg.Shards == 0 {
		s.shards.Store(DefaultShards)
	}
	s.slots = make(chan *slot, maxCommits)
	for i := range maxCommits {
		s.slots <- &slot{name: s.self + ":" + strconv.Itoa(i)}
	}
	s.contact.Store(&contact{err: errors.New("not connected yet")})
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if c := s.meet(ctx); c.final {
		stop()
		return nil, errors.Join(c.err, s.client.Close())
	} else if !c.made {
		s.assumed = true
	}
	s.appender = newAppender(s)
	s.loops.Go(func() { s.meets(background) })
	s.loops.Go(func() { s.listens(background) })
	for range senders {
		s.loops.Go(func() { s.appender.sends(background) })
	}
	return s, nil
}

// meet makes the first contact: it learns or decides how many shards there are.
func (s *Store) meet(ctx context.Context) *contact {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	out, err := s.run(ctx, &call{script: aboutScript, key: s.metaKey(), args: []any{Schema, s.shards.Load(), s.wanted()}})
	c := &contact{made: err == nil, err: err}
	if err == nil {
		c = s.judge(list(out))
	}
	s.contact.Store(c)
	return c
}

// wanted is how many shards there must be; 0: it does not matter.
func (s *Store) wanted() int {
	if s.assumed {
		return s.Shards()
	}
	return s.cfg.Shards
}

func (s *Store) judge(about []any) *contact {
	schema, err1 := strconv.Atoi(str(at(about, 0)))
	shards, err2 := strconv.Atoi(str(at(about, 1)))
	where := strings.Join(s.target.Addrs, ",")
	switch {
	case err1 != nil || err2 != nil:
		return &contact{final: true, err: fmt.Errorf("%s does not say its schema and shards: %v", s.metaKey()+"about", about)}
	case schema > Schema:
		return &contact{final: true, err: fault.Schema(where, schema, Schema)}
	case s.cfg.Shards != 0 && shards != s.cfg.Shards:
		return &contact{final: true, err: fault.Shards(where, shards, s.cfg.Shards)}
	case s.assumed && int64(shards) != s.shards.Load():
		// Redis was away when we started, and everybody has been told another
		// number since: nothing may be written by it.
		return &contact{final: true, err: fault.Shards(where, shards, int(s.shards.Load()))}
	}
	s.shards.Store(int64(shards))
	return &contact{made: true}
}

// reconnectEvery bounds how long a server that came back waits for us.
const reconnectEvery = 3 * time.Second

// meets tries until there was a first contact. Afterwards the client's own
// pool reconnects.
func (s *Store) meets(ctx context.Context) {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, reconnectEvery) {
		c := s.contact.Load()
		if c.made {
			return
		}
		s.complaints.say(s, "contact", "connect to the store", c.err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + mathrand.N(wait/2)):
		}
		if s.meet(ctx).made {
			s.logger.Info("connected to the store", "shards", s.Shards())
			s.wakeAll()
		}
	}
}

// ready refuses work before the first contact, and in a store that a newer release has
// made its own since: what that one writes we would read wrongly, or write without what
// only it knows. It is not the sender's fault, and trying again reaches another process.
func (s *Store) ready(doing string) error {
	if schema := s.outgrown.Load(); schema > Schema {
		return fault.Unavailable(doing, fault.Schema(strings.Join(s.target.Addrs, ","), int(schema), Schema))
	}
	return s.connected(doing)
}

func (s *Store) connected(doing string) error {
	switch c := s.contact.Load(); {
	case c.made:
		return nil
	case c.final:
		return fmt.Errorf("%s: %w", doing, c.err)
	default:
		return fault.Unavailable(doing, c.err)
	}
}

// wakeAll tells this process to look at everything.
func (s *Store) wakeAll() {
	for shard := range s.Shards() {
		s.hub.Send(incidents.Signal{Kind: incidents.SignalIntake, Shard: shard})
	}
}

// Shards implements storage.Store. Where the configuration does not say and the
// server has not been reached yet, it is the default.
func (s *Store) Shards() int { return int(s.shards.Load()) }

// Watch implements storage.Store.
func (s *Store) Watch() (<-chan incidents.Signal, func()) { return s.hub.Watch() }

func (s *Store) key(shard int) string { return s.target.prefix + "{s" + strconv.Itoa(shard) + "}:" }

func (s *Store) metaKey() string { return s.target.prefix + "{meta}:" }

// Close implements storage.Upkeep.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		s.contact.Store(&contact{err: errClosed})
		s.appender.close()
		s.stop()
		err = s.client.Close()
		s.loops.Wait()
		s.hub.Close()
	})
	return err
}

var errClosed = errors.New("the store is closed")
