package web

import (
	"context"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The bounds of the streams.
const (
	maxStreams       = 1000 // in all
	maxStreamsPerson = 5
)

// hub wakes the streams that a signal concerns. It never waits for one: a
// stream that is already awake needs no second call.
type hub struct {
	mu      sync.Mutex
	streams map[*listener]bool
	person  map[string]int
	over    context.Context // ends with the server
	close   func()          // ends all streams, for good
}

// listener is one open stream and what it wants to hear of.
type listener struct {
	person   string
	incident incidents.ID // 0: any
	room     string
	called   chan struct{} // holds at most one call
}

func newHub() *hub {
	over, end := context.WithCancel(context.Background())
	return &hub{streams: map[*listener]bool{}, person: map[string]int{}, over: over, close: end}
}

// join adds a stream, or says why not.
func (h *hub) join(person string, incident incidents.ID, room string) (*listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over.Err() != nil {
		return nil, incidents.Fail(incidents.Unavailable, "web.error.stopping", "the server is stopping; connect again")
	}
	if h.person[person] >= maxStreamsPerson || len(h.streams) >= maxStreams {
		return nil, incidents.Fail(incidents.Overloaded, "web.error.streams", "too many live pages are open at once; close one")
	}
	l := &listener{person: person, incident: incident, room: room, called: make(chan struct{}, 1)}
	h.streams[l] = true
	h.person[person]++
	return l, nil
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.streams[l] {
		return
	}
	delete(h.streams, l)
	if h.person[l.person]--; h.person[l.person] == 0 {
		delete(h.person, l.person)
	}
}

// wake calls the streams that sig concerns.
func (h *hub) wake(sig incidents.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.streams {
		if !l.wants(sig) {
			continue
		}
		select {
		case l.called <- struct{}{}:
		default:
		}
	}
}

func (l *listener) wants(sig incidents.Signal) bool {
	switch sig.Kind {
	case incidents.SignalIncident:
		return l.incident == 0 || l.incident == sig.Incident
	case incidents.SignalRoom:
		return l.room != "" && l.room == sig.Room
	}
	return false
}
