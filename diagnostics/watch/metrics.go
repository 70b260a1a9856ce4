package watch

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// What became of looks and values.
const (
	done   = iota
	failed // the source did not answer
	late   // made up for by a later one
	lost   // longer ago than the source is asked for
	unkept // the store did not answer: tried again
	fired
	kinds
)

var resultNames = [...]string{done: "done", failed: "failed", late: "late", lost: "lost", unkept: "unkept"}

type counts struct {
	n    [kinds]atomic.Int64
	left atomic.Int64
}

func (c *counts) add(what int, n int64) { c.n[what].Add(n) }

var (
	descLooks  = prometheus.NewDesc("hikeshi_watch_looks_total", "Looks at a watched rule, by what became of them; late ones were made up for.", []string{"rule", "result"}, nil)
	descAlerts = prometheus.NewDesc("hikeshi_watch_alerts_total", "Alerts that a watched rule raised.", []string{"rule"}, nil)
	descLeft   = prometheus.NewDesc("hikeshi_watch_series_left", "Series of a watched rule that nobody looks at, because there are too many.", []string{"rule"}, nil)
)

// Describe implements prometheus.Collector.
func (w *Watcher) Describe(ch chan<- *prometheus.Desc) {
	ch <- descLooks
	ch <- descAlerts
	ch <- descLeft
}

// Collect implements prometheus.Collector.
func (w *Watcher) Collect(ch chan<- prometheus.Metric) {
	for _, x := range w.watches {
		for what, name := range resultNames {
			ch <- prometheus.MustNewConstMetric(descLooks, prometheus.CounterValue, float64(x.counts.n[what].Load()), x.rule.Name, name)
		}
		ch <- prometheus.MustNewConstMetric(descAlerts, prometheus.CounterValue, float64(x.counts.n[fired].Load()), x.rule.Name)
		ch <- prometheus.MustNewConstMetric(descLeft, prometheus.GaugeValue, float64(x.counts.left.Load()), x.rule.Name)
	}
}
