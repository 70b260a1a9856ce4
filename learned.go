package main

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
)

// What learning had to leave out is said: here to operators, on the page Learning to
// everybody.

// settle lets the model learn what is old enough, so that no ranking waits for
// it: after a start, the whole log.
func (a *app) settle(ctx context.Context) {
	if err := a.learned.Settle(ctx, time.Now()); err != nil && ctx.Err() == nil {
		a.log.Warn("could not learn from what happened", "error", err)
	}
	if n := a.learned.Forgotten().Unreadable; n > a.unread { // a ranking may have come upon them before us
		a.unread = n
		a.log.Error("facts of the learning log cannot be read; they stay in the store, and the ranking goes by the others", "facts", n)
	}
}

// unreadable is what readiness says of facts that cannot be read: no reason against
// serving, since all others are learned from.
func unreadable(f learning.Forgotten) []incidents.Reason {
	if f.Unreadable == 0 {
		return nil
	}
	return []incidents.Reason{incidents.Because("ready.facts_unreadable", "n", strconv.Itoa(f.Unreadable))}
}

// forgotten are the metrics of what was not learned, or is known no more.
type forgotten struct{ learned *learning.Service }

var (
	descUnreadable = prometheus.NewDesc("hikeshi_learning_facts_unreadable", "Facts of the log that cannot be read; they stay where they are and are not learned.", nil, nil)
	descForgotten  = prometheus.NewDesc("hikeshi_learning_forgotten", "What the bounds on the model's memory have cost since it was last made, by kind.", []string{"kind"}, nil)
)

// Describe implements prometheus.Collector.
func (c forgotten) Describe(ch chan<- *prometheus.Desc) { ch <- descUnreadable; ch <- descForgotten }

// Collect implements prometheus.Collector.
func (c forgotten) Collect(ch chan<- prometheus.Metric) {
	f := c.learned.Forgotten()
	gauge := func(d *prometheus.Desc, n int, kind ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), kind...)
	}
	gauge(descUnreadable, f.Unreadable)
	gauge(descForgotten, f.Cells, "tallies")
	gauge(descForgotten, f.Votes, "votes")
	gauge(descForgotten, f.Facts, "strange_facts")
	gauge(descForgotten, f.Items, "item_votes")
	gauge(descForgotten, f.Features, "features")
	gauge(descForgotten, f.Late, "late_facts")
}
