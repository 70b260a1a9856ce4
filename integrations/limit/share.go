package limit

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Replicas divide the rates. Each that sends says so in the document that has
// the closed windows, and takes rate/n of each rate, of n that said so lately;
// whoever sends nothing needs nothing, and is soon forgotten. Nobody reads the
// store before a request, so a newcomer is known to the others about a second
// after its first request, and what they took before that counts for one window
// more: until then its part may come on top, and a 429 closes the window for all.
// With more replicas than a rate has turns, each keeps one.

const (
	tell  = 5 * time.Second  // how often a replica that sends says so
	alive = 20 * time.Second // how long it counts after that
	most  = 64               // replicas; of more than that the others are not heard of
)

// replicaMark begins the name of a replica in the document, which no class does.
const replicaMark = "@"

func isReplica(name string) bool { return strings.HasPrefix(name, replicaMark) }

// part is a replica's part of a rate.
func (r Rate) part(of int) Rate {
	if r.N > 0 && !r.Own {
		r.N = max(r.N/max(of, 1), 1)
	}
	return r
}

// divide takes over who is there; l.mu is held.
func (l *Limiter) divide(theirs map[string]time.Time, now time.Time) {
	if l.shared == nil || l.shared.replica == "" {
		return
	}
	clear(l.live)
	for n, until := range theirs {
		if last := now.Add(alive); until.After(last) {
			until = last // their clock is not ours
		}
		if isReplica(n) && n != replicaMark+l.shared.replica && until.After(now) {
			l.live[n] = until
		}
	}
	if parts := min(len(l.live), most-1) + 1; parts != l.parts {
		l.parts = parts
		for _, q := range l.queues {
			q.rate = q.full.part(parts)
		}
		for w := range l.waiting {
			w.nudge()
		}
	}
}

// introduce adds this replica and those that it knows; l.mu is held.
func (l *Limiter) introduce(all map[string]time.Time, now time.Time) {
	if l.shared == nil || l.shared.replica == "" {
		return
	}
	names := make([]string, 0, len(l.live))
	for n := range l.live {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(l.live[b].Compare(l.live[a]), strings.Compare(a, b)) })
	for _, n := range names[:min(len(names), most-1)] {
		all[n] = l.live[n]
	}
	all[replicaMark+l.shared.replica] = now.Add(alive)
}

// Parts is among how many replicas the rates are divided.
func (l *Limiter) Parts() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts
}
