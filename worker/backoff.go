package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Bounds of the retries (R21): exponential with full jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = time.Minute
	maxLater     = time.Hour // a provider's Retry-After beyond this is not believed
)

// patience is how long an effect is tried before it is given up.
type patience struct {
	attempts int           // 0: as often as the budget allows
	budget   time.Duration // from when it became due
}

// patienceOf: a room is worth a day of trying; what the bot computes itself
// fails for good after five attempts, because the same input fails again.
func patienceOf(kind incidents.EffectKind) patience {
	switch kind {
	case incidents.DoSyncRoom:
		return patience{budget: 24 * time.Hour}
	case incidents.DoTimer, incidents.DoLook, incidents.DoRun:
		return patience{budget: 24 * time.Hour}
	default:
		return patience{attempts: 5, budget: time.Hour}
	}
}

// verdict says what to do after a failure: when to try again, or that it is
// hopeless.
func verdict(c *incidents.Claim, err error, now time.Time) (retry time.Time, hopeless bool) {
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden:
		return time.Time{}, true
	}
	p := patienceOf(c.Effect.Kind)
	if p.attempts > 0 && c.Attempt >= p.attempts || now.Sub(c.Effect.Due) > p.budget {
		return time.Time{}, true
	}
	if later, ok := errors.AsType[*incidents.Later](err); ok {
		return now.Add(min(max(later.After, firstBackoff), maxLater)), false
	}
	return now.Add(backoff(c.Attempt)), false
}

// backoff is a random time up to firstBackoff·2^(attempt−1), at most
// maxBackoff, and at least a tenth of that so that it is one.
func backoff(attempt int) time.Duration {
	top := min(firstBackoff<<min(attempt-1, 10), maxBackoff)
	return top/10 + rand.N(top-top/10)
}
