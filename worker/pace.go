package worker

import (
	"context"
	"time"
)

// The pace of folds while reports stream in. Each fold writes every incident
// that it changes once, however many alerts it found, so folding as fast as
// POSTs come would write an incident for every alert. A report that finds
// nothing going on does not wait: it is folded at once.
const (
	// leastPace is how far apart folds begin at least.
	leastPace = 50 * time.Millisecond
	// mostPace is how far apart they begin at most: a new incident's first alert
	// may wait that long while a storm of others is under way. Cards say later
	// still that there is more of the same (newsPace in incidents).
	mostPace = 500 * time.Millisecond
	// idleShare is how many times as long as the fold took nothing is folded, so
	// that a storm's processor time goes to accepting it.
	idleShare = 15
)

// manyAlerts are so many in one fold that waiting for more makes them no cheaper.
const manyAlerts = 3000

// pace is how long after its beginning a fold that took so long is followed by
// the next. Where incidents were opened more are likely to be, and where many
// alerts were folded more wait: no time to lose.
func pace(took time.Duration, did folded) time.Duration {
	if did.opened > 0 || did.alerts >= manyAlerts {
		return leastPace
	}
	return min(max((1+idleShare)*took, leastPace), mostPace)
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
