package worker

import (
	"container/list"
	"math"
	"slices"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// shelf keeps incidents as this process left them, so that what happens to them
// next need not read the store: a stream of repetitions, or the few effects that
// follow an opening. Who takes one owns it, may change it in place, and puts it
// back once the change is committed; what was changed and not committed is
// never put back. It only ever saves: the versions that a commit expects decide
// whether it was up to date.
type shelf struct {
	mu    sync.Mutex
	byID  map[incidents.ID]*list.Element
	order *list.List // most recently used first
	size  int        // alerts followed by all incidents on it
}

// Bounds of the shelf, in incidents and in alerts (about 100 bytes each).
const (
	maxShelved       = 2000
	maxShelvedAlerts = 200_000
)

// shelved is an incident and the run of events that led to it, as far as it is
// known.
type shelved struct {
	*incidents.Incident
	recent []incidents.Event
	alerts int // when it was put on the shelf
}

// Bounds of the events kept with an incident. An event of many alerts holds the
// whole report in memory that they came with.
const (
	maxRecent       = 12
	maxRecentAlerts = 20
)

func newShelf() *shelf {
	return &shelf{byID: map[incidents.ID]*list.Element{}, order: list.New()}
}

// take returns the incident, nil where it is not there. It is the caller's then.
func (c *shelf) take(id incidents.ID) *shelved { return c.takeUpTo(id, math.MaxInt) }

// takeSmall is take for a caller who keeps it for long: a large incident is more
// use to the folder.
func (c *shelf) takeSmall(id incidents.ID) *shelved { return c.takeUpTo(id, maxBorrowed) }

func (c *shelf) takeUpTo(id incidents.ID, alerts int) *shelved {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byID[id]
	if e == nil || e.Value.(*shelved).alerts > alerts {
		return nil
	}
	h := e.Value.(*shelved)
	c.drop(e)
	return h
}

const maxBorrowed = 100

// put puts an incident back, unless a later state of it is there. It is nobody's
// then.
func (c *shelf) put(h *shelved) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byID[h.ID]; e != nil {
		if e.Value.(*shelved).Version >= h.Version {
			return
		}
		c.drop(e)
	}
	h.alerts = h.Alerts.Len()
	c.byID[h.ID] = c.order.PushFront(h)
	c.size += h.alerts
	for c.order.Len() > maxShelved || c.size > maxShelvedAlerts && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *shelf) drop(e *list.Element) {
	h := e.Value.(*shelved)
	c.size -= h.alerts
	c.order.Remove(e)
	delete(c.byID, h.ID)
}

// wrote notes the events that were committed.
func (h *shelved) wrote(events []incidents.Event) {
	for i := range events {
		e := &events[i]
		if e.Alerts != nil && len(e.Alerts.New) > maxRecentAlerts {
			h.recent = nil
			continue
		}
		h.recent = append(h.recent, *e)
	}
	if n := len(h.recent) - maxRecent; n > 0 {
		h.recent = slices.Delete(h.recent, 0, n)
	}
}

// after returns the events after a number, false where they are not all known.
func (h *shelved) after(seq int64) ([]incidents.Event, bool) {
	if n := len(h.recent); n == 0 || h.recent[0].Seq > seq+1 || h.recent[n-1].Seq != h.Version {
		return nil, false
	}
	return slices.Clone(h.recent[max(seq+1-h.recent[0].Seq, 0):]), true
}
