package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/integrations/logs"
)

var (
	descTicketsUnsure = prometheus.NewDesc("hikeshi_tickets_unsure_total", "Creations of tickets whose end was not known at once.", []string{"tracker"}, nil)
	descTicketsHealed = prometheus.NewDesc("hikeshi_tickets_healed_total", "Second tickets of one incident that were found, linked and closed.", []string{"tracker"}, nil)
	descLogLines      = prometheus.NewDesc("hikeshi_log_lines_total", "Lines that were sent to /v1/logs, by what became of them: known here, of one stream too many, older than what is kept, or without a text.", []string{"became"}, nil)
	descLogMissed     = prometheus.NewDesc("hikeshi_log_pieces_missed_total", "Pieces of what other replicas were sent to /v1/logs that were gone before they were read here.", nil, nil)
)

// Describe implements prometheus.Collector.
func (t *trackers) Describe(ch chan<- *prometheus.Desc) {
	ch <- descTicketsUnsure
	ch <- descTicketsHealed
}

// Collect implements prometheus.Collector.
func (t *trackers) Collect(ch chan<- prometheus.Metric) {
	for _, k := range t.all {
		s := k.system.Stats()
		ch <- prometheus.MustNewConstMetric(descTicketsUnsure, prometheus.CounterValue, float64(s.Unsure), k.name)
		ch <- prometheus.MustNewConstMetric(descTicketsHealed, prometheus.CounterValue, float64(s.Healed), k.name)
	}
}

// lines counts what was sent to /v1/logs.
type lines struct{ from *logs.Source }

// Describe implements prometheus.Collector.
func (lines) Describe(ch chan<- *prometheus.Desc) {
	ch <- descLogLines
	ch <- descLogMissed
}

// Collect implements prometheus.Collector.
func (c lines) Collect(ch chan<- prometheus.Metric) {
	s := c.from.Stats()
	ch <- prometheus.MustNewConstMetric(descLogMissed, prometheus.CounterValue, float64(s.Missed))
	for _, n := range []struct {
		became string
		count  int
	}{{"taken", s.Lines}, {"unplaced", s.Unplaced}, {"late", s.Late}, {"textless", s.Textless}} {
		ch <- prometheus.MustNewConstMetric(descLogLines, prometheus.CounterValue, float64(n.count), n.became)
	}
}
