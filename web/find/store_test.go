package find_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/web/find"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// fill puts into a real store n alerts of two services, folded by the real
// folder: each incident has more than its log keeps whole.
func fill(t *testing.T, c storage.Config, n int) storage.Store {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	store, err := storage.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	for at := 0; at < n; at += 100 {
		b := &incidents.Batch{Source: "test", ReceivedAt: time.Now()}
		for i := at; i < at+100; i++ {
			b.Alerts = append(b.Alerts, incidents.Alert{StartsAt: b.ReceivedAt.Add(-time.Minute), EndsAt: b.ReceivedAt.Add(time.Hour),
				Labels:      incidents.LabelsFromMap(map[string]string{"alertname": "Slow", "service": fmt.Sprintf("service-%d", i%2), "pod": fmt.Sprintf("pod-%d", i)}),
				Annotations: incidents.LabelsFromMap(map[string]string{"summary": fmt.Sprintf("pod %d is slow", i)})})
		}
		if err := store.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	fold := worker.NewFolder(worker.FolderOptions{Log: store, Store: store, Shards: store.Shards(), Now: time.Now,
		Rules: func() incidents.Rules { return nil }, Logger: slog.New(slog.DiscardHandler)})
	for log := range store.Shards() {
		for more := true; more; {
			if more, err = fold.Step(t.Context(), log); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

// What an incident's log leaves out is found in the intake log, annotations
// included; a page that would need too many of its entries says what it lacks.
func TestAlertsAreFoundInARealStore(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		findIn(t, storage.Config{Dir: t.TempDir()})
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		findIn(t, storage.Config{URL: testenv.Redis(t).URL})
	})
}

func findIn(t *testing.T, c storage.Config) {
	t.Helper()
	const n = 2000
	store := fill(t, c, n)
	f := find.New(find.Options{Incidents: store, Log: store, Shards: store.Shards(), Patience: time.Minute})
	for _, i := range []int{0, 1, 450, n - 1} {
		a, err := f.Find(t.Context(), find.Query{Terms: []find.Term{{Name: "pod", Value: fmt.Sprintf("pod-%d", i)}}, Limit: 5})
		if err != nil || !a.Complete || a.NotCovered != 0 || len(a.Alerts) != 1 || a.Alerts[0].Partial ||
			a.Alerts[0].Annotations.Get("summary") != fmt.Sprintf("pod %d is slow", i) {
			t.Errorf("pod-%d: %+v, %v", i, a, err)
		}
	}
	a, err := f.Find(t.Context(), find.Query{Terms: []find.Term{{Name: "service", Value: "service-1"}}, Limit: 200})
	if err != nil || len(a.Alerts) != 200 || a.After.IsZero() {
		t.Fatalf("%d found, %v", len(a.Alerts), err)
	}
	for _, one := range a.Alerts {
		if one.Partial != (one.Annotations == nil) {
			t.Errorf("%+v", one)
		}
	}
}
