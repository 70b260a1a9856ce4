package redis

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// NewIDs implements storage.Store.
func (s *Store) NewIDs(ctx context.Context, shard, n int) (incidents.ID, error) {
	out, err := s.do(ctx, "number incidents", &call{script: idsScript, key: s.metaKey(), args: []any{n, shard}})
	failpoint.Hit("redis.ids.after_reply")
	first, _ := out.(int64)
	s.learn(first)
	return incidents.ID(first), err
}

// shardCache remembers which shard an incident lives in, a byte each: the
// shard plus one, 0 for unknown. It never changes once it is known.
type shardCache struct {
	mu    sync.RWMutex
	bytes []byte
}

// shardPage is how many incidents' shards one look asks for.
const shardPage = 4096

func (c *shardCache) get(id incidents.ID) (int, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if id <= 0 || int64(id) >= int64(len(c.bytes)) || c.bytes[id] == 0 {
		return 0, false
	}
	return int(c.bytes[id]) - 1, true
}

func (c *shardCache) put(from int64, page string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if need := from + int64(len(page)); need > int64(len(c.bytes)) {
		c.bytes = slices.Grow(c.bytes, int(need)-len(c.bytes))[:need]
	}
	copy(c.bytes[from:], page)
}

// shard finds where an incident lives. NotFound where nobody has numbered it.
func (s *Store) shard(ctx context.Context, doing string, id incidents.ID) (int, error) {
	if shard, ok := s.shardOf.get(id); ok {
		return shard, nil
	}
	if id <= 0 || id > math.MaxInt32 {
		return 0, fault.NoIncident(id)
	}
	if err := s.ready(doing); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	from := int64(id) / shardPage * shardPage
	page, err := s.client.GetRange(ctx, s.metaKey()+"shards", from, from+shardPage-1).Result()
	if err != nil {
		return 0, s.mean(doing, err)
	}
	s.shardOf.put(from, page)
	if shard, ok := s.shardOf.get(id); ok {
		return shard, nil
	}
	return 0, fault.NoIncident(id)
}

// Groups implements storage.Incidents.
func (s *Store) Groups(ctx context.Context, shard int, keys []incidents.Key) ([][]incidents.ID, error) {
	const doing = "look up groups"
	out := make([][]incidents.ID, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	if err := s.ready(doing); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	fields := make([]string, len(keys))
	for i := range keys {
		fields[i] = string(keys[i][:])
	}
	found, err := s.client.HMGet(ctx, s.key(shard)+"groups", fields...).Result()
	if err != nil {
		return nil, s.mean(doing, err)
	}
	for i, v := range found {
		if out[i], err = unpackIDs(str(v)); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
	return out, nil
}

// Load implements storage.Incidents.
func (s *Store) Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error) {
	doing := "load " + id.String()
	shard, err := s.shard(ctx, doing, id)
	if err != nil {
		return nil, err
	}
	out, err := s.do(ctx, doing, &call{script: loadScript, key: s.key(shard), args: []any{1, int64(id), 0}, read: true})
	if err != nil {
		return nil, err
	}
	st, err := s.stateOf(at(list(out), 0))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if st == nil {
		return nil, fault.NoIncident(id)
	}
	return st, nil
}

// stateOf makes an incident of one reply of scripts/load.lua; nil where there
// is none, or none that is news.
func (s *Store) stateOf(reply any) (*incidents.Incident, error) {
	parts := list(reply)
	if len(parts) == 0 {
		return nil, nil
	}
	version, snapshot, _ := strings.Cut(str(parts[0]), ":")
	if _, err := strconv.ParseInt(version, 10, 64); err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	full, err := record.Unfold([]byte(snapshot))
	if err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	events, err := unfolded(list(at(parts, 1)))
	if err != nil {
		return nil, err
	}
	w := weight{Weight: record.Weight{Snapshot: len(full)}}
	for _, e := range events {
		w.Since += len(e)
	}
	st, err := record.State(full, events)
	if err == nil {
		w.version = st.Version
		s.weights.set(st.ID, w)
	}
	return st, err
}

// LoadMany implements storage.Incidents.
func (s *Store) LoadMany(ctx context.Context, refs []incidents.Ref) ([]*incidents.Incident, error) {
	const doing = "load incidents"
	out := make([]*incidents.Incident, len(refs))
	byShard := map[int][]int{}
	for i, r := range refs {
		byShard[r.Shard] = append(byShard[r.Shard], i)
	}
	var calls []*call
	var wanted [][]int
	for shard, all := range byShard {
		for part := range slices.Chunk(all, loadAtOnce) {
			args := []any{len(part)}
			for _, i := range part {
				args = append(args, int64(refs[i].ID), refs[i].Known)
			}
			calls = append(calls, &call{script: loadScript, key: s.key(shard), args: args, read: true})
			wanted = append(wanted, part)
		}
	}
	if len(calls) == 0 {
		return out, nil
	}
	if err := s.all(ctx, doing, calls); err != nil {
		return nil, err
	}
	for n, c := range calls {
		replies := list(c.out)
		for j, i := range wanted[n] {
			var err error
			if out[i], err = s.stateOf(at(replies, j)); err != nil {
				return nil, fmt.Errorf("load %s: %w", refs[i].ID, err)
			}
		}
	}
	return out, nil
}

// loadAtOnce bounds how long one script keeps the server busy.
const loadAtOnce = 200

// Events implements storage.Incidents.
func (s *Store) Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error) {
	doing := "read the events of " + id.String()
	shard, err := s.shard(ctx, doing, id)
	if incidents.CodeOf(err) == incidents.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	key := s.key(shard) + "e:" + strconv.FormatInt(int64(id), 10)
	found, err := s.client.LRange(ctx, key, after, after+int64(record.Rows(max))-1).Result()
	if err != nil {
		return nil, s.mean(doing, err)
	}
	bodies, err := unfolded(found)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return record.Events(bodies)
}

