package main

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// moody is a store that is as safe as its health says.
type moody struct {
	storage.Store
	health   incidents.Health
	appended int
}

func (m *moody) Health(context.Context) incidents.Health { return m.health }

func (m *moody) Append(context.Context, *incidents.Batch) error {
	m.appended++
	return nil
}

// No alert is answered for by a store that may lose it, unless that is
// configured, and then it is announced.
func TestAnUnsafeStoreAnswersForNothing(t *testing.T) {
	t.Parallel()
	for _, relaxed := range []bool{false, true} {
		var log bytes.Buffer
		store := &moody{health: incidents.Health{Problems: []incidents.Reason{incidents.Because("store.fsync", "value", "everysec")}}}
		r := &readiness{store: store, relaxed: relaxed, log: slog.New(slog.NewTextHandler(&log, nil))}
		r.check(t.Context())
		err := r.Append(t.Context(), &incidents.Batch{})
		if relaxed && (err != nil || store.appended != 1) {
			t.Errorf("relaxed: %v", err)
		}
		if !relaxed && (incidents.CodeOf(err) != incidents.Unavailable || store.appended != 0) {
			t.Errorf("strict: %v, %d appended", err, store.appended)
		}
		if !strings.Contains(log.String(), "appendfsync is everysec") {
			t.Errorf("it was not announced: %s", log.String())
		}
		store.health = incidents.Health{Newer: true, Problems: []incidents.Reason{incidents.Because("store.newer")}}
		if is := r.ofStore(t.Context()); len(is.Wrong) != 1 || is.Wrong[0].Phrase != "store.newer" {
			t.Errorf("a store that a newer release writes: %+v", is)
		}
		store.health = incidents.Health{Durable: true}
		r.at = r.at.Add(-2e9) // a second and more has gone by
		if err := r.Append(t.Context(), &incidents.Batch{}); err != nil {
			t.Errorf("the store was mended, but %v", err)
		}
	}
}

// TestFoldingBehind: waiting for the lease of a process that may be dead is no
// failure, nor is having just begun; a minute without folding is one.
func TestFoldingBehind(t *testing.T) {
	t.Parallel()
	r := &readiness{}
	now := time.Now()
	never := time.Unix(0, 0)
	for i, c := range []struct {
		folds bool
		last  time.Time
		after time.Duration
		lags  bool
		note  string
	}{
		{false, never, 0, false, "ready.fold_elsewhere"},
		{false, never, time.Hour, false, "ready.fold_elsewhere"},
		{true, never, time.Hour, false, "ready.fold_begins"},
		{true, never, time.Hour + lagging, false, "ready.fold_begins"},
		{true, never, time.Hour + lagging + 1, true, "ready.fold_begins"},
		{true, now.Add(2 * time.Hour), 2 * time.Hour, false, ""},
		{true, now.Add(2 * time.Hour), 2*time.Hour + lagging + 1, true, ""},
		{false, now.Add(2 * time.Hour), 3 * time.Hour, false, "ready.fold_elsewhere"},
		{true, now.Add(2 * time.Hour), 4 * time.Hour, false, "ready.fold_begins"}, // it was away, and folds again
	} {
		if lags, note := r.folding(c.folds, c.last, now.Add(c.after)); lags != c.lags || note.Phrase != c.note {
			t.Errorf("%d: lags %v, note %q; want %v, %q", i, lags, note.Phrase, c.lags, c.note)
		}
	}
}

// A clock that is more than a minute from the store's is no reason against traffic, but
// against runs, and an alarm, until a look finds it right again.
func TestAWrongClockIsSaid(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	store := &moody{}
	a := &app{ready: &readiness{store: store, log: slog.New(slog.NewTextHandler(&log, nil))}}
	for i, c := range []struct {
		off    time.Duration
		seen   bool
		phrase string
	}{
		{0, false, ""}, {time.Minute, true, ""}, {-time.Minute - 1, true, "because.clock_off_behind"}, {0, false, "because.clock_off_behind"},
		{2 * time.Minute, true, "because.clock_off_ahead"}, {0, true, ""},
	} {
		log.Reset()
		store.health = incidents.Health{Durable: true, ClockOff: c.off, ClockSeen: c.seen}
		is := a.ready.ofStore(t.Context())
		if got := a.clock().Phrase; got != c.phrase {
			t.Errorf("%d: %q, want %q", i, got, c.phrase)
		}
		if len(is.Wrong) > 0 || slices.ContainsFunc(is.Alarms, func(r incidents.Reason) bool { return r.Phrase == c.phrase }) != (c.phrase != "") || strings.Contains(log.String(), "clock") != (c.phrase != "") {
			t.Errorf("%d: %v, log %s", i, is, log.String())
		}
		if err := a.ready.Append(t.Context(), &incidents.Batch{}); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Whoever asks and hangs up decides nothing: with a store that is slow to answer, that
// would turn everybody's alerts away.
func TestReadinessOutlivesWhoAsks(t *testing.T) {
	t.Parallel()
	r := &readiness{store: hasty{&moody{health: incidents.Health{Durable: true}}}, log: slog.New(slog.DiscardHandler)}
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	r.check(gone)
	if !r.durable(t.Context()) {
		t.Error("a client that hung up made the store unsafe")
	}
}

// hasty is a store whose health nobody knows once the context is over.
type hasty struct{ storage.Store }

func (h hasty) Health(ctx context.Context) incidents.Health {
	if ctx.Err() != nil {
		return incidents.Health{}
	}
	return h.Store.Health(ctx)
}
