package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// room says in which shard a room is kept, and under which name.
func (s *Store) room(name string) (shardKey, room string) {
	k := incidents.KeyOf("room", name)
	return s.key(k.Shard(s.Shards())), k.String()
}

var errNoRoom = errors.New("a posting needs a room and a key")

// Post implements storage.Rooms.
func (s *Store) Post(ctx context.Context, room, key string, body []byte, at time.Time) (incidents.Posting, error) {
	const doing = "post to a room"
	if room == "" || key == "" {
		return incidents.Posting{}, errNoRoom
	}
	packed, err := record.PackPosting(body)
	if err != nil {
		return incidents.Posting{}, fmt.Errorf("%s: %w", doing, err)
	}
	shard, name := s.room(room)
	sig := incidents.Signal{Kind: incidents.SignalRoom, Room: room}
	failpoint.Hit("redis.post.before_send")
	out, err := s.doTwice(ctx, doing, &call{script: postScript, key: shard, args: []any{
		name, key, at.UnixNano(), packed, s.channel(), s.message(sig),
	}})
	failpoint.Hit("redis.post.after_reply")
	if err != nil {
		return incidents.Posting{}, err
	}
	p, err := postingOf(room, list(out))
	if err != nil {
		return p, fmt.Errorf("%s: %w", doing, err)
	}
	p.Body = bytes.Clone(body)
	s.hub.Send(sig)
	return p, nil
}

// postingOf reads a place and rev|at|edited|bytes of key|key body, as it is kept.
func postingOf(room string, row []any) (incidents.Posting, error) {
	value := str(at(row, 1))
	parts := strings.SplitN(value, "|", 5)
	if len(parts) != 5 {
		return incidents.Posting{}, fmt.Errorf("decode posting of %d bytes", len(value))
	}
	var n [5]int64
	for i, text := range []string{str(at(row, 0)), parts[0], parts[1], parts[2], parts[3]} {
		var err error
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return incidents.Posting{}, fmt.Errorf("decode posting: %w", err)
		}
	}
	if n[4] < 0 || n[4] > int64(len(parts[4])) {
		return incidents.Posting{}, fmt.Errorf("decode posting: its key has %d bytes", n[4])
	}
	p := incidents.Posting{
		Room: room, Key: parts[4][:n[4]], Seq: n[0], Rev: n[1], At: time.Unix(0, n[2]).UTC(), Body: []byte(parts[4][n[4]:]),
	}
	if n[3] != 0 {
		p.Edited = time.Unix(0, n[3]).UTC()
	}
	return p, nil
}

// Postings implements storage.Rooms.
func (s *Store) Postings(ctx context.Context, room string, afterRev int64, max int) ([]incidents.Posting, error) {
	return s.postings(ctx, room, "rev", afterRev, max)
}

// LastPostings implements storage.Rooms.
func (s *Store) LastPostings(ctx context.Context, room string, beforeSeq int64, max int) ([]incidents.Posting, error) {
	return s.postings(ctx, room, "seq", beforeSeq, max)
}

func (s *Store) postings(ctx context.Context, room, by string, bound int64, max int) ([]incidents.Posting, error) {
	const doing = "read a room"
	shard, name := s.room(room)
	out, err := s.do(ctx, doing, &call{script: postingsScript, key: shard, args: []any{name, by, bound, record.Rows(max)}, read: true})
	if err != nil {
		return nil, err
	}
	found := []incidents.Posting{}
	for _, row := range list(out) {
		p, err := postingOf(room, list(row))
		if err == nil {
			p.Body, err = record.Posting(p.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		found = append(found, p)
	}
	return found, nil
}
