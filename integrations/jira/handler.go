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
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusRequestEntityTooLarge)
			return
		}
		if !k.known(r, body) {
			http.Error(w, "no valid signature and no token", http.StatusUnauthorized)
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

// known checks the signature where a secret is set, else the token.
// https://developer.atlassian.com/cloud/jira/platform/webhooks/#secure-admin-webhooks
func (k *Tracker) known(r *http.Request, body []byte) bool {
	if k.config.Secret != "" {
		given, ok := strings.CutPrefix(r.Header.Get("X-Hub-Signature"), "sha256=")
		sum, err := hex.DecodeString(given)
		mac := hmac.New(sha256.New, []byte(k.config.Secret))
		mac.Write(body)
		return ok && err == nil && hmac.Equal(sum, mac.Sum(nil))
	}
	given := r.URL.Query().Get("token")
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		given = bearer
	}
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(k.config.Hook))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
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
