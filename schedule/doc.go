// Package schedule runs checks at planned times and reports what they say as
// alerts, on one replica of however many there are.
//
// It promises that a planned time leads to one start at most, and that one which
// led to none, or to no result, is reported: it is never skipped in silence.
// What it starts changes nothing (see Runner).
//
// Start with [Scheduler.Run].
package schedule
