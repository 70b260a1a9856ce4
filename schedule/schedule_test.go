package schedule

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// shared is what replicas share: the settings, the log and the world that is
// checked.
type shared struct {
	mu      sync.Mutex
	kept    map[string]incidents.Document
	alerts  []string
	batches []*incidents.Batch
	starts  []time.Time
	healthy bool
	hang    time.Duration
	full    bool // the log takes nothing
}

func (w *shared) Setting(_ context.Context, name string) (incidents.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept[name], nil
}

func (w *shared) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept[name].Version != expect {
		return incidents.ErrConflict
	}
	w.kept[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

func (w *shared) Append(_ context.Context, b *incidents.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full {
		return errors.New("full")
	}
	for i := range b.Alerts {
		a, word := &b.Alerts[i], "fires"
		if a.Resolved {
			word = "is over"
		}
		w.alerts = append(w.alerts, a.Name()+" "+word+": "+a.Annotations.Get("summary"))
	}
	w.batches = append(w.batches, b)
	return nil
}

func (w *shared) Check(ctx context.Context, _ string, _ map[string]string) ([]incidents.StepResult, error) {
	w.mu.Lock()
	w.starts = append(w.starts, time.Now())
	healthy, hang := w.healthy, w.hang
	w.mu.Unlock()
	select {
	case <-time.After(hang):
	case <-ctx.Done():
	}
	return []incidents.StepResult{{Step: "disk", OK: healthy, Value: "97 %"}}, nil
}

func newShared() *shared { return &shared{kept: map[string]incidents.Document{}, healthy: true} }

func (w *shared) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// run starts a replica; the returned function stops it.
func (w *shared) run(t *testing.T, spec string, now func() time.Time) (stop func()) {
	t.Helper()
	when, err := ParseWhen(spec, "")
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{
		Entries: []Entry{{Name: "disks", When: when, Runbook: "check-disks"}}, Settings: w, Runner: w, Log: w,
		Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return func() { cancel(); <-done }
}

func (w *shared) told(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.alerts, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	w.alerts = nil
}

// TestOneStartEachTime: three replicas, an hour, a start every five minutes at
// the planned time; a failure is told with each, and that it is over once.
func TestOneStartEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		for range 3 {
			defer w.run(t, "*/5 * * * *", time.Now)()
		}
		time.Sleep(time.Hour + time.Second) // the bubble's clock
		synctest.Wait()
		if len(w.starts) != 12 {
			t.Fatalf("%d starts in an hour: %v", len(w.starts), w.starts)
		}
		for i, at := range w.starts {
			if at.Minute()%5 != 0 || at.Second() != 0 || i > 0 && at.Sub(w.starts[i-1]) != 5*time.Minute {
				t.Errorf("start %d at %v", i, at)
			}
		}
		w.told(t)
		w.set(func() { w.healthy = false })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledCheckFailed fires: disks: disk: 97 %", "ScheduledCheckFailed fires: disks: disk: 97 %")
		w.set(func() { w.healthy = true })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledCheckFailed is over: disks: all is well")
		fired, over := w.batches[0], w.batches[2]
		if fired.Alerts[0].Fingerprint() != over.Alerts[0].Fingerprint() || fired.Source != Source || !over.Alerts[0].StartsAt.Equal(fired.Alerts[0].StartsAt) {
			t.Errorf("%+v does not resolve %+v", over, fired)
		}
	})
}

// TestMissedTimesAreReported: nobody ran for a while, then somebody does.
func TestMissedTimesAreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		stop := w.run(t, "*/5 * * * *", time.Now)
		time.Sleep(6 * time.Minute)
		stop()
		time.Sleep(16 * time.Minute) // 00:22: 10, 15 and 20 went by
		defer w.run(t, "*/5 * * * *", time.Now)()
		synctest.Wait()
		w.told(t, "ScheduledRunMissed fires: disks was not started 3 times, from 2000-01-01 00:10 UTC to 2000-01-01 00:20 UTC")
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed is over: disks takes place again")
		if len(w.starts) != 2 {
			t.Errorf("starts: %v", w.starts)
		}
	})
}

