package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// pruneStep is how many entries one script trims.
const pruneStep = 1000

// Prune implements storage.Upkeep. Once names end by themselves, by the
// server's clock. Where memory is short, folded intake goes whatever its age.
func (s *Store) Prune(ctx context.Context, keep time.Duration) (int, error) {
	if s.pressed.Load() {
		keep = 0
	}
	total := 0
	for shard := range s.Shards() {
		for {
			out, err := s.do(ctx, "prune", &call{script: pruneScript, key: s.key(shard), args: []any{keep.Microseconds(), pruneStep}})
			failpoint.Hit("redis.prune.after_reply")
			if err != nil {
				return total, err
			}
			n, _ := out.(int64)
			if total += int(n); n == 0 {
				break
			}
		}
	}
	return total, nil
}

// oldest is the oldest server that has all we use (scripts that may ask the
// time before they write, ZRANGE BYSCORE): Redis 7.0.
const oldest = 7

// pressure is the part of maxmemory, or where there is none of the machine's
// memory, above which intake is refused.
const pressure = 0.8

// Health implements storage.Upkeep (R2): what the server says of itself, node
// by node in a Cluster. Reasons:
//
//	store.away        it does not answer, or refuses to
//	store.no_aof      appendonly is off: a crash loses everything since the last dump
//	store.fsync       appendfsync is not always: a crash loses acknowledged writes
//	store.evicts      maxmemory-policy evicts keys: incidents may vanish
//	store.replica     it is a replica: it cannot be written
//	store.old         it is older than Redis 7.0
//	store.disk        its last write to the append-only file failed
//	store.memory      more than 80 % of its memory is used: intake is refused
//	store.rolled_back it knows less than it has told us: it lost data
//	store.newer       a newer release has begun to write it: nothing is done there any more
//	store.hidden      it does not let us see its configuration (CONFIG GET)
//	store.no_password anybody on the network can write to it
//
// It also holds our clock against the server's (ClockOff), in a Cluster against the one
// that differs most.
func (s *Store) Health(ctx context.Context) incidents.Health {
	h := incidents.Health{Kind: "redis", Durable: true}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	err := s.connected("look at the store")
	if err == nil {
		err = s.eachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return s.examine(ctx, node, &h)
		})
		s.press(h.Problems, err == nil)
	}
	if err == nil {
		err = s.compare(ctx, &h)
	}
	if err != nil {
		h.Durable = false
		h.Problems = append(h.Problems, awayBecause(err))
	}
	if s.target.open {
		h.Problems = append(h.Problems, incidents.Because("store.no_password"))
	}
	return h
}

// press notes whether any server's memory is nearly full. Where not all have been
// looked at, one that was is not taken to have room again.
func (s *Store) press(problems []incidents.Reason, all bool) {
	full := slices.ContainsFunc(problems, func(p incidents.Reason) bool { return p.Phrase == "store.memory" })
	if full || all {
		s.pressed.Store(full)
	}
}

// compare looks for a roll-back (R17): a server that came back from an older
// copy of itself, or that was emptied, has numbered fewer incidents than it told
// us, or no longer knows what store it is. It also sees that a newer release has come.
func (s *Store) compare(ctx context.Context, h *incidents.Health) error {
	got, err := s.client.MGet(ctx, s.metaKey()+"ids").Result()
	if err != nil {
		return err
	}
	schema, err := s.client.HGet(ctx, s.metaKey()+"about", "schema").Int64()
	known := !errors.Is(err, redis.Nil)
	if err != nil && known {
		return err
	}
	s.outgrown.Store(schema)
	if h.Newer = schema > Schema; h.Newer {
		h.Durable = false
		h.Problems = append(h.Problems, incidents.Because("store.newer", "stored", strconv.FormatInt(schema, 10), "known", strconv.Itoa(Schema)))
	}
	if has := number(got[0]); !known || has < s.highest.Load() {
		h.Durable = false
		h.Problems = append(h.Problems, incidents.Because("store.rolled_back", "has", strconv.FormatInt(has, 10), "had", strconv.FormatInt(s.highest.Load(), 10)))
	} else {
		s.learn(has)
	}
	return nil
}

