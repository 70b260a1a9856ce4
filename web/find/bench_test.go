package find

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// BenchmarkFind asks for one service among alerts of ten labels each, of which two
// are its own, and says what the index takes: in few incidents, and each in its own.
func BenchmarkFind(b *testing.B) {
	b.Run("100,000 in 100", func(b *testing.B) { findAmong(b, 100_000, 100) })
	b.Run("20,000 in 20,000", func(b *testing.B) { findAmong(b, 20_000, 20_000) })
}

func findAmong(b *testing.B, n, groups int) {
	w := newWorld()
	for at := 0; at < n; at += 1000 {
		var all []incidents.Alert
		for i := at; i < at+1000; i++ {
			all = append(all, incidents.Alert{StartsAt: epoch, Labels: incidents.LabelsFromMap(map[string]string{
				"alertname": "HighErrorRate", "cluster": "eu-west-1", "env": "production", "job": "checkout-api", "namespace": "shop",
				"severity": "critical", "group": fmt.Sprintf("group-%07d", i%groups), "service": fmt.Sprintf("service-%07d", i%groups),
				"instance": fmt.Sprintf("10.20.30.40:%07d", i), "pod": fmt.Sprintf("checkout-api-7d9f8b6c5-%07d", i),
			})})
		}
		w.report(b, at/1000%shards, true, all...)
	}
	size := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := size()
	f := New(Options{Incidents: w, Log: w, Shards: shards, Patience: time.Hour}) // the real clock: it says how often to list
	if a, err := f.Find(b.Context(), Query{Limit: 1}); err != nil || !a.Complete || a.NotCovered > 0 {
		b.Fatalf("%+v, %v", a, err)
	}
	bytes := float64(size()-before) / float64(n)
	i := 0
	for b.Loop() {
		i++
		q := Query{Terms: []Term{{"service", fmt.Sprintf("service-%07d", i*7919%groups)}}, Limit: 50}
		if a, err := f.Find(b.Context(), q); err != nil || len(a.Alerts) != min(50, n/groups) {
			b.Fatalf("%d, %v", len(a.Alerts), err)
		}
	}
	b.ReportMetric(bytes, "B/alert")
	runtime.KeepAlive(f)
}
