package intake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Take makes what was sent durable and returns how many things it was; it keeps
// no part of body. Its error is an *incidents.Error: Invalid, TooLarge,
// Overloaded or Unavailable.
type Take func(source string, body []byte, now time.Time) (int, error)

// Door serves an endpoint for something that is no alert, with the same senders,
// bounds and refusals. Any media type is taken: without a token no web page
// comes in (see local), and with one it would have to know it. Call it for all
// endpoints before serving the first.
func (v *Receiver) Door(name string, take Take) http.Handler {
	if v.LoopbackOnly() {
		v.introduce(name)
	}
	h := &handler{Receiver: v, format: name}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, refused := h.through(w, r, take)
		if refused != nil {
			h.metrics.refused[refused.reason].Inc()
			h.logRefused(post{format: name, peer: peer(r)}, refused, h.now())
			refused.write(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]int{"accepted": n}) // the sender is gone: nobody to tell
	})
}

func (h *handler) through(w http.ResponseWriter, r *http.Request, take Take) (n int, refused *refusal) {
	defer func() {
		if e := recover(); e != nil {
			refused = internal(fmt.Errorf("panic: %v\n%s", e, debug.Stack()))
		}
	}()
	now := h.now().UTC().Round(0)
	if refused = h.size(r); refused != nil {
		return 0, refused
	}
	source, refused := h.identify(r, peer(r), now)
	if refused != nil {
		return 0, refused
	}
	compressed := strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip")
	release, ok := h.budget.reserve(source, h.weight(r, compressed))
	if !ok {
		return 0, h.overloaded(nil)
	}
	defer release()
	body, refused := readBody(w, r, h.limits, compressed)
	if refused != nil {
		return 0, refused
	}
	defer body.free()
	n, err := take(source, body.bytes, now)
	switch {
	case err == nil:
		return n, nil
	case incidents.CodeOf(err) == incidents.Overloaded:
		return 0, h.overloaded(err)
	case incidents.CodeOf(err) == incidents.Unavailable:
		return 0, h.unavailable(err)
	}
	return 0, undecoded(err)
}
