package find

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func one(t *testing.T, f *Finder, q Query) Alert {
	t.Helper()
	q.Limit = 10
	a, err := f.Find(t.Context(), q)
	if err != nil || len(a.Alerts) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	return a.Alerts[0]
}

func TestAnAlertEndsLapsesAndFiresAgain(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := w.finder()
	q := Query{Terms: []Term{{"pod", "a"}}, All: true}
	w.report(t, 0, true, w.alert("checkout", "a"), w.alert("checkout", "b"))
	if a := one(t, f, q); !a.Firing || !a.StartsAt.Equal(epoch) || !a.LapsesAt.Equal(epoch.Add(time.Hour)) || a.Severity != incidents.Sev1 {
		t.Errorf("it fires: %+v", a)
	}
	w.now = epoch.Add(time.Minute)
	w.report(t, 0, true, w.ended("checkout", "a", epoch))
	if a := one(t, f, q); a.Firing || !a.EndsAt.Equal(w.now) {
		t.Errorf("it ended: %+v", a)
	}
	w.now = epoch.Add(2 * time.Minute)
	w.report(t, 1, true, w.alert("checkout", "a"))
	if a := one(t, f, q); !a.Firing || !a.StartsAt.Equal(w.now) || !a.EndsAt.IsZero() {
		t.Errorf("it fires again: %+v", a)
	}
	w.now = epoch.Add(61 * time.Minute)
	w.command(t, 1, incidents.Tick{Name: string(incidents.TimerAlerts)})
	q.Terms[0].Value = "b"
	if a := one(t, f, q); a.Firing || !a.LapsedAt.Equal(epoch.Add(time.Hour)) {
		t.Errorf("it lapsed: %+v", a)
	}
	q.All, q.Limit = false, 10
	if a, err := f.Find(t.Context(), q); err != nil || len(a.Alerts) != 0 {
		t.Errorf("what has lapsed fires: %+v, %v", a, err)
	}
}

func TestIncidentsAreFoundAndWhatOneMayNotSeeIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := w.finder()
	for _, s := range services {
		w.report(t, 0, true, w.alert(s, "shared-1"), w.alert(s, s+"-7"))
	}
	q := Query{Terms: []Term{{"", "Shared"}}, Limit: 2}
	ids, next, _, err := f.InIncidents(t.Context(), q)
	if err != nil || !slices.Equal(ids, []incidents.ID{3, 2}) || next != 2 {
		t.Errorf("%v, %v, %v", ids, next, err)
	}
	q.Before = next
	if ids, next, _, _ := f.InIncidents(t.Context(), q); !slices.Equal(ids, []incidents.ID{1}) || next != 0 {
		t.Errorf("%v, %v", ids, next)
	}
	q = Query{Terms: []Term{{"pod", "shared-1"}}, Limit: 9, Visible: func(s incidents.Scope) bool { return s.Service == "search" }}
	if a := one(t, f, q); a.Incident != 2 {
		t.Errorf("%+v", a)
	}
	if ids, _, _, _ := f.InIncidents(t.Context(), q); !slices.Equal(ids, []incidents.ID{2}) {
		t.Errorf("%v", ids)
	}
}

func TestCatchingUpStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 500 {
		w.report(t, 0, true, w.alert(fmt.Sprintf("s%d", i), "a"))
	}
	f := w.finder()
	f.patience = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	w.hook = func() error {
		if w.reads.Load() == 100 {
			cancel()
		}
		return nil
	}
	if _, err := f.Find(ctx, Query{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if len(f.list) != 500 || f.alerts != 99 {
		t.Fatalf("%d alerts of %d incidents", f.alerts, len(f.list))
	}
	// A question without any time says what there is, and how much is missing.
	f.patience, w.hook = time.Nanosecond, nil
	a, err := f.Find(t.Context(), Query{Limit: 1})
	if err != nil || a.Complete || len(a.Alerts) != 1 || a.NotCovered+f.alerts != 500 {
		t.Errorf("%+v, %v", a, err)
	}
	f.patience = time.Minute
	before := w.reads.Load()
	if a, err = f.Find(t.Context(), Query{Limit: 1}); err != nil || !a.Complete || a.NotCovered != 0 || f.alerts != 500 {
		t.Errorf("%+v, %v", a, err)
	}
	if n := w.reads.Load() - before; n > 500-99+1 { // the rest once, and what is shown
		t.Errorf("%d reads", n)
	}
}

func TestAStoreThatIsAwayIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.report(t, 0, true, w.alert("checkout", "a"))
	w.hook = func() error { return incidents.Fail(incidents.Unavailable, "error.store", "the store is away") }
	f := w.finder()
	if _, err := f.Find(t.Context(), Query{Limit: 1}); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("%v", err)
	}
	w.hook = nil
	one(t, f, Query{})
}

