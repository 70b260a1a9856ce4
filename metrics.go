package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// registry has what all parts count.
func (a *app) registry() *prometheus.Registry {
	r := newRegistry(a.store, a.worker)
	r.MustRegister(a.audit.collectors()...)
	for _, c := range a.chats {
		r.MustRegister(c.tally)
	}
	r.MustRegister(forgotten{a.learned}, a.watcher, a.trackers, lines{a.sources.Logs})
	return r
}

// newRegistry collects what the parts count. No label value comes from
// outside, so the number of series is bounded.
func newRegistry(store storage.Store, w *worker.Worker) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
		&stateCollector{store: store, worker: w},
	)
	return r
}

var (
	descFolded  = prometheus.NewDesc("hikeshi_alerts_folded_total", "Alerts that went from the intake log into incidents.", nil, nil)
	descRepeats = prometheus.NewDesc("hikeshi_reports_unchanged_total", "Reports about an incident's alerts that changed nothing.", nil, nil)
	descLate    = prometheus.NewDesc("hikeshi_alerts_dropped_total", "Alerts that are in no incident, by reason: none needed them, or they could not be folded.", []string{"reason"}, nil)
	descEffects = prometheus.NewDesc("hikeshi_effects_total", "Effects, by lane and what became of them.", []string{"lane", "result"}, nil)
	descWaiting = prometheus.NewDesc("hikeshi_effects_waiting", "Effects that wait, by lane; those not due yet included.", []string{"lane"}, nil)
	descClaimed = prometheus.NewDesc("hikeshi_effects_claimed", "Effects that are being carried out, by lane.", []string{"lane"}, nil)
	descOldest  = prometheus.NewDesc("hikeshi_effects_oldest_due_seconds", "For how long the oldest due effect of the lane has waited.", []string{"lane"}, nil)
	descDead    = prometheus.NewDesc("hikeshi_dead_letters", "Effects that were given up and wait for a person.", nil, nil)
	descUnfold  = prometheus.NewDesc("hikeshi_intake_unfolded_entries", "Entries of the intake log that are not folded yet.", nil, nil)
	descFolding = prometheus.NewDesc("hikeshi_folding", "Whether this process folds the intake log.", nil, nil)
)

// stateCollector asks the store and the worker at each scrape.
type stateCollector struct {
	store  storage.Store
	worker *worker.Worker
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descFolded, descRepeats, descLate, descEffects, descWaiting, descClaimed, descOldest, descDead, descUnfold, descFolding} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What the store cannot tell now is
// left out of the scrape.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.worker.Stats()
	counter(descFolded, s.Folded)
	counter(descRepeats, s.Repeats)
	counter(descLate, s.Late, "ended_unknown")
	counter(descLate, s.Aside, "unfoldable")
	for lane, l := range s.Lanes {
		counter(descEffects, l.Done, lane, "done")
		counter(descEffects, l.Retried, lane, "retried")
		counter(descEffects, l.Dead, lane, "dead")
		counter(descEffects, l.Lost, lane, "claim_lost")
	}
	folding := 0.0
	if s.Folding {
		folding = 1
	}
	gauge(descFolding, folding)

	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	b, err := c.store.Backlog(ctx)
	if err != nil {
		return
	}
	gauge(descDead, float64(b.Dead))
	gauge(descUnfold, float64(b.Unfolded))
	for lane, l := range b.Lanes {
		gauge(descWaiting, float64(l.Waiting), lane)
		gauge(descClaimed, float64(l.Claimed), lane)
		wait := 0.0
		if !l.Oldest.IsZero() {
			wait = max(time.Since(l.Oldest).Seconds(), 0)
		}
		gauge(descOldest, wait, lane)
	}
}
