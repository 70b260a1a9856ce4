package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// appender collects the batches that wait and sends them together: one entry
// for each log, all in one round trip.
type appender struct {
	s       *Store
	mu      sync.Mutex
	waiting []appending
	bytes   int
	closed  bool
	wake    chan struct{}
	names   atomic.Int64
}

type appending struct {
	log    int
	body   []byte
	answer chan error
}

const (
	// senders is how many round trips may be under way: while one waits for the
	// server's fsync the next is collected and sent.
	senders = 2
	// maxSendBytes bounds one round trip.
	maxSendBytes = 4 << 20
	// seenFor is how long the server remembers a writer's last number.
	seenFor = 10 * time.Minute
)

func newAppender(s *Store) *appender {
	return &appender{s: s, wake: make(chan struct{}, senders)}
}

var errFull = errors.New("too much waits to be sent")

func (a *appender) add(p appending) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return errClosed
	case a.bytes > 0 && a.bytes+len(p.body) > a.s.cfg.MaxWaiting:
		return errFull
	}
	a.waiting = append(a.waiting, p)
	a.bytes += len(p.body)
	select {
	case a.wake <- struct{}{}:
	default:
	}
	return nil
}

func (a *appender) take() []appending {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, bytes := 0, 0
	for n < len(a.waiting) && (n == 0 || bytes+len(a.waiting[n].body) <= maxSendBytes) {
		bytes += len(a.waiting[n].body)
		n++
	}
	batch := a.waiting[:n:n]
	if a.waiting = a.waiting[n:]; len(a.waiting) == 0 {
		a.waiting = nil
	}
	a.bytes -= bytes
	return batch
}

func (a *appender) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, p := range a.waiting {
		p.answer <- errClosed
	}
	a.waiting, a.bytes = nil, 0
}

// sends is one sender's goroutine. Each is a writer of its own, with a number
// for each log that only it gives out.
func (a *appender) sends(ctx context.Context) {
	writer := a.s.self + "." + strconv.FormatInt(a.names.Add(1), 10)
	numbers := map[int]int64{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		for batch := a.take(); len(batch) > 0; batch = a.take() {
			a.send(ctx, writer, numbers, batch)
		}
	}
}

// portion is what one round trip brings to one log.
type portion struct {
	call
	log     int
	bodies  [][]byte
	answers []chan error
}

func (a *appender) send(ctx context.Context, writer string, numbers map[int]int64, batch []appending) {
	byLog := map[int]*portion{}
	var portions []*portion
	for _, p := range batch {
		q := byLog[p.log]
		if q == nil {
			q = &portion{log: p.log}
			byLog[p.log] = q
			portions = append(portions, q)
		}
		q.bodies = append(q.bodies, p.body)
		q.answers = append(q.answers, p.answer)
	}
	for _, q := range portions {
		numbers[q.log]++
		body := q.bodies[0]
		if len(q.bodies) > 1 {
			body = bytes.Join(q.bodies, nil)
		}
		signal := incidents.Signal{Kind: incidents.SignalIntake, Shard: q.log}
		q.call = call{script: appendScript, key: a.s.key(q.log), args: []any{
			writer, numbers[q.log], a.s.cfg.MaxUnfolded, seenFor.Milliseconds(), body, a.s.channel(), a.s.message(signal),
		}}
	}
	failpoint.Hit("redis.append.before_send")
	a.deliver(ctx, portions)
	failpoint.Hit("redis.append.after_reply")
	for _, q := range portions {
		err := a.verdict(q)
		if err == nil {
			a.s.hub.Send(incidents.Signal{Kind: incidents.SignalIntake, Shard: q.log})
		}
		for _, answer := range q.answers {
			answer <- err
		}
	}
}

// verdict is what became of a portion. Only an offset is an acknowledgement.
func (a *appender) verdict(q *portion) error {
	if q.err != nil {
		return a.s.mean(doingAppend, q.err)
	}
	if str(q.out) == "full" {
		return fault.Overloaded(doingAppend)
	}
	if _, err := strconv.ParseInt(str(q.out), 10, 64); err != nil {
		return fault.Unavailable(doingAppend, fmt.Errorf("unexpected reply %v", q.out))
	}
	return nil
}

