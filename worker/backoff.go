package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Bounds of the retries: exponential with full jitter.
const (
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = time.Minute
	maxLater     = time.Hour // a provider's Retry-After beyond this is not believed
)

// attemptsOf is how often an effect is tried before it is given up. Attempts
// are counted by the store, so a restart does not begin anew. A room, a ticket, a timer,
// a look or a verdict on a run is worth a day of trying, at a try a minute; what the bot computes
// itself fails for good after five, because the same input fails again.
func attemptsOf(kind incidents.EffectKind) int {
	switch kind {
	case incidents.DoSyncRoom, incidents.DoSyncTicket, incidents.DoArchive, incidents.DoTimer, incidents.DoLook, incidents.DoRun, incidents.DoJudge:
		return int(24 * time.Hour / maxBackoff)
	default:
		return 5
	}
}

// verdict says what to do after a failure: when to try again, or that it is
// hopeless.
func verdict(c *incidents.Claim, err error, now time.Time) (retry time.Time, hopeless bool) {
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden:
		return time.Time{}, true
	}
	if c.Attempt >= attemptsOf(c.Effect.Kind) {
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
