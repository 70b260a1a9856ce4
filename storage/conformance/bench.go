package conformance

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// BenchOpener opens a new, empty store for a benchmark.
type BenchOpener func(b *testing.B) storage.Store

// Bench runs the benchmarks that every store is compared by. cpu says how much
// processor time this process and the store's have used so far: on a machine
// that does other things too, it is what can be compared.
func Bench(b *testing.B, open BenchOpener, cpu func() time.Duration) {
	run := func(what string, f func(b *testing.B, s storage.Store)) {
		b.Run(what, func(b *testing.B) {
			s := open(b)
			before := cpu()
			f(b, s)
			b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
	for _, size := range []int{1, 10, 100} {
		run(name("append b%d c64", size), func(b *testing.B, s storage.Store) { benchAppend(b, s, size) })
	}
	run("commit an opening", func(b *testing.B, s storage.Store) { benchOpening(b, s, 1) })
	run("commit an opening c16", func(b *testing.B, s storage.Store) { benchOpening(b, s, 8) })
	run("commit a note", benchNote)
	run("flow", benchFlow)
	b.Run("with 100k", func(b *testing.B) {
		s := open(b)
		before := cpu()
		Fill(b, s, 100_000)
		b.Logf("filling took %v of processor time", (cpu() - before).Round(time.Millisecond))
		b.Run("load", func(b *testing.B) { benchLoad(b, s) })
		b.Run("list", func(b *testing.B) { benchList(b, s) })
	})
}

// sample is an alert of 10 labels, 3 annotations and about 800 bytes as JSON.
func sample(n int64) incidents.Alert {
	id := name("%d", n)
	labels := map[string]string{
		"alertname": "HighErrorRate", "service": "service-" + name("%d", n%100), "severity": "critical", "instance": "10.0." + id + ":8080",
		"job": "node", "cluster": "production-eu-west-1", "namespace": "payments", "pod": "checkout-7d9f8b6c5-" + id, "team": "payments", "region": "eu-west-1",
	}
	return incidents.Alert{
		Labels: incidents.LabelsFromMap(labels), StartsAt: epoch, EndsAt: epoch.Add(5 * time.Minute),
		GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=rate%28http_errors_total%5B5m%5D%29+%3E+0.05",
		Annotations: incidents.LabelsFromMap(map[string]string{
			"summary": "High error rate on " + id, "runbook_url": "https://runbooks.example/high-error-rate",
			"description": "The error rate of this instance has been above five per cent for more than five minutes, which burns the budget.",
		}),
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func benchAppend(b *testing.B, s storage.Store, size int) {
	var n atomic.Int64
	go drain(b, s)
	alerts := make([]incidents.Alert, size)
	for i := range alerts {
		alerts[i] = sample(int64(i))
	}
	b.SetParallelism(32) // of two processors: 64 at once
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			k := n.Add(1)
			batch := &incidents.Batch{Source: "bench", ReceivedAt: epoch, GroupKey: name("g%d", k%100), Alerts: alerts}
			if err := s.Append(b.Context(), batch); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "alerts/s")
}

// drain keeps the marks moving, so that the log does not fill up.
func drain(b *testing.B, s storage.Store) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-b.Context().Done():
			return
		case <-tick.C:
		}
		for log := range s.Shards() {
			mark, err := s.Mark(b.Context(), log, log)
			if err != nil {
				return
			}
			entries, err := s.ReadLog(b.Context(), log, mark, 16<<20)
			if err != nil || len(entries) == 0 {
				continue
			}
			fold := &incidents.Fold{Log: log, From: mark, To: entries[len(entries)-1].Offset}
			_ = s.Commit(b.Context(), &incidents.Commit{Shard: log, Fold: fold}) // the benchmark is over
		}
	}
}

// opening is a commit as the folder makes it for a new group of one alert.
func opening(b *testing.B, s storage.Store, n int64) *incidents.Commit {
	a := sample(n)
	shard := incidents.KeyOf("bench", name("%d", n)).Shard(s.Shards())
	id, err := s.NewIDs(b.Context(), shard, 1)
	must(b, err)
	st := &incidents.Incident{}
	cmd := incidents.Open{
		ID: id, Shard: shard, Source: "bench", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()},
		Grouping: incidents.Grouping{Key: incidents.KeyOf("bench", name("%d", n)), Rule: incidents.Rule{Quiet: time.Minute, Reopen: time.Hour}},
	}
	events, effects, err := incidents.Advance(st, cmd, time.Now(), incidents.Policy{Chats: []string{"console"}, RemindAck: 5 * time.Minute})
	must(b, err)
	return &incidents.Commit{
		Shard: shard, Changes: []incidents.Change{{Events: events, State: st}}, Effects: effects,
		Groups: []incidents.GroupChange{{Key: st.Group, Next: []incidents.ID{id}}},
	}
}

