package worker

import (
	"context"
	"time"
)

// foldPace is how far apart folds begin while reports stream in. Each fold
// writes every incident that it changes once, however many alerts it found, so
// folding as fast as POSTs come would write an incident for every alert. A
// report that finds nothing going on does not wait: it is folded at once.
const foldPace = 50 * time.Millisecond

// rest waits until foldPace after began, or until ctx ends.
func rest(ctx context.Context, began, now time.Time) {
	wait := foldPace - now.Sub(began)
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