// TestAStartWithoutResultIsReported: the process was stopped in the middle of a
// check, whose failure says nothing then.
func TestAStartWithoutResultIsReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		w.set(func() { w.healthy, w.hang = false, time.Hour })
		stop := w.run(t, "*/5 * * * *", time.Now)
		time.Sleep(5*time.Minute + time.Second)
		stop()
		w.told(t)
		w.set(func() { w.healthy, w.hang = true, 0 })
		defer w.run(t, "*/5 * * * *", time.Now)()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed fires: disks was started at 2000-01-01 00:05 UTC and has no result yet")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed is over: disks takes place again")
	})
}

// TestTheClockJumps: forward over planned times, which are reported, and back
// again, after which it goes on at once.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		var ahead time.Duration
		now := func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			return time.Now().Add(ahead)
		}
		defer w.run(t, "*/5 * * * *", now)()
		time.Sleep(6 * time.Minute)
		w.set(func() { ahead = 28*time.Hour + 2*time.Minute })
		time.Sleep(time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed fires: disks was not started 336 times, from 2000-01-01 00:10 UTC to 2000-01-02 04:05 UTC")
		w.set(func() { ahead = 0 })
		time.Sleep(time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed fires: disks goes on from 2000-01-01 00:07 UTC: the clock had been at 2000-01-02 04:05 UTC")
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		w.told(t, "ScheduledRunMissed is over: disks takes place again")
		if len(w.starts) != 2 {
			t.Errorf("starts: %v", w.starts)
		}
	})
}

// TestAnotherPlanMissesNothing: whoever changes the times starts afresh.
func TestAnotherPlanMissesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		stop := w.run(t, "*/5 * * * *", time.Now)
		time.Sleep(6 * time.Minute)
		stop()
		time.Sleep(time.Hour)
		defer w.run(t, "*/10 * * * *", time.Now)()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w.told(t)
		if len(w.starts) != 2 {
			t.Errorf("starts: %v", w.starts)
		}
	})
}

// TestAFullLogLosesNothing: a result that the log did not take for a while is told
// as soon as it does.
func TestAFullLogLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newShared()
		w.set(func() { w.healthy, w.full = false, true })
		defer w.run(t, "*/5 * * * *", time.Now)()
		time.Sleep(5*time.Minute + 8*time.Second)
		w.told(t)
		w.set(func() { w.full = false })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.told(t, "ScheduledCheckFailed fires: disks: disk: 97 %")
	})
}

func TestParseWhen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ spec, zone string }{
		{"@every 5m", ""}, {"TZ=Asia/Tokyo 0 3 * * *", ""}, {"CRON_TZ=UTC 0 3 * * *", ""}, {"0 0 3 * * *", ""}, {"", ""}, {"0 3 * *", ""},
		{"0 0 30 2 *", ""}, {"61 * * * *", ""}, {"0 3 * * *", "Local"}, {"0 3 * * *", "Mars/Olympus"}, {"0 3 * * *", "../../etc/passwd"},
	} {
		if _, err := ParseWhen(c.spec, c.zone); err == nil {
			t.Errorf("%q in %q is taken", c.spec, c.zone)
		}
	}
	w, err := ParseWhen("30 3 * * *", "Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if got := w.after(from); !got.Equal(time.Date(2026, 1, 1, 18, 30, 0, 0, time.UTC)) {
		t.Errorf("half past three in Tokyo is %v", got)
	}
	minutely, err := ParseWhen("* * * * *", "")
	if err != nil {
		t.Fatal(err)
	}
	first, last, n := minutely.between(from, from.AddDate(10, 0, 0))
	if n < maxCounted || !last.Equal(from.AddDate(10, 0, 0)) || !first.Equal(from.Add(time.Minute)) {
		t.Errorf("ten years of minutes: %d from %v to %v", n, first, last)
	}
}
