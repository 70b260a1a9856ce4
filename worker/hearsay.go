package worker

import (
	"slices"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// hearsay tells the folder what the engine of the same process did to
// incidents, so that the folder need not read a whole incident again because
// its room was synced. It is only ever a saving: what is not heard, or heard
// in another order, is read from the store, whose versions decide.
type hearsay struct {
	mu   sync.Mutex
	news []heard
}

type heard struct {
	id     incidents.ID
	expect int64
	events []incidents.Event
}

// maxHearsay bounds what is kept for a folder that does not listen, because
// another process folds.
const maxHearsay = 4096

// tell notes a change that was committed.
func (h *hearsay) tell(ch *incidents.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.news) >= maxHearsay {
		h.news = nil
	}
	h.news = append(h.news, heard{id: ch.State.ID, expect: ch.Expect, events: slices.Clone(ch.Events)})
}

// take empties it.
func (h *hearsay) take() []heard {
	h.mu.Lock()
	defer h.mu.Unlock()
	news := h.news
	h.news = nil
	return news
}

// learn brings cached incidents up to date.
func (c *cache) learn(news []heard) {
	for i := range news {
		n := &news[i]
		e := c.byID[n.id]
		if e == nil {
			continue
		}
		s := e.Value.(*cached).s
		if s.Version != n.expect {
			continue
		}
		for j := range n.events {
			incidents.Apply(s, &n.events[j])
		}
	}
}