func benchOpening(b *testing.B, s storage.Store, parallel int) {
	var n atomic.Int64
	b.SetParallelism(parallel)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Commit(b.Context(), opening(b, s, n.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchNote(b *testing.B, s storage.Store) {
	c := opening(b, s, 1)
	must(b, s.Commit(b.Context(), c))
	st := c.Changes[0].State
	for b.Loop() {
		before := st.Version
		events, _, err := incidents.Advance(st, note("a note of some length, as people write them"), time.Now(), incidents.Policy{})
		must(b, err)
		must(b, s.Commit(b.Context(), &incidents.Commit{Shard: st.Shard, Changes: []incidents.Change{{Expect: before, Events: events, State: st}}}))
	}
}

// benchFlow is what happens for one incident: it is opened, and each of its
// effects is claimed, loaded and acknowledged with one more event.
func benchFlow(b *testing.B, s storage.Store) {
	for n := int64(1); b.Loop(); n++ {
		c := opening(b, s, n)
		must(b, s.Commit(b.Context(), c))
		for i := range c.Effects {
			f := &c.Effects[i]
			if f.Due.After(time.Now()) {
				continue
			}
			claims, _, err := s.Claim(b.Context(), incidents.ClaimQuery{Shard: f.Shard, Lane: f.Lane, Max: 1, Lease: time.Minute})
			must(b, err)
			for i := range claims {
				st, err := s.Load(b.Context(), claims[i].Effect.Incident)
				must(b, err)
				before := st.Version
				events, _, err := incidents.Advance(st, note("done"), time.Now(), incidents.Policy{})
				must(b, err)
				must(b, s.Commit(b.Context(), &incidents.Commit{
					Shard: st.Shard, Done: &claims[i], Changes: []incidents.Change{{Expect: before, Events: events, State: st}},
				}))
			}
		}
	}
}

// Fill opens n incidents, each of a group of its own.
func Fill(b *testing.B, s storage.Store, n int64) {
	b.Helper()
	started := time.Now()
	work := make(chan int64)
	failed := make(chan error, 64)
	for range 64 {
		go func() {
			var err error
			for k := range work {
				if err == nil {
					err = s.Commit(b.Context(), opening(b, s, k))
				}
			}
			failed <- err
		}()
	}
	for k := range n {
		work <- k + 1
	}
	close(work)
	for range 64 {
		must(b, <-failed)
	}
	b.Logf("%d incidents opened in %v", n, time.Since(started).Round(time.Millisecond))
}

func benchLoad(b *testing.B, s storage.Store) {
	for n := int64(0); b.Loop(); n++ {
		_, err := s.Load(b.Context(), incidents.ID(1+n*7919%100_000))
		must(b, err)
	}
}

func benchList(b *testing.B, s storage.Store) {
	for b.Loop() {
		page, err := s.List(b.Context(), incidents.Query{Open: true})
		must(b, err)
		if page.Open != 100_000 || len(page.Incidents) != 50 {
			b.Fatalf("a page of %d, %d open", len(page.Incidents), page.Open)
		}
	}
}
