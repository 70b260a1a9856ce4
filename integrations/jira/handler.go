package jira

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Hears says whether webhooks are configured: something to know them by.
func (k *Tracker) Hears() bool { return k.config.Secret != "" || k.config.Hook != "" }

const (
	maxHook  = 1 << 20 // bytes of a webhook
	maxRead  = 32      // webhooks whose bodies are in memory and not known yet
	hookTime = 12 * time.Second
)

// Handler takes Jira's webhooks. It answers with 2xx when what they tell is
// durable in the incident, and with 503 where Jira should tell it again.
func (k *Tracker) Handler(to tracker.Changer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !k.Hears() {
			http.NotFound(w, r)
			return
		}
		body, problem, status := k.read(w, r)
		if status != http.StatusOK {
			if status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", "10")
			}
			http.Error(w, problem, status)
			return
		}
		var e event
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, "the body is no event", http.StatusBadRequest)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), hookTime)
		defer cancel()
		if err := k.heard(ctx, &e, r.Header.Get("X-Atlassian-Webhook-Identifier"), to); err != nil {
			k.log.Warn("what changed in a ticket could not be taken over yet", "tracker", k.config.Name, "ticket", bot.Line(e.Issue.Key, 60), "error", err)
			w.Header().Set("Retry-After", "10")
			http.Error(w, "tell it again later", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// read is the body of who is known. Who says nothing to be known by is not read, and of
// the others few at once: until a body is read whole, nobody knows who signed it.
func (k *Tracker) read(w http.ResponseWriter, r *http.Request) (body []byte, problem string, status int) {
	const unknown = "no valid signature and no token"
	signature, ok := k.shown(r)
	if !ok {
		return nil, unknown, http.StatusUnauthorized
	}
	defer k.reading.Add(-1)
	if k.reading.Add(1) > maxRead {
		return nil, "too many at once", http.StatusServiceUnavailable
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		return nil, "the body cannot be read", http.StatusRequestEntityTooLarge
	}
	if k.config.Secret != "" {
		mac := hmac.New(sha256.New, []byte(k.config.Secret))
		mac.Write(body)
		if !hmac.Equal(signature, mac.Sum(nil)) {
			return nil, unknown, http.StatusUnauthorized
		}
	}
	return body, "", http.StatusOK
}

// shown is the signature where a secret is set; else it checks the token.
// https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
func (k *Tracker) shown(r *http.Request) (signature []byte, ok bool) {
	if k.config.Secret != "" {
		given, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature"), "sha256=")
		signature, err := hex.DecodeString(given)
		return signature, ok && err == nil && len(signature) == sha256.Size
	}
	given := r.URL.Query().Get("token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		given = bearer
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(k.config.Hook))
	return nil, subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (k *Tracker) heard(ctx context.Context, e *event, redelivery string, to tracker.Changer) error {
	if !issueKey.MatchString(e.Issue.Key) {
		return nil
	}
	me, err := k.client.me(ctx)
	if err != nil {
		return err
	}
	for _, c := range k.changes(e, me, bot.Line(redelivery, 100)) {
		if err := k.tell(ctx, c, to); err != nil {
			return err
		}
	}
	return nil
}

// tell carries one change on. What is refused for good (the person may not, the
// incident is over) is no reason to hear it again.
func (k *Tracker) tell(ctx context.Context, c tracker.Change, to tracker.Changer) error {
	err := to.Changed(ctx, c)
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden, incidents.Unauthenticated, incidents.Conflict, incidents.TooLarge:
		k.log.Info("a change in a ticket was not carried over", "tracker", k.config.Name, "ticket", c.Key, "by", c.By.ID, "error", err)
		return nil
	}
	return err
}