// deliver runs the calls, and once more those without an answer: the numbers
// keep what did happen from happening twice.
func (a *appender) deliver(ctx context.Context, portions []*portion) {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	for range 2 {
		var open []*call
		for _, q := range portions {
			if q.out == nil && (q.err == nil || lost(q.err)) {
				open = append(open, &q.call)
			}
		}
		if len(open) == 0 || ctx.Err() != nil {
			break
		}
		a.s.many(ctx, open)
	}
}

// logs is how many intake logs are written to. One process folds them all, so
// more than one only makes its steps smaller; in a Cluster they spread the load
// over the nodes.
func (s *Store) logs() int {
	if _, cluster := s.client.(*redis.ClusterClient); cluster {
		return s.Shards()
	}
	return 1
}

const doingAppend = "append to the intake log"

// Append implements storage.Intake.
func (s *Store) Append(ctx context.Context, b *incidents.Batch) error {
	if err := s.ready(doingAppend); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fault.Unavailable(doingAppend, err)
	}
	if s.pressed.Load() {
		return fault.Overloaded(doingAppend)
	}
	p := appending{log: record.Log(b, s.logs()), body: record.Batch(b), answer: make(chan error, 1)}
	if err := s.appender.add(p); err != nil {
		if errors.Is(err, errFull) {
			return fault.Overloaded(doingAppend)
		}
		return fault.Unavailable(doingAppend, err)
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout+attemptTimeout)
	defer cancel()
	select {
	case err := <-p.answer:
		if errors.Is(err, errClosed) {
			err = fault.Unavailable(doingAppend, err)
		}
		return err
	case <-ctx.Done():
		return fault.Unavailable(doingAppend, ctx.Err())
	}
}

// ReadLog implements storage.Intake.
func (s *Store) ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error) {
	const doing = "read the intake log"
	if err := s.ready(doing); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	var entries []incidents.Entry
	bytes, count := 0, int64(firstRead)
	for {
		from := strconv.FormatInt(after+1, 10) + "-0"
		found, err := s.client.XRangeN(ctx, s.key(log)+"log", from, "+", count).Result()
		if err != nil {
			return nil, s.mean(doing, err)
		}
		for _, m := range found {
			e, size, err := entryOf(m)
			if err != nil {
				return nil, fmt.Errorf("%s %d: %w", doing, log, err)
			}
			if len(entries) > 0 && bytes+size > maxBytes {
				return entries, nil
			}
			entries, bytes, after = append(entries, e), bytes+size, e.Offset
		}
		if int64(len(found)) < count || bytes >= maxBytes {
			return entries, nil
		}
		count = min(max(int64((maxBytes-bytes)/(bytes/len(entries)+1)), 1), mostRead)
	}
}

// The first read asks for a few entries, the next for as many as are likely to
// fit; an entry is at most maxSendBytes and one batch.
const (
	firstRead = 4
	mostRead  = 512
)

func entryOf(m redis.XMessage) (e incidents.Entry, size int, err error) {
	number, _, _ := strings.Cut(m.ID, "-")
	if e.Offset, err = strconv.ParseInt(number, 10, 64); err != nil {
		return e, 0, fmt.Errorf("entry %s: %w", m.ID, err)
	}
	body := str(m.Values["b"])
	if e.Batches, err = record.Batches([]byte(body)); err != nil {
		return e, 0, fmt.Errorf("entry %s: %w", m.ID, err)
	}
	return e, len(body), nil
}

// Mark implements storage.Intake.
func (s *Store) Mark(ctx context.Context, shard, log int) (int64, error) {
	doing := "read a mark"
	if err := s.ready(doing); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	mark, err := s.client.HGet(ctx, s.key(shard)+"marks", strconv.Itoa(log)).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return mark, s.mean(doing, err)
}
