package limit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// queue is those who wait for one class and key, and the turns that were taken
// there lately. The limiter's lock guards it.
type queue struct {
	full    Rate // of all replicas together
	rate    Rate // of this one
	waiters [lanes][]*waiter
	taken   []time.Time // within the last rate.Per, oldest first
}

// maxName bounds what of a class and a key is kept as it is.
const maxName = 80

// name is of a class and a key; "" for all of a class.
func name(class, key string) string {
	if key == "" {
		return class
	}
	n := class + "/" + key
	if len(n) > maxName {
		sum := sha256.Sum256([]byte(n))
		n = "#" + hex.EncodeToString(sum[:16])
	}
	return n
}

// sweepFrom is from how many queues on the forgotten ones are removed.
const sweepFrom = 1024

// queue finds or makes a queue; l.mu is held.
func (l *Limiter) queue(name string, rate Rate) *queue {
	if q := l.queues[name]; q != nil {
		return q
	}
	if len(l.queues) >= l.sweepAt {
		now := l.now()
		for n, q := range l.queues {
			if q.first() == nil && q.lately(now) == 0 {
				delete(l.queues, n)
			}
		}
		for n, until := range l.closed {
			if !until.After(now) {
				delete(l.closed, n)
			}
		}
		l.sweepAt = max(sweepFrom, 2*len(l.queues))
	}
	q := &queue{full: rate, rate: rate.part(l.parts)}
	l.queues[name] = q
	return q
}

func (q *queue) add(w *waiter) { q.waiters[w.lane] = append(q.waiters[w.lane], w) }

func (q *queue) remove(w *waiter) {
	if i := slices.Index(q.waiters[w.lane], w); i >= 0 {
		q.waiters[w.lane] = slices.Delete(q.waiters[w.lane], i, i+1)
	}
}

func (q *queue) has(w *waiter) bool { return slices.Contains(q.waiters[w.lane], w) }

// ahead is how many are served before w.
func (q *queue) ahead(w *waiter) int {
	n := 0
	for lane := range w.lane {
		n += len(q.waiters[lane])
	}
	return n + slices.Index(q.waiters[w.lane], w)
}

func (q *queue) first() *waiter {
	for _, ws := range q.waiters {
		if len(ws) > 0 {
			return ws[0]
		}
	}
	return nil
}

// nudge wakes who is first now.
func (q *queue) nudge() {
	if w := q.first(); w != nil {
		w.nudge()
	}
}

// lately forgets the turns that no longer count and returns how many do.
func (q *queue) lately(now time.Time) int {
	i := 0
	for i < len(q.taken) && !q.taken[i].Add(q.rate.Per).After(now) {
		i++
	}
	q.taken = slices.Delete(q.taken, 0, i)
	return len(q.taken)
}

// at is when the rate allows a turn to the one with so many ahead, if nobody
// more urgent comes.
func (q *queue) at(ahead int, now time.Time) time.Time {
	if q.rate.N <= 0 || q.rate.Per <= 0 {
		return now
	}
	free := q.rate.N - q.lately(now)
	if ahead < free {
		return now
	}
	// The free turns are taken now; each turn frees another one a Per later.
	round, i := (ahead-free)/q.rate.N, (ahead-free)%q.rate.N
	began := now
	if i < len(q.taken) {
		began = q.taken[i]
	}
	return began.Add(time.Duration(round+1) * q.rate.Per)
}

func (q *queue) take(now time.Time) {
	if q.rate.N > 0 && q.rate.Per > 0 {
		q.taken = append(q.taken, now)
	}
}
