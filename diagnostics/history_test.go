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

// slow is a past with one incident, whose Load tells that it began and waits.
type slow struct {
	incident *incidents.Incident
	loading  chan chan struct{} // nil: it answers at once
}

func (p *slow) List(context.Context, incidents.Query) (incidents.Page, error) {
	return incidents.Page{Incidents: []incidents.Summary{p.incident.Summary()}}, nil
}

func (p *slow) Load(context.Context, incidents.ID) (*incidents.Incident, error) {
	if p.loading != nil {
		answer := make(chan struct{})
		p.loading <- answer
		<-answer
	}
	return p.incident, nil
}

// While one waits for the store, another is not kept waiting for what is known.
func TestNobodyWaitsForAnothersLoad(t *testing.T) {
	t.Parallel()
	old := &incidents.Incident{ID: 3, Title: "the disk of db-1 is full", Released: true, Resolved: &incidents.Mark{}}
	past := &slow{incident: old}
	h := NewHistory(past)
	ask := func() (Answer, error) {
		return h.Ask(t.Context(), Question{Incident: &incidents.Incident{ID: 7, Title: old.Title}})
	}
	if answer, err := ask(); err != nil || len(answer.Clues) != 2 {
		t.Fatalf("%v, %v", answer.Clues, err)
	}
	past.loading = make(chan chan struct{})
	done := make(chan struct{}, 2)
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			if answer, err := ask(); err != nil || len(answer.Clues) != 2 {
				t.Errorf("%v, %v", answer.Clues, err)
			}
		}()
	}
	first := <-past.loading
	select {
	case second := <-past.loading: // both are at it
		close(second)
	case <-time.After(time.Minute):
		t.Error("the second one waits for the first one's store")
		go func() { close(<-past.loading) }()
	}
	close(first)
	<-done
	<-done
}
