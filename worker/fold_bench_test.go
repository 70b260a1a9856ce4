package worker_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// loadBatch is a POST of n alerts, numbered from first, spread over groups: 10
// labels and 3 annotations each.
func loadBatch(first, n, groups int, now time.Time) *incidents.Batch {
	b := &incidents.Batch{Source: "bench", ReceivedAt: now}
	for i := first; i < first+n; i++ {
		b.Alerts = append(b.Alerts, incidents.Alert{
			Labels: incidents.LabelsFromMap(map[string]string{
				"alertname": "HighErrorRate", "cluster": "eu-west-1", "env": "production", "group": fmt.Sprintf("g%05d", i%groups),
				"instance": fmt.Sprintf("10.20.%d.%d:8080", i/250%250, i%250), "job": "checkout-api", "namespace": "shop",
				"pod": fmt.Sprintf("checkout-api-7d9f8b6c5-%07d", i), "service": "checkout", "severity": "critical",
			}),
			Annotations: incidents.LabelsFromMap(map[string]string{
				"summary":     "checkout-api answers with errors",
				"description": "The error rate of checkout-api is above 5 % for more than five minutes.",
				"runbook_url": "https://runbooks.example.com/checkout/high-error-rate",
			}),
			StartsAt: now.Add(-time.Minute), EndsAt: now.Add(time.Hour),
		})
	}
	b.Normalise()
	return b
}

// cpuTime is what the process has used so far: on a busy machine it means more
// than the time that went by.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFold appends POSTs of 100 alerts and folds them into 100 incidents
// over SQLite, step alerts a fold. It reports the processor seconds that
// appending and folding 100,000 alerts take.
func BenchmarkFold(b *testing.B) {
	const groups, alerts = 100, 100_000
	var posts []*incidents.Batch
	for first := 0; first < alerts; first += 100 {
		posts = append(posts, loadBatch(first, 100, groups, time.Now().UTC()))
	}
	for _, step := range []int{100, 1000, 5000} {
		b.Run(fmt.Sprintf("step%d", step), func(b *testing.B) {
			cpu := cpuTime(b)
			for b.Loop() {
				foldAll(b, posts, step/100)
			}
			b.ReportMetric(1e5*(cpuTime(b)-cpu).Seconds()/float64(b.N*alerts), "cpu-s/100k")
		})
	}
}

// foldAll appends posts to a new store and folds whenever each more are there.
func foldAll(b *testing.B, posts []*incidents.Batch, each int) {
	store, err := sqlite.Open(b.Context(), sqlite.Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	folder := worker.NewFolder(worker.FolderOptions{
		Log: store, Store: store, Shards: store.Shards(), Policy: incidents.Policy{Chats: []string{"console"}},
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Rules: func() incidents.Rules { return incidents.Rules{{Name: "load", GroupBy: []string{"group"}}} },
	})
	for some := range slices.Chunk(posts, each) {
		var appends sync.WaitGroup
		for _, p := range some {
			appends.Go(func() {
				if err := store.Append(b.Context(), p); err != nil {
					b.Error(err)
				}
			})
		}
		appends.Wait()
		for more := true; more; {
			if more, err = folder.Step(b.Context(), 0); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}
