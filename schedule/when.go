package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // images without a zone database are common

	"github.com/robfig/cron/v3"
)

// When is a sequence of planned times, the same on every replica.
type When struct {
	spec  string
	times cron.Schedule
}

// The fields of cron(5) and its @daily: no seconds.
var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// What cannot be planned.
var (
	errEvery = errors.New("@every counts from the start of a process, so replicas would not agree; write */5 * * * *")
	errZone  = errors.New("the time zone has a key of its own")
	errLocal = errors.New("the machine's own time zone may differ among replicas; name one, such as Asia/Tokyo")
	errNever = errors.New("it never comes")
)

// ParseWhen reads five fields of cron(5), or @hourly, @daily, @weekly, @monthly,
// @yearly, in a time zone of the IANA database; "" is UTC.
func ParseWhen(spec, zone string) (When, error) {
	spec = strings.TrimSpace(spec)
	switch {
	case strings.HasPrefix(spec, "@every"):
		return When{}, errEvery
	case strings.Contains(spec, "TZ="):
		return When{}, errZone
	case strings.EqualFold(zone, "local"):
		return When{}, errLocal
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return When{}, fmt.Errorf("find the time zone: %w", err)
	}
	parsed, err := parser.Parse(spec)
	if err != nil {
		return When{}, fmt.Errorf("read the times: %w", err)
	}
	times, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return When{}, errEvery
	}
	times.Location = loc
	w := When{spec: spec + " " + loc.String(), times: times}
	if w.after(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() { // within five years, a leap year among them
		return When{}, errNever
	}
	return w, nil
}

// after is the first planned time after t.
func (w When) after(t time.Time) time.Time { return w.times.Next(t.UTC()).UTC() }

// maxCounted bounds how many planned times are counted one by one.
const maxCounted = 10_000

// between are the first and the last planned time after from and up to to, and how
// many there are (from maxCounted on: at least so many).
func (w When) between(from, to time.Time) (first, last time.Time, n int) {
	for t := w.after(from); !t.IsZero() && !t.After(to); t = w.after(t) {
		if n++; n == 1 {
			first = t
		}
		last = t
		if n == maxCounted { // a minute's plan after a week: the rest is near the end
			if near := to.Add(-24 * time.Hour); near.After(t) {
				t = near
			}
		}
	}
	return first, last, n
}