func TestQuestionsAtOnceShareOneCatchingUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	for i := range 50 {
		w.report(t, 0, true, w.alert(fmt.Sprintf("s%d", i), "a"))
	}
	f := w.finder()
	f.patience = time.Minute
	release, entered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hook = func() error {
		once.Do(func() { close(entered); <-release })
		return nil
	}
	var asking, waiting sync.WaitGroup
	ask := func() {
		asking.Go(func() {
			if a, err := f.Find(t.Context(), Query{Terms: []Term{{"service", "none"}}, Limit: 1}); err != nil || !a.Complete {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	ask()
	<-entered
	for range 20 {
		ask()
	}
	waiting.Go(func() {
		for f.asked.Load() < 21 {
			time.Sleep(time.Millisecond)
		}
	})
	waiting.Wait()
	close(release)
	asking.Wait()
	if r, l := w.reads.Load(), w.lists.Load(); r != 50 || l != 4 {
		t.Errorf("events were read %d times, incidents listed %d times", r, l)
	}
}

func TestQuestionsAndAStormAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := w.finder()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 30 {
				if _, err := f.Find(t.Context(), Query{Terms: []Term{{"", "pod"}}, Limit: 5}); err != nil {
					t.Error(err)
				}
				if _, _, _, err := f.InIncidents(t.Context(), Query{Limit: 5}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 40 {
		var all []incidents.Alert
		for j := range 50 {
			all = append(all, w.alert(fmt.Sprintf("s%d", j%3), fmt.Sprintf("pod-%d-%d", i, j)))
		}
		w.report(t, i%shards, true, all...)
	}
	wg.Wait()
	if got, extent := pages(t, f, Query{Limit: 200}); len(got) != 2000 || !extent.Complete || extent.NotCovered != 0 {
		t.Errorf("%d of 2000 found, %+v", len(got), extent)
	}
}

func TestMemoryIsBoundedAndGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := w.finder()
	f.max = 3000
	for s := range 8 {
		var all []incidents.Alert
		for i := range 500 {
			all = append(all, w.alert(fmt.Sprintf("s%d", s), fmt.Sprintf("pod-%d-%d", s, i)))
		}
		w.report(t, s%shards, true, all...)
	}
	got, extent := pages(t, f, Query{Limit: 200})
	if len(got) != 3000 || f.alerts != 3000 || extent.NotCovered != 1000 || !extent.Complete {
		t.Fatalf("%d found, %d kept, %+v", len(got), f.alerts, extent)
	}
	for id := range 5 {
		w.command(t, incidents.ID(id+1), incidents.Resolve{By: bea})
	}
	before := f.pairs.len()
	got, extent = pages(t, f, Query{Limit: 200})
	if len(got) != 1500 || extent.NotCovered != 0 {
		t.Errorf("%d found, %+v: for those of before there is room now", len(got), extent)
	}
	if n := f.pairs.len(); n > 1510 || before < 3000 {
		t.Errorf("%d pairs are left of %d", n, before)
	}
}

// Labels that neither the incident nor the intake log has are counted, and are
// there again when the alert is repeated.
func TestWhatTheIntakeLogForgotIsCounted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	f := w.finder()
	w.report(t, 0, true, w.many("checkout", 300, epoch)...)
	w.logs[0] = nil // pruned
	ask := func(found, missing, sought int) {
		t.Helper()
		got, extent := pages(t, f, Query{Limit: 200})
		if len(got) != found || extent.NotCovered != missing || f.sought != sought {
			t.Errorf("%d found, %+v, %d sought", len(got), extent, f.sought)
		}
	}
	ask(incidents.MaxDetailed, 100, 100)
	w.now = epoch.Add(45 * time.Minute)
	ask(incidents.MaxDetailed, 100, 0)
	w.report(t, 0, true, w.many("checkout", 300, epoch)...)
	ask(300, 0, 0)
}

func TestACursorOfAnotherMakeIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "x", "AAAA", "*"} {
		if _, ok := ParseCursor(s); ok {
			t.Errorf("%q passes", s)
		}
	}
}
