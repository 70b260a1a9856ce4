package worker

import (
	"container/list"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// cache keeps recently folded incidents, so that a stream of repetitions does
// not read the store. Only the goroutine that folds uses it.
type cache struct {
	byID  map[incidents.ID]*list.Element
	order *list.List // most recently used first
	size  int        // alerts followed by all cached incidents
}

// Bounds of the cache, in incidents and in alerts (about 100 bytes each).
const (
	maxCached       = 2000
	maxCachedAlerts = 200_000
)

func newCache() *cache { return &cache{byID: map[incidents.ID]*list.Element{}, order: list.New()} }

type cached struct {
	s    *incidents.Incident
	size int
}

func (c *cache) get(id incidents.ID) *incidents.Incident {
	e := c.byID[id]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached).s
}

func (c *cache) put(s *incidents.Incident) {
	c.drop(s.ID)
	e := &cached{s: s, size: s.Alerts.Len()}
	c.byID[s.ID] = c.order.PushFront(e)
	c.size += e.size
	for c.order.Len() > maxCached || c.size > maxCachedAlerts && c.order.Len() > 1 {
		c.drop(c.order.Back().Value.(*cached).s.ID)
	}
}

func (c *cache) drop(id incidents.ID) {
	if e := c.byID[id]; e != nil {
		c.size -= e.Value.(*cached).size
		c.order.Remove(e)
		delete(c.byID, id)
	}
}

// tombs remembers ends that came before their beginnings, so that a late
// "firing" does not open an incident about something that is over. It is
// bounded and in memory: it serves the seconds in which news can overtake
// each other.
type tombs struct {
	ends map[incidents.Key]time.Time
	ring []incidents.Key
	next int
}

const maxTombs = 20_000

func newTombs() *tombs {
	return &tombs{ends: map[incidents.Key]time.Time{}, ring: make([]incidents.Key, 0, 1024)}
}

func (t *tombs) add(fp incidents.Key, end time.Time) {
	if old, has := t.ends[fp]; has {
		if end.After(old) {
			t.ends[fp] = end
		}
		return
	}
	if len(t.ring) < maxTombs {
		t.ring = append(t.ring, fp)
	} else {
		delete(t.ends, t.ring[t.next])
		t.ring[t.next] = fp
		t.next = (t.next + 1) % maxTombs
	}
	t.ends[fp] = end
}

// after says whether the alert is known to have ended at or after start.
func (t *tombs) after(fp incidents.Key, start time.Time) bool {
	end, has := t.ends[fp]
	return has && !start.After(end)
}
