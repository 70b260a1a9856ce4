package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

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

// R2: no alert is answered for by a store that may lose it, unless that is
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
		store.health = incidents.Health{Durable: true}
		r.at = r.at.Add(-2e9) // a second and more has gone by
		if err := r.Append(t.Context(), &incidents.Batch{}); err != nil {
			t.Errorf("the store was mended, but %v", err)
		}
	}
}
