package logs

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// The time that a line bears decides nothing about others: a sender with one stream too
// many whose lines are of all times has all books looked through once a minute.
func TestLinesOfAllTimesSweepOnce(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s := New(Config{})
	add := func(n int, at, now time.Time) {
		s.count(record{At: at.UnixMilli(), Service: fmt.Sprint("service-", n), By: "sender", Text: "hello"}, now, true)
	}
	for n := range mostStreams {
		add(n, now, now)
	}
	p := s.part("")
	for n := range 10 { // would end all streams, were it believed
		add(mostStreams+n, now.Add(time.Duration(n+1)*diagnostics.BookKeeps*2), now)
	}
	if len(p.books) != mostStreams || !p.swept.Equal(now) || s.Stats().Unplaced != 10 {
		t.Errorf("%d books, looked through at %s, %d lines without one", len(p.books), p.swept, s.Stats().Unplaced)
	}
	later := now.Add(diagnostics.BookKeeps + time.Minute)
	if add(mostStreams, later, later); len(p.books) != 1 {
		t.Errorf("%d books when all have ended but one", len(p.books))
	}
}
