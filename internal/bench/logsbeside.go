package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Lines of logs that come in beside alerts: what Fluent Bit sends of 20 hosts, each of
// which has one service.
const (
	lineRate    = 10_000 // lines/s
	linesPost   = 500
	lineConns   = 4
	lineStreams = 20
	lineBodies  = 8 // that are sent in turn, so that no two POSTs one after the other are the same
)

// lineForms are what a service writes; # is a number.
var lineForms = [...]string{
	"GET /cart/# 200 in # ms", "payment # accepted in # ms", "flushed # entries of the queue", "worker # took job #", "cache hit for user # after # us",
	"POST /orders # 201 in # ms", "heartbeat # from the scheduler", "connection # to the database opened", "retry # of delivery #", "session # of user # ended",
}

// lineBody is one POST of lines.
func lineBody(nth int) string {
	var b strings.Builder
	for i := range linesPost {
		n := nth*linesPost + i
		text := strings.ReplaceAll(lineForms[n*7%len(lineForms)], "#", fmt.Sprint(n*7919%99_991))
		fmt.Fprintf(&b, `{"service":"%s","host":"web-%d","message":"2026-11-22T14:02:11.%03dZ info %s"}`+"\n", serviceOf(n%lineStreams), n%lineStreams, n%1000, text)
	}
	return b.String()
}

// lines sends so many a second until stop is called, which says how many were taken a second and how
// many POSTs were not.
func (t *target) lines(ctx context.Context, rate int) (stop func() (perSecond float64, refused int)) {
	ctx, cancel := context.WithCancel(ctx)
	bodies := make([]string, lineBodies)
	for i := range bodies {
		bodies[i] = lineBody(i)
	}
	var next, taken, refused atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range lineConns {
		wg.Go(func() {
			for {
				n := next.Add(1) - 1
				if !sleep(ctx, time.Until(began.Add(time.Duration(float64(n)*linesPost/float64(rate)*float64(time.Second))))) {
					return
				}
				code, _, err := t.post(ctx, "/v1/logs", bodies[n%lineBodies])
				switch {
				case ctx.Err() != nil:
					return
				case err != nil || code/100 != 2:
					refused.Add(1)
					sleep(ctx, breath)
				default:
					taken.Add(linesPost)
				}
			}
		})
	}
	return func() (float64, int) {
		took := time.Since(began)
		cancel()
		wg.Wait()
		return float64(taken.Load()) / took.Seconds(), int(refused.Load())
	}
}

// measureLogsBeside is what alerts have of a server that is sent lines all the time: the
// latency of latency_1500, and the rate of ingest_b100. Alertmanager takes no lines.
func measureLogsBeside(ctx context.Context, l *lab) error {
	for _, x := range []struct {
		name   string
		load   load
		lasts  time.Duration
		report func(samples, string)
	}{
		{"logs_beside", load{batch: 1, conns: 16, groups: 100, rate: 1500}, l.size.slice, func(s samples, name string) { s.latencies(l, name) }},
		{"logs_beside_b100", load{batch: 100, conns: 16, groups: 100, alerts: l.size.sent[100]}, l.size.settle, func(s samples, name string) { s.report(l, name) }},
	} {
		all, taken := samples{}, map[subject][]float64{}
		err := l.rounds(ctx, l.stores, func(t *target) error {
			stop := t.lines(ctx, lineRate)
			x.load.start = time.Now().Add(-time.Minute)
			err := all.take(ctx, t, x.load, x.lasts)
			rate, refused := stop()
			taken[t.subject] = append(taken[t.subject], rate)
			if refused > 0 {
				l.out.note(fmt.Sprintf("%s: %s refused %d POSTs of lines", x.name, t.subject, refused))
			}
			return err
		})
		x.report(all, x.name)
		for _, s := range l.stores {
			if len(taken[s]) > 0 {
				l.out.add(x.name+".lines", s, median(taken[s]), "lines/s")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
