package find

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// BenchmarkFind asks for one service among 100,000 alerts of 100 incidents, each
// with ten labels of which two are its own, and says what the index takes.
func BenchmarkFind(b *testing.B) {
	const n, groups = 100_000, 100
	w := newWorld()
	for at := 0; at < n; at += 1000 {
		var all []incidents.Alert
		for i := range 1000 {
			all = append(all, incidents.Alert{StartsAt: epoch, Labels: incidents.LabelsFromMap(map[string]string{
				"alertname": "HighErrorRate", "cluster": "eu-west-1", "env": "production", "job": "checkout-api", "namespace": "shop",
				"severity": "critical", "group": fmt.Sprintf("group-%07d", i%groups), "service": fmt.Sprintf("service-%07d", i%groups),
				"instance": fmt.Sprintf("10.20.30.40:%07d", at+i), "pod": fmt.Sprintf("checkout-api-7d9f8b6c5-%07d", at+i),
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
	f := w.finder()
	if a, err := f.Find(b.Context(), Query{Limit: 1}); err != nil || !a.Complete || a.NotCovered > 0 {
		b.Fatalf("%+v, %v", a, err)
	}
	bytes := float64(size()-before) / n
	i := 0
	for b.Loop() {
		i++
		q := Query{Terms: []Term{{"service", fmt.Sprintf("service-%07d", i*7919%groups)}}, Limit: 50}
		if a, err := f.Find(b.Context(), q); err != nil || len(a.Alerts) != 50 {
			b.Fatalf("%d, %v", len(a.Alerts), err)
		}
	}
	b.ReportMetric(bytes, "B/alert")
	runtime.KeepAlive(f)
}
