package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fresh is how far a request's time may be from ours, both ways
// (https://docs.slack.dev/authentication/verifying-requests-from-slack).
const fresh = 5 * time.Minute

// signed says whether one of the secrets signed exactly this body, just now.
// Why not is for nobody to know.
func signed(h http.Header, body []byte, secrets []string, now time.Time) bool {
	at := h.Get("X-Slack-Request-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || len(at) > 12 || now.Sub(time.Unix(seconds, 0)).Abs() > fresh {
		return false
	}
	given, ok := strings.CutPrefix(h.Get("X-Slack-Signature"), "v0=")
	mac, err := hex.DecodeString(given)
	if !ok || err != nil || len(mac) != sha256.Size {
		return false
	}
	match := false
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		sum := hmac.New(sha256.New, []byte(secret))
		sum.Write([]byte("v0:" + at + ":"))
		sum.Write(body)
		match = hmac.Equal(sum.Sum(nil), mac) || match
	}
	return match
}

// replays remembers what was signed lately. It keeps a replay from being worked
// on at all; that a wish never works twice, on whichever replica, is what
// bot.Request.Once is for.
type replays struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

const (
	replayFor  = 2 * fresh
	maxReplays = 50_000
)

// again notes a signature and says whether it was noted before.
func (r *replays) again(signature string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.seen[signature]; ok && now.Sub(at) < replayFor {
		return true
	}
	if r.seen == nil {
		r.seen = map[string]time.Time{}
	}
	if len(r.seen) >= maxReplays {
		for s, at := range r.seen {
			if now.Sub(at) >= replayFor {
				delete(r.seen, s)
			}
		}
		if len(r.seen) >= maxReplays {
			clear(r.seen)
		}
	}
	r.seen[signature] = now
	return false
}

// forget lets a request come again that was not worked on.
func (r *replays) forget(signature string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, signature)
}
