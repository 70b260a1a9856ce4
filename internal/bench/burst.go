package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const burstGroups = 100

// measureBurst is a storm: many alerts of 100 groups as fast as they are
// taken, 10 a POST over 8 connections. When has every incident its first
// message, and when has every alert been counted?
func measureBurst(ctx context.Context, l *lab) error {
	b := newBell()
	defer b.server.Close()
	all := map[subject][]storm{}
	for range l.size.rounds {
		for _, s := range l.subjects() {
			one, err := l.burst(ctx, s, b)
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			all[s] = append(all[s], one)
		}
	}
	for _, s := range l.subjects() {
		pick := func(metric, unit string, of func(storm) float64) {
			var values []float64
			for _, one := range all[s] {
				values = append(values, of(one))
			}
			l.out.add("burst."+metric, s, median(values), unit)
		}
		pick("sent", "s", func(o storm) float64 { return o.sent.Seconds() })
		pick("first_p50", "ms", func(o storm) float64 { return ms(percentile(o.first, 50)) })
		pick("first_p99", "ms", func(o storm) float64 { return ms(percentile(o.first, 99)) })
		pick("counted", "s", func(o storm) float64 { return o.counted.Seconds() })
		if s != alertmanager {
			pick("on_cards", "s", func(o storm) float64 { return o.cards.Seconds() })
			pick("changes", "a room", func(o storm) float64 { return o.changes })
		}
	}
	return nil
}

// storm is how one went, counted from its first POST.
type storm struct {
	sent    time.Duration   // until the last answer
	first   []time.Duration // messages, sorted
	counted time.Duration   // until all alerts are in incidents, or named in messages
	cards   time.Duration   // until the cards say so
	changes float64         // posts and edits in a room
}

func (l *lab) burst(ctx context.Context, s subject, b *bell) (storm, error) {
	t, err := l.startWith(ctx, s, b.config())
	if err != nil {
		return storm{}, err
	}
	defer t.stop()
	sleep(ctx, rest)
	ctx, cancel := context.WithTimeout(ctx, l.size.settle)
	defer cancel()
	ld := load{batch: 10, conns: 8, groups: burstGroups, alerts: l.size.burst, start: time.Now().Add(-time.Second), insist: true}
	began := time.Now()
	sent := make(chan result, 1)
	go func() { sent <- ld.run(ctx, t.addr, l.size.settle) }()
	var one storm
	if s == alertmanager {
		one, err = b.storm(ctx, began, l.size.burst)
	} else {
		one, err = t.storm(ctx, began, l.size.burst)
	}
	r := <-sent
	one.sent = r.took
	slices.Sort(one.first)
	if err == nil && r.failure != nil {
		err = r.failure
	}
	return one, err
}

// storm watches Hikeshi's rooms through the API; incidents of a fresh server
// are numbered from 1.
func (t *target) storm(ctx context.Context, began time.Time, alerts int) (storm, error) {
	var one storm
	firsts, err := collect(ctx, burstGroups, func(i int) (bool, error) {
		r, err := t.messages(ctx, i+1, 1)
		return len(r.Messages) > 0, err
	})
	if err != nil {
		return one, fmt.Errorf("wait for the first messages: %w", err)
	}
	for _, at := range firsts {
		one.first = append(one.first, at.Sub(began))
	}
	for {
		var page page
		if err := t.getJSON(ctx, "/api/v1/incidents?limit=200", &page); err != nil {
			return one, err
		}
		sum := 0
		for _, inc := range page.Incidents {
			sum += inc.Alerts
		}
		if sum == alerts {
			break
		}
		if !sleep(ctx, 5*time.Millisecond) {
			return one, fmt.Errorf("%d of %d alerts were counted: %w", sum, alerts, ctx.Err())
		}
	}
	one.counted = time.Since(began)
	want := fmt.Sprintf("%d firing", alerts/burstGroups)
	cards, err := collect(ctx, burstGroups, func(i int) (bool, error) {
		c, err := t.card(ctx, i+1)
		return strings.HasPrefix(c, want), err
	})
	if err != nil {
		return one, fmt.Errorf("wait for the cards to say %q: %w", want, err)
	}
	for _, at := range cards {
		one.cards = max(one.cards, at.Sub(began))
	}
	one.changes, err = t.changes(ctx)
	return one, err
}

// changes is how often the average room changed, once all is quiet.
func (t *target) changes(ctx context.Context) (float64, error) {
	if err := t.quiet(ctx); err != nil {
		return 0, err
	}
	sum := 0
	for id := 1; id <= burstGroups; id++ {
		r, err := t.messages(ctx, id, 500)
		if err != nil {
			return 0, err
		}
		sum += r.After
	}
	return float64(sum) / burstGroups, nil
}

// storm listens until every group has been heard of and every alert named.
func (b *bell) storm(ctx context.Context, began time.Time, alerts int) (storm, error) {
	var one storm
	named := map[string]int{}
	for {
		select {
		case <-ctx.Done():
			return one, fmt.Errorf("%d groups were heard of: %w", len(named), ctx.Err())
		case r := <-b.rung:
			if _, known := named[r.service]; !known {
				one.first = append(one.first, r.at.Sub(began))
			}
			named[r.service] = r.alerts // a message names all that fire
			sum := 0
			for _, n := range named {
				sum += n
			}
			if sum >= alerts {
				one.counted = r.at.Sub(began)
				return one, nil
			}
		}
	}
}
