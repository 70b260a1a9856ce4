package chat

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Tally counts what an adapter did not do as wished, and what it did about it.
// It is a prometheus.Collector.
type Tally struct {
	PicturesShown  atomic.Int64 // that stand in a room
	PicturesFailed atomic.Int64 // of which there is a link only
	Panics         atomic.Int64 // while something that came in was looked at
	Dropped        atomic.Int64 // of what came in, because too much was under way

	pictures, panics, dropped *prometheus.Desc
}

var _ prometheus.Collector = (*Tally)(nil)

// NewTally makes the tally of the chat of that name.
func NewTally(chat string) *Tally {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("hikeshi_chat_"+name, help, labels, prometheus.Labels{"chat": chat})
	}
	return &Tally{
		pictures: desc("pictures_total", "Pictures for rooms: shown, or failed, which leaves a link.", "result"),
		panics:   desc("panics_total", "Panics while something that came from the chat was looked at."),
		dropped:  desc("dropped_total", "Events and interactions that were dropped because too many were under way."),
	}
}

// Describe implements prometheus.Collector.
func (t *Tally) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{t.pictures, t.panics, t.dropped} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (t *Tally) Collect(ch chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n *atomic.Int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n.Load()), labels...)
	}
	counter(t.pictures, &t.PicturesShown, "shown")
	counter(t.pictures, &t.PicturesFailed, "failed")
	counter(t.panics, &t.Panics)
	counter(t.dropped, &t.Dropped)
}
