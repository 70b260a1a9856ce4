package sqlite

import "time"

// clock is the store's own line of time: nanoseconds that start at the wall
// clock of the moment of opening and from there follow the monotonic clock. A
// jump of the wall clock neither ends a lease early nor holds one for an hour.
type clock struct{ opened time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() int64 { return c.opened.UnixNano() + int64(time.Since(c.opened)) }

// place puts a moment of the wall clock on the line: as far from now as it is
// by the wall clock. The zero time is now.
func (c clock) place(t time.Time) int64 {
	if t.IsZero() {
		return c.now()
	}
	return c.now() + int64(t.Round(0).Sub(time.Now().Round(0)))
}

// wall is the inverse of place.
func (c clock) wall(at int64) time.Time {
	return time.Now().Round(0).Add(time.Duration(at - c.now()))
}
