package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// measureStart is the empty start, and the size of the binary.
func measureStart(ctx context.Context, l *lab) error {
	took := map[subject][]float64{}
	err := l.rounds(ctx, l.subjects(), func(t *target) error {
		t.main.stop() // its directory stays: what is made once is made
		if err := os.RemoveAll(t.dir + "/data"); err != nil {
			return fmt.Errorf("empty the data directory: %w", err)
		}
		began := time.Now()
		if err := t.startMain(ctx); err != nil {
			return err
		}
		took[t.subject] = append(took[t.subject], time.Since(began).Seconds())
		return nil
	})
	for _, s := range l.subjects() {
		l.out.add("start.ready", s, median(took[s]), "s")
		if s == alertmanager {
			continue
		}
		info, statErr := os.Stat(l.binary)
		if statErr != nil {
			return fmt.Errorf("look at the binary: %w", statErr)
		}
		l.out.add("start.binary", s, float64(info.Size())/1e6, "MB")
	}
	return err
}

// measureOpen is about a server with many open incidents to which nothing
// happens, and then a person does something.
func measureOpen(ctx context.Context, l *lab) error {
	for _, s := range l.subjects() {
		err := l.with(ctx, s, func(t *target) error {
			if _, err := t.active(ctx, l.size.open, 0); err != nil {
				return err
			}
			if err := t.idle(ctx, "open_10k"); err != nil {
				return err
			}
			if s == alertmanager {
				return nil
			}
			return t.steps(ctx, "open_10k")
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// idle is the processor time of a server that is left alone, in cores.
func (t *target) idle(ctx context.Context, name string) error {
	sleep(ctx, rest)
	before, err := t.cpu()
	if err != nil {
		return err
	}
	if !sleep(ctx, t.lab.size.idle) {
		return errors.New("no time was left")
	}
	after, err := t.cpu()
	if err != nil {
		return err
	}
	t.lab.out.add(name+".idle", t.subject, (after-before).Seconds()/t.lab.size.idle.Seconds(), "cores")
	return nil
}

// steps is a person's command, one at a time, from the request until it is
// durable and answered.
func (t *target) steps(ctx context.Context, name string) error {
	took, err := timed(t.lab.size.requests, func(i int) error {
		id := 1 + i*7919%t.lab.size.open
		code, body, err := t.post(ctx, fmt.Sprintf("/api/v1/incidents/%d/commands", id), `{"command":"ack"}`)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("acknowledge incident %d: %d: %.200s", id, code, body)
		}
		return err
	})
	if err != nil {
		return err
	}
	t.lab.out.add(name+".step_p50", t.subject, ms(percentile(took, 50)), "ms")
	t.lab.out.add(name+".step_p99", t.subject, ms(percentile(took, 99)), "ms")
	return nil
}

// measureRoundTrips counts what Redis does for one incident: an alert opens
// it, somebody acknowledges, notes something, and resolves.
func measureRoundTrips(ctx context.Context, l *lab) error {
	for _, s := range l.stores {
		if s != redis {
			continue
		}
		return l.with(ctx, s, func(t *target) error { return t.roundTrips(ctx) })
	}
	return nil
}

func (t *target) roundTrips(ctx context.Context) error {
	const steps, breath = 4, 2500 * time.Millisecond // until all rooms are up to date
	flows := max(t.lab.size.rooms/20, 2)
	flow := func(i int) error {
		ld := load{batch: 1, conns: 1, alerts: 1, first: i, start: time.Now().Add(-time.Minute), insist: true}
		if err := t.fill(ctx, ld); err != nil {
			return err
		}
		sleep(ctx, breath)
		for _, command := range []string{"ack", "note it is the cache", "resolve"} {
			code, body, err := t.post(ctx, fmt.Sprintf("/api/v1/incidents/%d/commands", i), `{"command":"`+command+`"}`)
			if err != nil || code != http.StatusOK {
				return fmt.Errorf("%s: %d: %.200s: %w", command, code, body, err)
			}
		}
		sleep(ctx, breath)
		return nil
	}
	if err := flow(1); err != nil { // scripts are loaded, connections made
		return err
	}
	began := time.Now()
	calls, reads, err := t.during(func() error {
		for i := range flows {
			if err := flow(i + 2); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	took := time.Since(began)
	// What a Hikeshi without work asks of Redis in the same time.
	idleCalls, idleReads, err := t.during(func() error { sleep(ctx, took); return ctx.Err() })
	if err != nil {
		return err
	}
	t.lab.out.add("round_trips.flow", redis, float64(reads-idleReads)/float64(flows), "reads")
	t.lab.out.add("round_trips.step", redis, float64(reads-idleReads)/float64(flows)/steps, "reads")
	t.lab.out.add("round_trips.commands", redis, float64(calls-idleCalls)/float64(flows), "commands")
	t.lab.out.add("round_trips.idle", redis, float64(idleReads)/took.Seconds(), "reads/s")
	return nil
}

// during counts commands and reads of Redis while f runs.
func (t *target) during(f func() error) (calls, reads int, err error) {
	count := func() (int, int, error) {
		all, reads, err := redisCalls(t.store)
		sum := 0
		for name, n := range all {
			if name != "info" {
				sum += n
			}
		}
		return sum, reads, err
	}
	callsBefore, readsBefore, err := count()
	if err != nil {
		return 0, 0, err
	}
	if err := f(); err != nil {
		return 0, 0, err
	}
	calls, reads, err = count()
	return calls - callsBefore, reads - readsBefore, err
}
