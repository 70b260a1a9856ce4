package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// maxCommits is how many commits may be under way at once; more wait.
const maxCommits = 32

// slot lets one commit at a time be sent more than once and happen once: its
// number ascends, and the server remembers the last one that happened.
type slot struct {
	name   string
	number int64
}

// Commit implements storage.Effects.
func (s *Store) Commit(ctx context.Context, c *incidents.Commit) error {
	const doing = "commit"
	e, err := record.Encode(c, s.weights.of)
	if err == nil {
		err = e.Pack()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	var sl *slot
	select {
	case sl = <-s.slots:
	case <-ctx.Done():
		return fault.Unavailable(doing, ctx.Err())
	}
	defer func() { s.slots <- sl }()
	sl.number++
	signals := commitSignals(e)
	args, err := commitArgs(e, sl)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	args = append(args, s.channel(), s.message(signals...))
	failpoint.Hit("redis.commit.before_send")
	out, err := s.doTwice(ctx, doing, &call{script: commitScript, key: s.key(c.Shard), args: args})
	if err != nil {
		return err
	}
	failpoint.Hit("redis.commit.after_reply")
	answer := str(out)
	if answer == "again" { // the effect was asked for meanwhile: somebody has to hear of it
		signals = append(signals, incidents.Signal{Kind: incidents.SignalEffect, Shard: c.Shard, Lane: c.Done.Effect.Lane})
		answer = "ok"
	}
	switch answer {
	case "ok":
		s.weights.add(e)
		s.hub.Send(signals...)
		return nil
	case "once":
		return incidents.ErrOnce
	case "claim lost":
		return incidents.ErrClaimLost
	case "conflict":
		return incidents.ErrConflict
	}
	return fmt.Errorf("%s: unexpected reply %v", doing, out)
}

// commitArgs lays the commit out as scripts/commit.lua takes it.
func commitArgs(e *record.Encoded, sl *slot) ([]any, error) {
	args := []any{sl.name, sl.number, seenFor.Milliseconds()}
	once := ""
	if e.Once != "" {
		once = record.OnceKey(e.Once).String()
	}
	args = append(args, once, int64(record.OnceHours*time.Hour/time.Millisecond))
	if d := e.Done; d == nil {
		args = append(args, "", "", "", "")
	} else {
		letter, err := deadLetter(d)
		if err != nil {
			return nil, err
		}
		args = append(args, d.Effect.Key, d.Token, time.Now().UnixMicro(), letter)
	}
	if f := e.Fold; f == nil {
		args = append(args, "", "", "")
	} else {
		args = append(args, f.Log, f.From, f.To)
	}
	args = append(args, len(e.Changes))
	for i := range e.Changes {
		c := &e.Changes[i]
		args = append(args, int64(c.ID), c.Expect, c.Version, flag(c.Open), serviceKey(c.Service), c.Summary, c.Snapshot, len(c.Events))
		for _, body := range c.Events {
			args = append(args, body)
		}
	}
	args = append(args, len(e.Groups))
	for _, g := range e.Groups {
		args = append(args, g.Key[:], packIDs(g.Expect), packIDs(g.Next))
	}
	args = append(args, len(e.Effects))
	for i := range e.Effects {
		f := &e.Effects[i]
		args = append(args, f.Key, f.Lane, record.Urgency(f.Urgency), delay(f.Due), packEffect(f))
	}
	args = append(args, len(e.Facts))
	for _, body := range e.Facts {
		args = append(args, body)
	}
	return args, nil
}

func deadLetter(d *incidents.Claim) ([]byte, error) {
	if d.Dead == "" {
		return nil, nil
	}
	b, err := json.Marshal(&incidents.DeadLetter{Effect: d.Effect, Reason: d.Dead, Attempt: d.Attempt, At: time.Now().UTC()})
	if err != nil {
		return nil, fmt.Errorf("encode dead letter: %w", err)
	}
	return b, nil
}

// delay is how far off a moment is by our clock, in microseconds. The server
// adds it to its own: replicas whose clocks differ agree on what is due.
func delay(due time.Time) int64 {
	if due.IsZero() {
		return 0
	}
	return due.Round(0).Sub(time.Now().Round(0)).Microseconds()
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// serviceKey names a service in keys; "" for none.
func serviceKey(service string) string {
	if service == "" {
		return ""
	}
	return incidents.KeyOf("service", service).String()
}

func packIDs(ids []incidents.ID) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(int64(id), 10))
	}
	return b.String()
}

func unpackIDs(s string) ([]incidents.ID, error) {
	if s == "" {
		return nil, nil
	}
	var ids []incidents.ID
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("decode group %q: %w", s, err)
		}
		ids = append(ids, incidents.ID(n))
	}
	return ids, nil
}

func commitSignals(e *record.Encoded) []incidents.Signal {
	var signals []incidents.Signal
	for i := range e.Changes {
		signals = append(signals, incidents.Signal{Kind: incidents.SignalIncident, Shard: e.Shard, Incident: e.Changes[i].ID})
	}
	lanes := map[string]bool{}
	for i := range e.Effects {
		if lane := e.Effects[i].Lane; !lanes[lane] {
			lanes[lane] = true
			signals = append(signals, incidents.Signal{Kind: incidents.SignalEffect, Shard: e.Shard, Lane: lane})
		}
	}
	return signals
}

// weights remembers how heavy incidents are, to know when a snapshot is due.
// It may forget: then a snapshot is made.
type weights struct {
	mu sync.Mutex
	m  map[incidents.ID]weight
}

type weight struct {
	record.Weight
	version int64
}

const maxWeights = 1 << 16

func (w *weights) of(id incidents.ID, version int64) (record.Weight, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	got, ok := w.m[id]
	return got.Weight, ok && got.version == version
}

func (w *weights) set(id incidents.ID, to weight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.m == nil || len(w.m) >= maxWeights {
		w.m = map[incidents.ID]weight{}
	}
	w.m[id] = to
}

func (w *weights) add(e *record.Encoded) {
	for i := range e.Changes {
		c := &e.Changes[i]
		old, _ := w.of(c.ID, c.Expect)
		next := weight{Weight: record.Weight{Snapshot: old.Snapshot, Since: old.Since + c.Size}, version: c.Version}
		if c.Snapshot != nil {
			next.Weight = record.Weight{Snapshot: c.Full}
		}
		w.set(c.ID, next)
	}
}
