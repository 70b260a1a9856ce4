package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// follower is a store whose folding lease another replica holds.
type follower struct{ *flaky }

func (follower) Lease(context.Context, string, string, time.Duration) (bool, error) {
	return false, nil
}

// runLater runs a worker that has been up for ten minutes without trouble.
func runLater(t *testing.T, f *flaky, store worker.Store, queue worker.Queue, folder *worker.Folder) {
	t.Helper()
	var ahead atomic.Int64
	p := &ports{}
	w := worker.New(worker.Options{
		Engine: worker.NewEngine(worker.EngineOptions{Store: f, Shards: f.Shards(), Policy: console, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(f, time.Now)}}), Folder: folder,
		Store: store, Queue: queue, Shards: f.Shards(), Policy: console, Owner: "b", Logger: silent, Poll: 50 * time.Millisecond,
		Now:   func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Ports: worker.Ports{Rooms: map[string]worker.Rooms{"console": p}, Diagnose: p, Rank: p, Run: p},
	})
	ahead.Store(int64(10 * time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	t.Cleanup(sync.OnceFunc(func() { cancel(); <-done }))
}

// repeated opens an incident whose alert is about to lapse, and puts the alert's
// repetition, in time and answered, into the log.
func repeated(t *testing.T, f *flaky) {
	t.Helper()
	a := alertAt("shop", time.Now().UTC().Add(-time.Minute))
	a.EndsAt = time.Now().UTC().Add(2 * time.Second)
	f.push(t, "", 0, a)
	if err := step(t, newFolder(f)); err != nil {
		t.Fatal(err)
	}
	a.EndsAt = time.Now().UTC().Add(time.Hour)
	f.push(t, "", 0, a)
}

// putOff waits until the timer that would let the alert lapse has been put off,
// and sees that the alert still fires.
func putOff(t *testing.T, f *flaky, queue *retries) {
	t.Helper()
	select {
	case <-queue.timers:
	case <-time.After(time.Minute):
		t.Fatal("the timer was not put off")
	}
	if s, err := f.Load(t.Context(), 1); err != nil || s.Alerts.Firing() != 1 {
		t.Fatalf("the alert lapsed although its repetition was answered and waits to be folded: %v", err)
	}
}

// retries tells when a timer is put off.
type retries struct {
	*flaky
	timers chan struct{}
}

func (r *retries) Retry(ctx context.Context, c *incidents.Claim, due time.Time, reason string) error {
	if c.Effect.Kind == incidents.DoTimer && c.Effect.Arg == string(incidents.TimerAlerts) {
		select {
		case r.timers <- struct{}{}:
		default:
		}
	}
	return r.flaky.Retry(ctx, c, due, reason)
}

// The replica that folds is behind; the other one carries out the timer.
func TestNothingLapsesWhileTheOtherReplicaIsBehind(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	repeated(t, f)
	queue := &retries{f, make(chan struct{}, 8)}
	runLater(t, f, follower{f}, queue, newFolder(f))
	putOff(t, f, queue)
}

// Folding panics at something in the log: nobody folds what was repeated.
func TestNothingLapsesWhileFoldingPanics(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	repeated(t, f)
	queue := &retries{f, make(chan struct{}, 8)}
	runLater(t, f, f, queue, worker.NewFolder(worker.FolderOptions{
		Log: f, Store: f, Shards: 1, Policy: console, Now: time.Now, Logger: silent,
		Rules: func() incidents.Rules { panic("poison") },
	}))
	putOff(t, f, queue)
}

// An alert that no incident needs is counted once, however often it was looked at.
func TestLateAlertsAreCountedOnce(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	folder := newFolder(f)
	start := time.Now().UTC().Add(-time.Minute)
	over := alertAt("shop", start)
	over.Resolved, over.EndsAt = true, start.Add(30*time.Second)
	f.push(t, "", 0, over)
	if err := step(t, folder); err != nil {
		t.Fatal(err)
	}
	f.push(t, "", 0, alertAt("shop", start), over)
	if err := step(t, folder); err != nil {
		t.Fatal(err)
	}
	if n := folder.Late.Load(); n != 3 {
		t.Errorf("%d late of 3 alerts", n)
	}
}

// A process dies between the commits of two shards, and the next one groups by
// other rules: an alert may then be in two incidents, but never in none.
func TestOtherRulesAfterAStepThatNobodyFinished(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 16)
	by := func(label string) *worker.Folder {
		return worker.NewFolder(worker.FolderOptions{
			Log: f, Store: f, Shards: 16, Policy: console, Now: time.Now, Logger: silent,
			Rules: func() incidents.Rules { return incidents.Rules{{Name: label, GroupBy: []string{label}}} },
		})
	}
	const alerts = 20
	var all []incidents.Alert
	for i := range alerts {
		all = append(all, incidents.Alert{StartsAt: time.Now().UTC().Add(-time.Minute), Labels: incidents.LabelsFromMap(map[string]string{
			"alertname": fmt.Sprint("n", i), "service": fmt.Sprint("s", i)})})
	}
	f.push(t, "", 0, all...)
	n := 0
	f.commit = func(*incidents.Commit) error {
		if n++; n > 6 {
			return errors.New("killed")
		}
		return nil
	}
	if err := step(t, by("alertname")); err == nil {
		t.Fatal("it was not killed")
	}
	f.commit = nil
	if err := step(t, by("service")); err != nil {
		t.Fatal(err)
	}
	page, err := f.List(t.Context(), incidents.Query{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range page.Incidents {
		s, err := f.Load(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Samples {
			seen[a.Labels.Get("alertname")]++
		}
	}
	if len(seen) != alerts {
		t.Errorf("%d of %d acknowledged alerts are in an incident", len(seen), alerts)
	}
}

// The same rules after such a step change nothing that was done.
func TestAStepThatNobodyFinishedIsFinished(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 16)
	const alerts = 20
	for i := range alerts {
		f.push(t, "", 0, alertAt(fmt.Sprint("s", i), time.Now().UTC().Add(-time.Minute)))
	}
	n := 0
	f.commit = func(*incidents.Commit) error {
		if n++; n > 6 {
			return errors.New("killed")
		}
		return nil
	}
	if err := step(t, newFolder(f)); err == nil {
		t.Fatal("it was not killed")
	}
	f.commit = nil
	if err := step(t, newFolder(f)); err != nil {
		t.Fatal(err)
	}
	page, err := f.List(t.Context(), incidents.Query{Limit: 200})
	if err != nil || len(page.Incidents) != alerts {
		t.Fatalf("%d incidents, want %d, %v", len(page.Incidents), alerts, err)
	}
	for _, row := range page.Incidents {
		if s, err := f.Load(t.Context(), row.ID); err != nil || s.Version != 1 {
			t.Errorf("%s has %d events, %v", row.ID, s.Version, err)
		}
	}
}
