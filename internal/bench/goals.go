package main

// goal is what a figure should be. docs/performance.md says where the goals
// come from.
type goal struct {
	ratio   bool // of the peer's figure in the same run
	least   bool // at least, rather than at most
	must    float64
	stretch float64
	redis   float64 // must over Redis, where it differs
}

func (g goal) met(v, bound float64) bool {
	if g.least {
		return v >= bound
	}
	return v <= bound
}

func (g goal) show(bound float64) string {
	sign, unit := "<= ", ""
	if g.least {
		sign = ">= "
	}
	if g.ratio {
		unit = "x"
	}
	return sign + show(bound) + unit
}

func atLeast(must, stretch float64) goal {
	return goal{ratio: true, least: true, must: must, stretch: stretch}
}

func atMost(must, stretch float64) goal { return goal{ratio: true, must: must, stretch: stretch} }

func bounded(must, stretch float64) goal { return goal{must: must, stretch: stretch} }

// goals by metric, in the order of their rows.
var goals = map[string]goal{
	"ingest_b100.rate":        atLeast(2, 3),                                          // 1
	"ingest_b10.rate":         atLeast(1.5, 2),                                        // 2
	"ingest_b1.rate":          atLeast(1.2, 1.8),                                      // 3
	"refire_b100.rate":        atLeast(2, 4),                                          // 4
	"ingest_b100.cpu_folded":  atMost(1./2, 1./3),                                     // 5
	"ingest_b1.cpu_folded":    atMost(1./2, 1./3),                                     // 5
	"latency_half_b1.p99":     atMost(1, 1./2),                                        // 6
	"latency_half_b10.p99":    atMost(1, 1./2),                                        // 6
	"latency_1500.p99":        atMost(1.5, 1),                                         // 6b
	"resolve_b100.rate":       atLeast(1.5, 2),                                        // 6c
	"active_groups.rss_alert": {ratio: true, must: 1. / 2, stretch: 1. / 4, redis: 1}, // 7
	"active_own.rss_alert":    atMost(1./4, 1./6),                                     // 8
	"active_groups.list_p99":  bounded(20, 5),                                         // 9
	"active_own.list_p99":     bounded(20, 5),                                         // 9
	"active_groups.list_grow": bounded(5, 1),                                          // 9
	"active_own.list_grow":    bounded(5, 1),                                          // 9
	"active_groups.find_p50":  atMost(1./20, 1./100),                                  // 10
	"active_own.find_p50":     atMost(1./20, 1./100),                                  // 10
	"room.p50":                bounded(5, 2),                                          // 11
	"room.p99":                bounded(20, 10),                                        // 11
	"burst.first_p99":         atMost(2, 1),                                           // 12
	"burst.counted":           atMost(1, 1./2),                                        // 12
	"crash.lost":              bounded(0, 0),                                          // 13
	"crash.twice":             bounded(0, 0),                                          // 13
	"active_groups.restart":   bounded(2, 0.5),                                        // 14
	"active_own.restart":      bounded(2, 0.5),                                        // 14
	"start.ready":             bounded(0.3, 0.1),                                      // 15
	"start.binary":            bounded(35, 25),                                        // 15
	"open_10k.idle":           bounded(0.01, 0.005),                                   // 17
	"remedy.added_p50":        {must: 5, stretch: 2, redis: 10},                       // 18
}