// learn remembers the highest number seen.
func (s *Store) learn(id int64) {
	for old := s.highest.Load(); id > old && !s.highest.CompareAndSwap(old, id); old = s.highest.Load() {
	}
}

func awayBecause(err error) incidents.Reason {
	if final, ok := errors.AsType[*incidents.Error](err); ok && final.Code == incidents.Invalid {
		return incidents.Because("store.refused", "error", final.Message)
	}
	return incidents.Because("store.away", "error", rootMessage(err))
}

// rootMessage is the innermost cause, without what we were doing.
func rootMessage(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, "not available: "); i >= 0 {
		return text[i+len("not available: "):]
	}
	return text
}

func (s *Store) eachMaster(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch c := s.client.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, f)
	case *redis.Client:
		return f(ctx, c)
	}
	return fmt.Errorf("unexpected client %T", s.client)
}

// skew is how far our clock is ahead of a server's, at the least: it said its time at some
// moment between before and after, so half of the way is what nobody knows.
func skew(before, server, after time.Time) time.Duration {
	half := after.Sub(before) / 2
	off := before.Add(half).Sub(server)
	return max(off-half, 0) + min(off+half, 0)
}

// examine looks at one node.
func (s *Store) examine(ctx context.Context, node *redis.Client, h *incidents.Health) error {
	before := s.cfg.Now()
	server, err := node.Time(ctx).Result()
	if err != nil {
		return err
	}
	off := skew(before, server, s.cfg.Now())
	text, err := node.Info(ctx).Result()
	if err != nil {
		return err
	}
	info := fields(text)
	settings := map[string]string{"appendfsync": "", "appendonly": "", "maxmemory-policy": info["maxmemory_policy"]}
	for name := range settings {
		got, err := node.ConfigGet(ctx, name).Result()
		if err == nil && got[name] != "" {
			settings[name] = got[name]
		}
	}
	s.mu.Lock() // ForEachMaster looks at several nodes at once
	defer s.mu.Unlock()
	if h.ClockSeen = true; off.Abs() > h.ClockOff.Abs() {
		h.ClockOff = off
	}
	s.judgeDurable(info, settings, h)
	s.judgeUsable(info, settings, h)
	return nil
}

func (s *Store) judgeDurable(info, settings map[string]string, h *incidents.Health) {
	unsafe := func(phrase string, args ...string) {
		h.Durable = false
		h.Problems = append(h.Problems, incidents.Because(phrase, args...))
	}
	switch fsync := settings["appendfsync"]; {
	case info["aof_enabled"] != "1" && settings["appendonly"] != "yes":
		unsafe("store.no_aof")
	case fsync == "":
		unsafe("store.hidden")
	case fsync != "always":
		unsafe("store.fsync", "value", fsync)
	}
	if policy := settings["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		unsafe("store.evicts", "policy", policy)
	}
	if info["aof_enabled"] == "1" && info["aof_last_write_status"] != "ok" {
		unsafe("store.disk")
	}
}

func (s *Store) judgeUsable(info, settings map[string]string, h *incidents.Health) {
	trouble := func(phrase string, args ...string) {
		h.Problems = append(h.Problems, incidents.Because(phrase, args...))
	}
	if info["role"] != "master" {
		h.Durable = false
		trouble("store.replica")
	}
	version := info["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		trouble("store.old", "version", version)
	}
	used, err1 := strconv.ParseFloat(info["used_memory"], 64)
	limit, err2 := strconv.ParseFloat(info["maxmemory"], 64)
	if limit == 0 {
		limit, err2 = strconv.ParseFloat(info["total_system_memory"], 64)
	}
	if err1 == nil && err2 == nil && limit > 0 && used > pressure*limit {
		trouble("store.memory", "percent", strconv.Itoa(int(100*used/limit)))
	}
}

// fields reads the name:value lines of INFO.
func fields(text string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[name] = value
		}
	}
	return m
}