// unfolded is what a list of events, strings all of them, holds.
func unfolded[T any](packed []T) ([][]byte, error) {
	events := make([][]byte, len(packed))
	for i := range packed {
		var err error
		if events[i], err = record.Unfold([]byte(str(packed[i]))); err != nil {
			return nil, fmt.Errorf("decode event: %w", err)
		}
	}
	return events, nil
}

// Facts implements storage.Store.
func (s *Store) Facts(ctx context.Context, shard int, after int64, max int) ([]incidents.Fact, error) {
	const doing = "read facts"
	if err := s.ready(doing); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	found, err := s.client.LRange(ctx, s.key(shard)+"facts", after, after+int64(record.Rows(max))-1).Result()
	if err != nil {
		return nil, s.mean(doing, err)
	}
	var facts []incidents.Fact
	for i, body := range found {
		facts = append(facts, record.Fact(after+int64(i)+1, []byte(body)))
	}
	return facts, nil
}

// List implements storage.Incidents: the newest numbers of every shard in one
// round trip, then the summaries of those that are on the page in a second.
func (s *Store) List(ctx context.Context, q incidents.Query) (incidents.Page, error) {
	const doing = "list incidents"
	if err := s.ready(doing); err != nil {
		return incidents.Page{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	page := incidents.Page{Incidents: []incidents.Summary{}}
	limit := record.Limit(q)
	found, open, err := s.numbers(ctx, q, limit+1)
	if err != nil {
		return incidents.Page{}, s.mean(doing, err)
	}
	page.Open = open
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1].id
	}
	if err := s.summaries(ctx, found, &page); err != nil {
		return incidents.Page{}, s.mean(doing, err)
	}
	return page, nil
}

type numbered struct {
	id    incidents.ID
	shard int
}

// numbers finds the highest numbers that fit the query, and counts all that
// are open.
func (s *Store) numbers(ctx context.Context, q incidents.Query, limit int) ([]numbered, int, error) {
	index := "all"
	switch {
	case q.Service != "" && q.Open:
		index = "svc:" + serviceKey(q.Service) + ":open"
	case q.Service != "":
		index = "svc:" + serviceKey(q.Service)
	case q.Open:
		index = "open"
	}
	below := "+inf"
	if q.Before > 0 {
		below = "(" + strconv.FormatInt(int64(q.Before), 10)
	}
	pipe := s.client.Pipeline()
	ids, counts := make([]*redis.StringSliceCmd, s.Shards()), make([]*redis.IntCmd, s.Shards())
	for shard := range ids {
		ids[shard] = pipe.ZRangeArgs(ctx, redis.ZRangeArgs{Key: s.key(shard) + index, Start: below, Stop: "-inf", ByScore: true, Rev: true, Count: int64(limit)})
		counts[shard] = pipe.ZCard(ctx, s.key(shard)+"open")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, 0, err
	}
	var found []numbered
	open := 0
	for shard := range ids {
		open += int(counts[shard].Val())
		for _, member := range ids[shard].Val() {
			id, err := strconv.ParseInt(member, 10, 64)
			if err != nil {
				return nil, 0, fmt.Errorf("decode number %q: %w", member, err)
			}
			found = append(found, numbered{incidents.ID(id), shard})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int { return int(b.id - a.id) })
	return found[:min(len(found), limit)], open, nil
}

func (s *Store) summaries(ctx context.Context, found []numbered, page *incidents.Page) error {
	if len(found) == 0 {
		return nil
	}
	pipe := s.client.Pipeline()
	cmds := make([]*redis.StringCmd, len(found))
	for i, n := range found {
		cmds[i] = pipe.HGet(ctx, s.key(n.shard)+"sums", strconv.FormatInt(int64(n.id), 10))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for _, c := range cmds {
		sum, err := record.Summary([]byte(c.Val()))
		if err != nil {
			return err
		}
		page.Incidents = append(page.Incidents, sum)
	}
	return nil
}
