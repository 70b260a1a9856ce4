package intake

import "github.com/prometheus/client_golang/prometheus"

// metrics count what came and what became of it. The only values of labels are
// constants and the names of configured sources: no alert can add a series.
type metrics struct {
	posts, alerts, truncated, mended *prometheus.CounterVec

	refused map[string]prometheus.Counter // by reason; made once, so a request only reads
	decode  *prometheus.HistogramVec
	append  prometheus.Histogram
}

// Kinds of mending, the label kind of hikeshi_intake_mended_total.
const (
	kindCut     = "cut"
	kindText    = "text"
	kindLeftOut = "left_out"
	kindLink    = "link"
	kindClock   = "clock"
)

func newMetrics(reg prometheus.Registerer, b *budget) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "hikeshi_intake_" + name, Help: help}, labels)
	}
	m := &metrics{
		posts:     counter("posts_total", "POSTs of alerts that are durable.", "source"),
		alerts:    counter("alerts_total", "Alerts that are durable, each time they were sent.", "source"),
		truncated: counter("truncated_alerts_total", "Alerts that the sender left out of a POST (Alertmanager's max_alerts).", "source"),
		mended:    counter("mended_total", "Parts of alerts that were cut, replaced or left out, and clocks that are off.", "source", "kind"),
		refused:   map[string]prometheus.Counter{},
		decode: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hikeshi_intake_decode_seconds", Help: "Time to decode a POST.",
			Buckets: prometheus.ExponentialBuckets(1e-5, 4, 8),
		}, []string{"format"}),
		append: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hikeshi_intake_append_seconds", Help: "Time until a POST is durable.",
			Buckets: prometheus.ExponentialBuckets(2.5e-4, 2, 15),
		}),
	}
	refused := counter("refused_total", "POSTs refused, by reason.", "reason")
	for _, reason := range reasons {
		m.refused[reason] = refused.WithLabelValues(reason)
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "hikeshi_intake_in_flight_bytes", Help: "Memory reserved for POSTs being handled.",
	}, func() float64 { return float64(b.held.Load()) })
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.posts, m.alerts, m.truncated, m.mended, refused, m.decode, m.append, held} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// introduce shows the source's counters from the start, at zero.
func (m *metrics) introduce(source string) {
	for _, v := range []*prometheus.CounterVec{m.posts, m.alerts, m.truncated} {
		v.WithLabelValues(source)
	}
	for _, kind := range []string{kindCut, kindText, kindLeftOut, kindLink, kindClock} {
		m.mended.WithLabelValues(source, kind)
	}
}

func (m *metrics) count(p post) {
	m.posts.WithLabelValues(p.source).Inc()
	m.alerts.WithLabelValues(p.source).Add(float64(p.alerts))
	if p.truncated > 0 {
		m.truncated.WithLabelValues(p.source).Add(float64(p.truncated))
	}
	if p.mended == (Mended{}) {
		return
	}
	for kind, n := range map[string]int{
		kindCut: p.mended.Cut, kindText: p.mended.Text, kindLeftOut: p.mended.LeftOut,
		kindLink: p.mended.Links, kindClock: p.mended.Clocks,
	} {
		m.mended.WithLabelValues(p.source, kind).Add(float64(n))
	}
}
