package main

import (
	"context"
	"fmt"
	"time"
)

// measureHalf is latency under a load that Alertmanager bears well: half of
// what it could take at most, over 64 connections.
func measureHalf(ctx context.Context, l *lab) error {
	for _, batch := range []int{1, 10} {
		most, err := l.capacity(ctx, batch)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("latency_half_b%d", batch)
		l.out.add(name+".offered", machine, float64(most/2), "alerts/s")
		if err := l.openLoop(ctx, name, load{batch: batch, conns: 64, groups: 100, rate: most / 2}); err != nil {
			return err
		}
	}
	return nil
}

// capacity is Alertmanager's own: of this run where it was measured already.
// Without Alertmanager it is that of the reference measurements.
func (l *lab) capacity(ctx context.Context, batch int) (int, error) {
	if v, ok := l.out.value(fmt.Sprintf("ingest_b%d.rate", batch), alertmanager); ok {
		return int(v), nil
	}
	peer := l.subjects()
	if peer[len(peer)-1] != alertmanager {
		return map[int]int{1: 7600, 10: 19_200}[batch], nil
	}
	var s sample
	err := l.with(ctx, alertmanager, func(t *target) (err error) {
		s, err = t.slice(ctx, load{batch: batch, conns: 64, groups: 100, alerts: l.size.sent[batch], start: time.Now().Add(-time.Minute)}, l.size.settle)
		return err
	})
	return int(s.perSecond()), err
}

// measureLow is latency at a low rate.
func measureLow(ctx context.Context, l *lab) error {
	return l.openLoop(ctx, "latency_1500", load{batch: 1, conns: 16, groups: 100, rate: 1500})
}

// openLoop sends at a fixed rate and reports latencies from the time at which
// each POST was due.
func (l *lab) openLoop(ctx context.Context, name string, ld load) error {
	all := samples{}
	err := l.rounds(ctx, l.subjects(), func(t *target) error {
		ld.start = time.Now().Add(-time.Minute)
		return all.take(ctx, t, ld, l.size.slice)
	})
	all.latencies(l, name)
	return err
}

// latencies reports how long answers took, and how many alerts came of it.
func (all samples) latencies(l *lab, name string) {
	for _, s := range l.subjects() {
		list := all[s]
		if len(list) == 0 {
			continue
		}
		for _, p := range []float64{50, 95, 99, 100} {
			values := make([]float64, len(list))
			for i := range list {
				values[i] = ms(percentile(list[i].latencies, p))
			}
			metric := fmt.Sprintf("%s.p%.0f", name, p)
			if p == 100 {
				metric = name + ".max"
			}
			l.out.add(metric, s, median(values), "ms")
		}
		rates := make([]float64, len(list))
		for i := range list {
			rates[i] = list[i].perSecond()
		}
		l.out.add(name+".rate", s, median(rates), "alerts/s")
	}
}
