package discord

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"
)

// freshness is how old, or how far ahead of us, a signed request may be.
const freshness = 5 * time.Minute

// verified says whether the application's key signed these bytes, lately.
// https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
func verified(key ed25519.PublicKey, timestamp, signature string, body []byte, now time.Time) bool {
	sig, err := hex.DecodeString(signature)
	if err != nil || len(sig) != ed25519.SignatureSize || len(key) != ed25519.PublicKeySize {
		return false
	}
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(at, 10) != timestamp {
		return false
	}
	if age := now.Sub(time.Unix(at, 0)); age > freshness || age < -freshness {
		return false
	}
	return ed25519.Verify(key, append([]byte(timestamp), body...), sig)
}

// replays remembers what was signed, for longer than it stays fresh. What comes
// again, over another replica too, would do nothing twice anyway: see
// bot.Request.Once.
type replays struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time
	next time.Time // when the old ones are forgotten
}

// maxReplays bounds what is remembered; beyond it, everything is forgotten.
const maxReplays = 50_000

// first says whether this signature, with what it signs, was not seen before.
func (r *replays) first(signed string, now time.Time) bool {
	sum := sha256.Sum256([]byte(signed))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[[sha256.Size]byte]time.Time{}
	}
	if now.After(r.next) {
		for k, at := range r.seen {
			if now.Sub(at) > 2*freshness {
				delete(r.seen, k)
			}
		}
		r.next = now.Add(time.Minute)
	}
	if at, ok := r.seen[sum]; ok && now.Sub(at) <= 2*freshness {
		return false
	}
	if len(r.seen) >= maxReplays {
		clear(r.seen)
	}
	r.seen[sum] = now
	return true
}

// forget lets a request come again that was not worked on.
func (r *replays) forget(signed string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, sha256.Sum256([]byte(signed)))
}
