package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

const (
	defaultLease = 30 * time.Second
	doingClaim   = "claim effects"
)

// Claim implements storage.Effects: one round trip for one shard; for all of
// them one that looks and, where something is due, one for each shard that has
// it.
func (s *Store) Claim(ctx context.Context, q incidents.ClaimQuery) ([]incidents.Claim, time.Time, error) {
	q.Max = max(q.Max, 1)
	if q.Lease <= 0 {
		q.Lease = defaultLease
	}
	if q.Shard == incidents.AnyShard {
		return s.claimAny(ctx, q)
	}
	out, err := s.do(ctx, doingClaim, &call{script: claimScript, key: s.key(q.Shard), args: []any{
		q.Lane, q.Max, q.Lease.Microseconds(), strings.ReplaceAll(q.Owner, "|", "_"),
	}})
	failpoint.Hit("redis.claim.after_reply")
	if err != nil {
		return nil, time.Time{}, err
	}
	reply := list(out)
	var claims []incidents.Claim
	for _, v := range list(at(reply, 2)) {
		c, before, err := claimOf(q.Shard, q.Lane, list(v))
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("%s: %w", doingClaim, err)
		}
		if before != "" {
			s.logger.Info("the claim of an effect ran out", "effect", c.Effect.Key, "owner", before, "attempt", c.Attempt)
		}
		claims = append(claims, c)
	}
	return claims, nextOf(reply), nil
}

// nextOf is when something becomes due, by our clock: the reply begins with the
// server's time and that moment by it.
func nextOf(reply []any) time.Time {
	now, err1 := strconv.ParseInt(str(at(reply, 0)), 10, 64)
	next, err2 := strconv.ParseInt(str(at(reply, 1)), 10, 64)
	if err1 != nil || err2 != nil || next == 0 {
		return time.Time{}
	}
	return time.Now().Round(0).Add(time.Duration(next-now) * time.Microsecond)
}

// claimOf reads key, token, attempt, urgency, owner before, body.
func claimOf(shard int, lane string, v []any) (c incidents.Claim, before string, err error) {
	if c.Effect, err = unpackEffect(str(at(v, 5))); err != nil {
		return c, "", fmt.Errorf("decode effect %q: %w", str(at(v, 0)), err)
	}
	c.Effect.Key, c.Effect.Shard, c.Effect.Lane = str(at(v, 0)), shard, lane
	if c.Token, err = strconv.ParseInt(str(at(v, 1)), 10, 64); err != nil {
		return c, "", fmt.Errorf("decode token: %w", err)
	}
	if c.Attempt, err = strconv.Atoi(str(at(v, 2))); err != nil {
		return c, "", fmt.Errorf("decode attempt: %w", err)
	}
	c.Effect.Urgency, err = strconv.Atoi(str(at(v, 3)))
	return c, str(at(v, 4)), err
}

// packEffect writes kind|incident|due|arg: what the queue itself does not say.
func packEffect(f *incidents.Effect) string {
	due := int64(0)
	if !f.Due.IsZero() {
		due = f.Due.UnixNano()
	}
	return string(f.Kind) + "|" + strconv.FormatInt(int64(f.Incident), 10) + "|" + strconv.FormatInt(due, 10) + "|" + f.Arg
}

func unpackEffect(body string) (f incidents.Effect, err error) {
	parts := strings.SplitN(body, "|", 4)
	if len(parts) != 4 {
		return f, fmt.Errorf("%d parts", len(parts))
	}
	id, err1 := strconv.ParseInt(parts[1], 10, 64)
	due, err2 := strconv.ParseInt(parts[2], 10, 64)
	f.Kind, f.Incident, f.Arg = incidents.EffectKind(parts[0]), incidents.ID(id), parts[3]
	if due != 0 {
		f.Due = time.Unix(0, due).UTC()
	}
	return f, errors.Join(err1, err2)
}

func (s *Store) claimAny(ctx context.Context, q incidents.ClaimQuery) ([]incidents.Claim, time.Time, error) {
	calls := make([]*call, s.Shards())
	for shard := range calls {
		calls[shard] = &call{script: dueScript, key: s.key(shard), args: []any{q.Lane}, read: true}
	}
	if err := s.all(ctx, doingClaim, calls); err != nil {
		return nil, time.Time{}, err
	}
	var claims []incidents.Claim
	var next time.Time
	for shard, c := range calls {
		reply := list(c.out)
		first := nextOf(reply)
		if str(at(reply, 2)) != "0" && len(claims) < q.Max {
			one := q
			one.Shard, one.Max = shard, q.Max-len(claims)
			more, then, err := s.Claim(ctx, one)
			if err != nil {
				if len(claims) > 0 {
					break // what we have is ours
				}
				return nil, time.Time{}, err
			}
			claims, first = append(claims, more...), then
		}
		if !first.IsZero() && (next.IsZero() || first.Before(next)) {
			next = first
		}
	}
	return claims, next, nil
}

