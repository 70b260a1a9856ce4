package main

import (
	"context"
	"fmt"
	"time"
)

// sample is one slice of load on one server.
type sample struct {
	result
	folded time.Duration // from the first POST until all of it was folded
	cpu    spent
}

// spent is the processor time of a slice, up to three moments.
type spent struct {
	acked  time.Duration // the last answer
	folded time.Duration // everything has become incidents
	quiet  time.Duration // rooms and cards are up to date too
}

// slice puts a load on a server and follows it until the server rests.
func (t *target) slice(ctx context.Context, ld load, d time.Duration) (sample, error) {
	before, err := t.cpu()
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	s := sample{result: ld.run(ctx, t.addr, d)}
	if s.failure != nil {
		return s, fmt.Errorf("%w: %s", s.failure, t.main.tail())
	}
	for _, stage := range []struct {
		spent *time.Duration
		until func(context.Context) error
	}{
		{&s.cpu.acked, func(context.Context) error { return nil }},
		{&s.cpu.folded, t.folded},
		{&s.cpu.quiet, t.quiet},
	} {
		if err := stage.until(ctx); err != nil {
			return s, err
		}
		if stage.spent == &s.cpu.folded {
			s.folded = time.Since(began)
		}
		now, err := t.cpu()
		if err != nil {
			return s, err
		}
		*stage.spent = now - before
	}
	return s, nil
}

// samples collects slices by subject, and reports their medians.
type samples map[subject][]sample

// take puts a load on a server and keeps the sample, if it is whole.
func (all samples) take(ctx context.Context, t *target, ld load, d time.Duration) error {
	s, err := t.slice(ctx, ld, d)
	if err == nil {
		all[t.subject] = append(all[t.subject], s)
	}
	return err
}

func (all samples) report(l *lab, name string) {
	for _, s := range l.subjects() {
		list := all[s]
		if len(list) == 0 {
			continue
		}
		pick := func(metric, unit string, of func(*sample) float64) {
			values := make([]float64, len(list))
			for i := range list {
				values[i] = of(&list[i])
			}
			l.out.add(name+"."+metric, s, median(values), unit)
		}
		per := func(d time.Duration, x *sample) float64 { return d.Seconds() / float64(max(x.accepted, 1)) * 100_000 }
		pick("rate", "alerts/s", func(x *sample) float64 { return x.perSecond() })
		pick("p99", "ms", func(x *sample) float64 { return ms(percentile(x.latencies, 99)) })
		pick("cpu_acked", "s/100k", func(x *sample) float64 { return per(x.cpu.acked, x) })
		if s != alertmanager {
			pick("rate_folded", "alerts/s", func(x *sample) float64 { return float64(x.accepted) / x.folded.Seconds() })
		}
		pick("cpu_folded", "s/100k", func(x *sample) float64 { return per(x.cpu.folded, x) })
		pick("cpu_quiet", "s/100k", func(x *sample) float64 { return per(x.cpu.quiet, x) })
		refused := 0
		for i := range list {
			refused += list[i].refused
		}
		if refused > 0 {
			l.out.note(fmt.Sprintf("%s: %s refused %d POSTs", name, s, refused))
		}
	}
}

// ingest measures new alerts.
func ingest(ld load) func(context.Context, *lab) error {
	return func(ctx context.Context, l *lab) error {
		all := samples{}
		ld := ld
		ld.alerts = l.size.sent[ld.batch]
		err := l.rounds(ctx, l.subjects(), func(t *target) error {
			ld.start = time.Now().Add(-time.Minute)
			return all.take(ctx, t, ld, l.size.settle)
		})
		all.report(l, fmt.Sprintf("ingest_b%d", ld.batch))
		return err
	}
}

// active fills a server with n active alerts; groups as load has it.
func (t *target) active(ctx context.Context, n, groups int) (load, error) {
	ld := load{batch: 100, conns: 8, groups: groups, alerts: n, start: time.Now().Add(-time.Minute), insist: true}
	if err := t.fill(ctx, ld); err != nil {
		return ld, err
	}
	return ld, t.quiet(ctx)
}

// measureRefire sends alerts that are known, with the same beginning and a
// later end, as Prometheus does.
func measureRefire(ctx context.Context, l *lab) error {
	all := samples{}
	err := l.rounds(ctx, l.subjects(), func(t *target) error {
		ld, err := t.active(ctx, l.size.refire, 100)
		if err != nil {
			return err
		}
		ld.conns, ld.known, ld.alerts, ld.insist = 16, l.size.refire, 2*l.size.sent[100], false
		return all.take(ctx, t, ld, l.size.settle)
	})
	all.report(l, "refire_b100")
	return err
}

// measureResolve sends the end of every active alert once.
func measureResolve(ctx context.Context, l *lab) error {
	all := samples{}
	err := l.rounds(ctx, l.subjects(), func(t *target) error {
		ld, err := t.active(ctx, l.size.active, 100)
		if err != nil {
			return err
		}
		ld.conns, ld.ended, ld.insist = 16, true, false
		return all.take(ctx, t, ld, l.size.settle)
	})
	all.report(l, "resolve_b100")
	return err
}
