// Package broadcast hands signals to everybody in the process who watches.
//
// It promises never to block the sender: a watcher that does not keep up loses
// signals, which only saves it waiting for the next look (see
// incidents.Signal). Start with [Hub].
package broadcast

import (
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// capacity is how many signals a watcher may lag behind.
const capacity = 1024

// Hub is ready to use as its zero value.
type Hub struct {
	mu       sync.RWMutex
	watchers map[*watcher]struct{}
	closed   bool
}

type watcher struct{ signals chan incidents.Signal }

// Watch gives the signals from now on. The channel is closed by cancel, which
// may be called more than once, and by Close.
func (h *Hub) Watch() (signals <-chan incidents.Signal, cancel func()) {
	w := &watcher{signals: make(chan incidents.Signal, capacity)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(w.signals)
		return w.signals, func() {}
	}
	if h.watchers == nil {
		h.watchers = map[*watcher]struct{}{}
	}
	h.watchers[w] = struct{}{}
	return w.signals, func() { h.drop(w) }
}

func (h *Hub) drop(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, watching := h.watchers[w]; watching {
		delete(h.watchers, w)
		close(w.signals)
	}
}

// Send gives signals to every watcher that has room for them.
func (h *Hub) Send(signals ...incidents.Signal) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for w := range h.watchers {
		for _, s := range signals {
			select {
			case w.signals <- s:
			default:
			}
		}
	}
}

// Close ends all watching.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for w := range h.watchers {
		close(w.signals)
	}
	h.watchers = nil
}