// Extend implements storage.Effects.
func (s *Store) Extend(ctx context.Context, c *incidents.Claim, lease time.Duration) error {
	return s.settle(ctx, "extend the claim of "+c.Effect.Key, &call{script: extendScript, key: s.key(c.Effect.Shard), args: []any{
		c.Effect.Key, c.Token, lease.Microseconds(),
	}})
}

// Retry implements storage.Effects.
func (s *Store) Retry(ctx context.Context, c *incidents.Claim, due time.Time, _ string) error {
	sig := incidents.Signal{Kind: incidents.SignalEffect, Shard: c.Effect.Shard, Lane: c.Effect.Lane}
	err := s.settle(ctx, "put back "+c.Effect.Key, &call{script: retryScript, key: s.key(c.Effect.Shard), args: []any{
		c.Effect.Key, c.Token, delay(due), s.channel(), s.message(sig),
	}})
	failpoint.Hit("redis.retry.after_reply")
	if err == nil {
		s.hub.Send(sig)
	}
	return err
}

func (s *Store) settle(ctx context.Context, doing string, c *call) error {
	out, err := s.do(ctx, doing, c)
	if err == nil && str(out) == "claim lost" {
		return incidents.ErrClaimLost
	}
	return err
}

// Lease implements storage.Effects. The server's clock judges.
func (s *Store) Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	out, err := s.do(ctx, "lease "+name, &call{script: leaseScript, key: s.metaKey(), args: []any{
		incidents.KeyOf("lease", name).String(), owner, max(ttl.Milliseconds(), 1),
	}})
	failpoint.Hit("redis.lease.after_reply")
	held, _ := out.(int64)
	return held == 1, err
}

// DeadLetters implements storage.DeadLetterBox.
func (s *Store) DeadLetters(ctx context.Context, max int) ([]incidents.DeadLetter, error) {
	const doing = "read dead letters"
	limit := record.Rows(max)
	calls := make([]*call, s.Shards())
	for shard := range calls {
		calls[shard] = &call{script: deadScript, key: s.key(shard), args: []any{limit}, read: true}
	}
	if err := s.all(ctx, doing, calls); err != nil {
		return nil, err
	}
	letters := []incidents.DeadLetter{}
	for _, c := range calls {
		for _, v := range list(c.out) {
			var l incidents.DeadLetter
			if err := json.Unmarshal([]byte(str(v)), &l); err != nil {
				return nil, fmt.Errorf("decode dead letter: %w", err)
			}
			letters = append(letters, l)
		}
	}
	slices.SortStableFunc(letters, func(a, b incidents.DeadLetter) int { return b.At.Compare(a.At) })
	return letters[:min(len(letters), limit)], nil
}

// Redrive implements storage.DeadLetterBox. Which shard a key lives in is not
// known: the letter is looked for in all of them, and put back where it is.
func (s *Store) Redrive(ctx context.Context, key string) error {
	doing := "redrive " + key
	letters, err := s.DeadLetters(ctx, record.MaxRows)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(letters, func(l incidents.DeadLetter) bool { return l.Effect.Key == key })
	if at < 0 {
		return fault.NoDeadLetter(key)
	}
	f := letters[at].Effect
	sig := incidents.Signal{Kind: incidents.SignalEffect, Shard: f.Shard, Lane: f.Lane}
	out, err := s.do(ctx, doing, &call{script: redriveScript, key: s.key(f.Shard), args: []any{
		key, s.channel(), s.message(sig), f.Lane, record.Urgency(f.Urgency), packEffect(&f),
	}})
	failpoint.Hit("redis.redrive.after_reply")
	if err != nil {
		return err
	}
	if str(out) == "" {
		return fault.NoDeadLetter(key)
	}
	s.hub.Send(sig)
	return nil
}

// Backlog implements storage.Upkeep.
func (s *Store) Backlog(ctx context.Context) (incidents.Backlog, error) {
	b := incidents.Backlog{Lanes: map[string]incidents.LaneBacklog{}}
	calls := make([]*call, s.Shards())
	for shard := range calls {
		calls[shard] = &call{script: backlogScript, key: s.key(shard), read: true}
	}
	if err := s.all(ctx, "look at the backlog", calls); err != nil {
		return b, err
	}
	for _, c := range calls {
		reply := list(c.out)
		b.Unfolded += number(at(reply, 1))
		b.Dead += int(number(at(reply, 2)))
		for _, v := range list(at(reply, 3)) {
			row := list(v)
			l := b.Lanes[str(at(row, 0))]
			held := int(number(at(row, 2)))
			l.Claimed += held
			l.Waiting += int(number(at(row, 1))) - held
			if first := nextOf([]any{at(reply, 0), at(row, 3)}); !first.IsZero() && (l.Oldest.IsZero() || first.Before(l.Oldest)) {
				l.Oldest = first
			}
			b.Lanes[str(at(row, 0))] = l
		}
	}
	return b, nil
}

func number(v any) int64 {
	n, err := strconv.ParseInt(str(v), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
