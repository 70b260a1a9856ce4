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

// Take makes what was sent durable and returns how many things it was, and how many
// more it left out because nothing can be done with them; it keeps no part of body. Its error is an *incidents.Error: Invalid, TooLarge,
// Overloaded or Unavailable.
type Take func(source string, body []byte, now time.Time) (accepted, leftOut int, err error)

// Door serves an endpoint for something that is no alert, but what its name says, with the same senders,
// bounds and refusals. Any media type is taken: without a token no web page
// comes in (see local), and with one it would have to know it. Call it for all
// endpoints before serving the first.
func (v *Receiver) Door(name string, take Take) http.Handler {
	if v.LoopbackOnly() {
		v.introduce(name)
	}
	h := &handler{Receiver: v, format: name, what: name}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := post{format: name, peer: peer(r)}
		answer, refused := h.through(w, r, &p, take)
		if refused != nil {
			h.metrics.refused[refused.reason].Inc()
			h.logRefused(p, h.what, refused, h.now())
			refused.write(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the sender is gone: nobody to tell
	})
}

// taken is what the sender hears.
type taken struct {
	Accepted int `json:"accepted"`
	LeftOut  int `json:"left_out,omitempty"`
}

func (h *handler) through(w http.ResponseWriter, r *http.Request, p *post, take Take) (done taken, refused *refusal) {
	defer func() {
		if e := recover(); e != nil {
			refused = internal(fmt.Errorf("panic: %v\n%s", e, debug.Stack()))
		}
	}()
	now := h.now().UTC().Round(0)
	if refused = h.size(r); refused != nil {
		return done, refused
	}
	if p.source, refused = h.identify(r, p.peer, now); refused != nil {
		return done, refused
	}
	compressed := strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip")
	release, ok := h.budget.reserve(p.source, h.weight(r, compressed))
	if !ok {
		return done, h.overloaded(nil)
	}
	defer release()
	body, refused := h.body(w, r, compressed)
	if refused != nil {
		return done, refused
	}
	defer body.free()
	var err error
	done.Accepted, done.LeftOut, err = take(p.source, body.bytes, now)
	switch {
	case err == nil:
		h.logLeftOut(*p, done.LeftOut, now)
		return done, nil
	case incidents.CodeOf(err) == incidents.Overloaded:
		return taken{}, h.overloaded(err)
	case incidents.CodeOf(err) == incidents.Unavailable:
		return taken{}, h.unavailable(err)
	}
	return taken{}, undecoded(err)
}
