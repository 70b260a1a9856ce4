package worker

import (
	"sync"
	"time"
)

// complain logs a failure of the store at most once in ten seconds for each
// kind, with how often it happened meanwhile.
func (w *Worker) complain(what string, err error, args ...any) {
	w.trouble.Store(w.now().UnixNano())
	w.warn(what, err, args...)
}

// warn is complain about what keeps nobody from folding.
func (w *Worker) warn(what string, err error, args ...any) {
	if n, due := w.quiet.due(what, w.now()); due {
		w.logger.Warn("could not "+what, append([]any{"error", err, "times", n}, args...)...)
	}
}

// complaints counts failures between two log lines.
type complaints struct {
	mu   sync.Mutex
	seen map[string]*complaint
}

type complaint struct {
	said  time.Time
	times int
}

const complainEvery = 10 * time.Second

func (c *complaints) due(what string, now time.Time) (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]*complaint{}
	}
	k := c.seen[what]
	if k == nil {
		k = &complaint{}
		c.seen[what] = k
	}
	k.times++
	if now.Sub(k.said) < complainEvery {
		return 0, false
	}
	n := k.times
	k.said, k.times = now, 0
	return n, true
}
