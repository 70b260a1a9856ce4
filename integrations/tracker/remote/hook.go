package remote

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

const (
	maxHook  = 1 << 20 // bytes of a webhook
	hookTime = 12 * time.Second
)

// Hook is how a tracker's webhooks are read.
type Hook struct {
	// Given is what the request shows itself with.
	Given func(r *http.Request) string
	// Keys are the tickets that it says have changed; false where the body is no
	// webhook of this tracker.
	Keys func(body []byte) ([]string, bool)
}

// Handler takes the tracker's webhooks. It answers with 2xx when what changed is
// durable in the incident, and with 503 where it should be told again.
func (w *Watch) Handler(h Hook, to tracker.Changer) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.Config.Hook == "" {
			http.NotFound(rw, r)
			return
		}
		if !same(h.Given(r), w.Config.Hook) {
			http.Error(rw, "no valid token", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxHook))
		if err != nil {
			http.Error(rw, "the body cannot be read", http.StatusRequestEntityTooLarge)
			return
		}
		keys, ok := h.Keys(body)
		if !ok {
			http.Error(rw, "the body is no event", http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), hookTime)
		defer cancel()
		for _, key := range keys {
			if err := w.Hear(ctx, key, to); err != nil {
				w.Log.Warn("what changed in a ticket could not be taken over yet", "tracker", w.Config.Name, "ticket", bot.Line(key, 60), "error", err)
				rw.Header().Set("Retry-After", "10")
				http.Error(rw, "tell it again later", http.StatusServiceUnavailable)
				return
			}
		}
		rw.WriteHeader(http.StatusNoContent)
	})
}

// same compares without telling by its time how much of it is right.
func same(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
