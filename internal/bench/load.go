package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load says what is sent and over how many connections.
type load struct {
	batch  int // alerts a POST
	conns  int
	groups int // alerts are dealt out to them in turn; 0: each alert its own
	first  int // number of the first alert
	alerts int // as many are sent, then it ends; 0: until the time is over
	known  int // after so many it begins again with the first; 0: all are new
	start  time.Time
	ended  bool // they are resolved
	insist bool // what is refused is sent again
	rate   int  // alerts/s of an open loop; 0: as fast as answers come
}

// result is what came of a load.
type result struct {
	posts     int
	refused   int // answers other than 2xx
	accepted  int // alerts answered with 2xx
	took      time.Duration
	latencies []time.Duration // of accepted POSTs, sorted
	failure   error           // the first error of a connection
}

func (r *result) perSecond() float64 { return float64(r.accepted) / r.took.Seconds() }

// tally is one connection's share.
type tally struct {
	posts, refused int
	latencies      []time.Duration
	failure        error
}

// run sends until the load is sent, or for d.
func (ld load) run(ctx context.Context, addr string, d time.Duration) result {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var next atomic.Int64
	tallies := make([]tally, ld.conns)
	var wg sync.WaitGroup
	began := time.Now()
	for i := range tallies {
		wg.Go(func() { ld.connection(ctx, addr, began, &next, &tallies[i]) })
	}
	wg.Wait()
	r := result{took: time.Since(began)}
	for i := range tallies {
		t := &tallies[i]
		r.posts += t.posts
		r.refused += t.refused
		r.accepted += len(t.latencies) * ld.batch
		r.latencies = append(r.latencies, t.latencies...)
		if r.failure == nil {
			r.failure = t.failure
		}
	}
	slices.Sort(r.latencies)
	return r
}

// connection takes the next POST until there is none. In an open loop each has
// its time, and its latency counts from then, whether or not the connection
// was free: a slow answer delays those behind it, and that is counted.
func (ld load) connection(ctx context.Context, addr string, began time.Time, next *atomic.Int64, t *tally) {
	b := newBody(ld.batch, ld.start)
	s := newSender(addr, b)
	defer s.close()
	if ld.ended {
		b.end(time.Now())
	} else {
		b.end(ld.start.Add(time.Hour))
	}
	pass := 0
	for ctx.Err() == nil {
		n := int(next.Add(1)) - 1
		if ld.alerts > 0 && n*ld.batch >= ld.alerts {
			return
		}
		if p := ld.write(b, n); p != pass { // a later repetition says a later end
			pass = p
			b.end(ld.start.Add(time.Hour + time.Duration(pass)*time.Second))
		}
		from := time.Now()
		if ld.rate > 0 {
			from = began.Add(time.Duration(float64(n*ld.batch) / float64(ld.rate) * float64(time.Second)))
			if !sleep(ctx, time.Until(from)) {
				return
			}
		}
		for ok := false; !ok; {
			if ok = t.send(ctx, s, from); t.failure != nil || ctx.Err() != nil {
				return
			}
			ok = ok || !ld.insist
		}
	}
}

// write fills in the n-th POST and says how often its alerts were sent before.
func (ld load) write(b *body, n int) (pass int) {
	for i := range ld.batch {
		number := ld.first + n*ld.batch + i
		if ld.known > 0 {
			pass = (number - ld.first) / ld.known
			number = ld.first + (number-ld.first)%ld.known
		}
		group := number
		if ld.groups > 0 {
			group = number % ld.groups
		}
		b.alert(i, number, group)
	}
	return pass
}

// breath is how long a connection waits after a refusal.
const breath = 20 * time.Millisecond

// send sends one POST and says whether it was accepted.
func (t *tally) send(ctx context.Context, s *sender, from time.Time) bool {
	status, err := s.send()
	t.posts++
	switch {
	case err != nil:
		t.failure = err
		return false
	case status/100 != 2:
		t.refused++
		sleep(ctx, breath)
		return false
	}
	t.latencies = append(t.latencies, time.Since(from))
	return true
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// fill sends alerts until they are all accepted, which is not measured.
func (t *target) fill(ctx context.Context, ld load) error {
	r := ld.run(ctx, t.addr, t.lab.size.limit)
	if r.failure != nil {
		return fmt.Errorf("fill %s: %w", t.subject, r.failure)
	}
	if r.accepted != ld.alerts {
		return fmt.Errorf("fill %s: %d of %d alerts were accepted", t.subject, r.accepted, ld.alerts)
	}
	return nil
}
