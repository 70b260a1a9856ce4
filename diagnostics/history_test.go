package diagnostics

import (
	"context"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// counted is a past without incidents that counts who asks.
type counted struct{ lists int }

func (c *counted) List(context.Context, incidents.Query) (incidents.Page, error) {
	c.lists++
	return incidents.Page{}, nil
}

func (*counted) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return nil, nil }

// In a storm the past is looked through once for all, and again a while later.
func TestTheStormReadsThePastOnce(t *testing.T) {
	t.Parallel()
	past, now := &counted{}, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	h := NewHistory(past)
	h.now = func() time.Time { return now }
	for range 1000 {
		if _, err := h.Ask(t.Context(), Question{Incident: &incidents.Incident{ID: 7}}); err != nil {
			t.Fatal(err)
		}
	}
	if past.lists != 1 {
		t.Errorf("looked %d times", past.lists)
	}
	now = now.Add(readEvery)
	if _, err := h.Ask(t.Context(), Question{Incident: &incidents.Incident{ID: 7}}); err != nil || past.lists != 2 {
		t.Errorf("looked %d times, %v", past.lists, err)
	}
}
