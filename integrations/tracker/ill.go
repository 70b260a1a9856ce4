package tracker

import (
	"maps"
	"slices"
	"time"
)

// Bounds of what is kept of tickets that cannot be read.
const (
	MaxIll    = 100                // at once; with more, the look ends where it is
	MaxInARow = 5                  // with so many in a row it is the tracker that is ill, not a ticket
	farthest  = 7 * 24 * time.Hour // that long one is tried
)

// Ill are the tickets that could not be read, by key. They are tried again, ever
// more rarely, and keep nobody from the others.
type Ill map[string]Illness

// Illness is one of them.
type Illness struct {
	From  time.Time `json:"from"` // since when it was not heard
	Tries int       `json:"tries"`
	Next  time.Time `json:"next"`
}

// Due are those that it is time to try again, the longest waiting first.
func (all Ill) Due(now time.Time) []string {
	due := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(key string) bool { return all[key].Next.After(now) })
	slices.SortStableFunc(due, func(a, b string) int { return all[a].Next.Compare(all[b].Next) })
	return due
}

// Failed notes one more failure of a ticket that was last heard at from. It is
// given up, and forgotten, after a week: then it says so.
func (all Ill) Failed(key string, from, now time.Time) (gaveUp bool) {
	i, known := all[key]
	if !known {
		all[key] = Illness{From: from, Tries: 1, Next: now.Add(time.Minute)}
		return false
	}
	if i.From.Before(now.Add(-farthest)) {
		delete(all, key)
		return true
	}
	i.Next = now.Add(min(time.Minute<<min(i.Tries, 6), time.Hour))
	i.Tries++
	all[key] = i
	return false
}
