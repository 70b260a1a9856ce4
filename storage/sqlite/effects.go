package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

const defaultLease = 30 * time.Second

// Claim implements storage.Effects. It costs no write: a claim lives in memory.
func (s *Store) Claim(ctx context.Context, q incidents.ClaimQuery) ([]incidents.Claim, time.Time, error) {
	if q.Max <= 0 {
		q.Max = 1
	}
	if q.Lease <= 0 {
		q.Lease = defaultLease
	}
	now := s.clock.now()
	found, due := s.queue.take(q, now)
	next := time.Time{}
	if due != 0 {
		next = s.clock.wall(due)
	}
	if len(found) == 0 {
		return nil, next, nil
	}
	failpoint.Hit("sqlite.claim.taken")
	claims := make([]incidents.Claim, len(found))
	err := s.bodies(ctx, found, claims)
	if err != nil {
		s.queue.release(found, now)
		return nil, time.Time{}, err
	}
	for i, t := range found {
		if t.before != "" {
			s.logger.Info("the claim of an effect ran out", "effect", claims[i].Effect.Key, "owner", t.before, "attempt", t.attempt)
		}
	}
	return claims, next, nil
}

// bodies completes claims with their effects.
func (s *Store) bodies(ctx context.Context, found []taken, claims []incidents.Claim) error {
	missing := 0
	for i, t := range found {
		claims[i] = incidents.Claim{Token: t.token, Attempt: t.attempt}
		if t.body != nil {
			claims[i].Effect = *t.body
		} else {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	return s.read(ctx, "read effects", func(c *conn) error {
		for i, t := range found {
			if t.body != nil {
				continue
			}
			row, err := c.one(getEffect, t.row)
			if err != nil {
				return err
			}
			if claims[i].Effect, err = effectOf(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Extend implements storage.Effects.
func (s *Store) Extend(_ context.Context, c *incidents.Claim, lease time.Duration) error {
	if !s.queue.extend(effectKey(c.Effect.Key), c.Token, s.clock.now()+int64(lease)) {
		return incidents.ErrClaimLost
	}
	return nil
}

// noting writes down the attempts of effects that are claimed.
type noting []incidents.Key

func (n noting) size() int { return 64 * len(n) }

func (n noting) apply(t *tx) (error, error) {
	for _, key := range n {
		e := t.effect(key)
		if !e.is.claimed {
			continue
		}
		noted := *e
		noted.is.due = t.now // after a crash it is due at once
		if err := t.c.exec(updateEffect, noted.head(key, t.s.queue.laneKey(e.slot), t.s.clock), e.is.row); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// noteEvery is how often claims are looked at for that.
const noteEvery = 500 * time.Millisecond

func (s *Store) noteAttempts(ctx context.Context) {
	if keys := s.queue.longHeld(s.clock.now()); len(keys) > 0 {
		_ = s.submit(ctx, "note attempts", noting(keys), 0) // they are only rough
	}
}

// retrying gives a claim back.
type retrying struct {
	key   incidents.Key
	lane  string
	shard int
	token int64
	due   int64
}

func (r *retrying) size() int { return 64 }

func (r *retrying) apply(t *tx) (error, error) {
	e := t.effect(r.key)
	if !e.held(r.token) {
		return incidents.ErrClaimLost, nil
	}
	e.retry(r.due)
	failpoint.Hit("sqlite.retry.after_write")
	t.signal(incidents.Signal{Kind: incidents.SignalEffect, Shard: r.shard, Lane: r.lane})
	return nil, nil
}

// Retry implements storage.Effects. Its reason is for the log of whoever
// retries; the store keeps the reason of giving up only.
func (s *Store) Retry(ctx context.Context, c *incidents.Claim, due time.Time, _ string) error {
	return s.submit(ctx, "put back "+c.Effect.Key, &retrying{
		key: effectKey(c.Effect.Key), lane: c.Effect.Lane, shard: c.Effect.Shard, token: c.Token, due: s.clock.place(due),
	}, 0)
}

// DeadLetters implements storage.DeadLetterBox.
func (s *Store) DeadLetters(ctx context.Context, max int) ([]incidents.DeadLetter, error) {
	letters := []incidents.DeadLetter{}
	err := s.read(ctx, "read dead letters", func(c *conn) error {
		return c.each(listDead, func(row columns) error {
			var l incidents.DeadLetter
			err := json.Unmarshal(blob(row[0]), &l)
			letters = append(letters, l)
			return err
		}, int64(record.Rows(max)))
	})
	return letters, err
}

// redriving puts a dead letter back.
type redriving struct {
	key string
	now int64
}

func (r *redriving) size() int { return 64 }

func (r *redriving) apply(t *tx) (error, error) {
	row, err := t.c.one(getDead, r.key)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return fault.NoDeadLetter(r.key), nil
	}
	var l incidents.DeadLetter
	if err := json.Unmarshal(blob(row[0]), &l); err != nil {
		return fmt.Errorf("decode dead letter: %w", err), nil
	}
	if err := t.c.exec(deleteDead, r.key); err != nil {
		return nil, err
	}
	t.effect(effectKey(r.key)).enqueue(&l.Effect, r.now, t.s.queue.newRow)
	failpoint.Hit("sqlite.redrive.after_write")
	t.signal(incidents.Signal{Kind: incidents.SignalEffect, Shard: l.Effect.Shard, Lane: l.Effect.Lane})
	return nil, nil
}

// Redrive implements storage.DeadLetterBox.
func (s *Store) Redrive(ctx context.Context, key string) error {
	return s.submit(ctx, "redrive "+key, &redriving{key, s.clock.now()}, 0)
}

// Backlog implements storage.Upkeep.
func (s *Store) Backlog(ctx context.Context) (incidents.Backlog, error) {
	b := incidents.Backlog{Lanes: s.queue.backlog(s.clock)}
	s.mem.mu.RLock()
	for log := range s.mem.logs {
		b.Unfolded += int64(len(s.mem.logs[log].waiting))
	}
	s.mem.mu.RUnlock()
	err := s.read(ctx, "count dead letters", func(c *conn) error {
		row, err := c.one(countDead)
		if err == nil {
			b.Dead = int(integer(row[0]))
		}
		return err
	})
	return b, err
}
