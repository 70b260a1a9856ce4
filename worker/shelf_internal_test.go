package worker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var shelfTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func declared(t *testing.T, id incidents.ID) *shelved {
	t.Helper()
	h := &shelved{Incident: &incidents.Incident{}}
	events, _, err := incidents.Advance(h.Incident, incidents.Declare{ID: id, Title: "slow", By: incidents.Actor{ID: "console:bea"}}, shelfTime, incidents.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	h.wrote(events)
	return h
}

func (h *shelved) note(t *testing.T, text string) {
	t.Helper()
	events, _, err := incidents.Advance(h.Incident, incidents.Note{By: incidents.Actor{ID: "console:bea"}, Text: text}, shelfTime, incidents.Policy{})
	if err != nil || len(events) == 0 {
		t.Fatalf("%v, %v", events, err)
	}
	h.wrote(events)
}

// An incident is on the shelf once, and its taker's alone.
func TestShelfGivesAway(t *testing.T) {
	c := newShelf()
	h := declared(t, 7)
	if c.take(7) != nil {
		t.Fatal("took what was never there")
	}
	c.put(h)
	if got := c.take(7); got != h {
		t.Fatalf("took %v", got)
	}
	if c.take(7) != nil || c.size != 0 || c.order.Len() != 0 {
		t.Fatal("it is still there")
	}
}

// A later state is not replaced by an earlier one, however late that comes.
func TestShelfKeepsTheLatest(t *testing.T) {
	c := newShelf()
	early, late := declared(t, 7), declared(t, 7)
	late.note(t, "later")
	for _, order := range [][]*shelved{{early, late}, {late, early}} {
		for _, h := range order {
			c.put(h)
		}
		if got := c.take(7); got != late {
			t.Fatalf("took version %d", got.Version)
		}
	}
}

func TestShelfIsBounded(t *testing.T) {
	c := newShelf()
	for id := range incidents.ID(maxShelved + 100) {
		c.put(declared(t, id+1))
	}
	if c.order.Len() != maxShelved || len(c.byID) != maxShelved || c.take(1) != nil || c.take(maxShelved+100) == nil {
		t.Fatalf("%d are on it", c.order.Len())
	}
}

func TestShelvedEvents(t *testing.T) {
	h := declared(t, 7)
	first := h.Version
	for i := range maxRecent + 3 {
		h.note(t, fmt.Sprint(i))
	}
	for _, c := range []struct {
		seq   int64
		n     int
		known bool
	}{
		{h.Version, 0, true}, {h.Version - 1, 1, true}, {h.Version - maxRecent, maxRecent, true},
		{h.Version - maxRecent - 1, 0, false}, {first, 0, false}, {0, 0, false},
	} {
		events, known := h.after(c.seq)
		if len(events) != c.n || known != c.known || c.n > 0 && events[0].Seq != c.seq+1 {
			t.Errorf("after %d of %d: %d events, %v", c.seq, h.Version, len(events), known)
		}
	}
	h.Version++ // something happened of which the events were not kept
	if _, known := h.after(h.Version - 1); known {
		t.Error("knows events that it never saw")
	}
	h.Version--
	h.wrote([]incidents.Event{{Seq: h.Version + 1, Alerts: &incidents.News{New: make(incidents.AlertList, maxRecentAlerts+1)}}})
	if len(h.recent) != 0 {
		t.Error("keeps an event of many alerts")
	}
}

func TestShelfUnderContention(t *testing.T) {
	c := newShelf()
	c.put(declared(t, 7))
	var all sync.WaitGroup
	var mu sync.Mutex
	held := 0
	for range 8 {
		all.Go(func() {
			for range 200 {
				h := c.take(7)
				if h == nil {
					continue
				}
				mu.Lock()
				if held++; held != 1 {
					t.Error("two have it")
				}
				held--
				mu.Unlock()
				c.put(h)
			}
		})
	}
	all.Wait()
}
