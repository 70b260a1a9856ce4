package calendar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// What cannot be planned.
var (
	errEvery = errors.New("@every counts from the start of a process, so replicas would not agree")
	errLocal = errors.New("the machine's own time zone may differ among replicas; name one, such as Asia/Tokyo")
	errZone  = errors.New("the time zone has a key of its own")
	errNever = errors.New("it never comes")
	errLong  = errors.New("it lasts from one minute to 31 days")
	errDense = errors.New("it begins more often than every quarter of an hour")
	errOver  = errors.New("it ends before it begins")
	errDate  = errors.New("write 2026-12-24, 2026-12-24 18:00 or 2026-12-24T18:00:00+09:00")
)

// Bounds of a recurring span: a longer one is better written as dates.
const (
	shortest = time.Minute
	longest  = 31 * 24 * time.Hour
)

// Zone finds a time zone of the IANA database; "" is UTC.
func Zone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "local") {
		return nil, errLocal
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("find the time zone: %w", err)
	}
	return loc, nil
}

// wall is what a clock on the wall shows, as if it were in UTC: arithmetic on it knows
// no summer time.
func wall(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// moment is when a clock on the wall in loc shows w. What it never shows, because
// summer time begins, is as much later as it skips; what it shows twice is the first.
func moment(w time.Time, loc *time.Location) time.Time {
	t := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, loc)
	if !wall(t, loc).Equal(w) { // it is skipped: by the offset that held before
		_, before := t.Add(-24 * time.Hour).Zone()
		return w.Add(-time.Duration(before) * time.Second).In(loc)
	}
	for _, back := range []time.Duration{time.Hour, 30 * time.Minute} {
		if first := t.Add(-back); wall(first, loc).Equal(w) {
			return first
		}
	}
	return t
}

// recurring begins at the times of cron(5) on the wall, and lasts as long on it.
type recurring struct {
	times cron.Schedule
	lasts time.Duration
	loc   *time.Location
}

var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Recur adds times that recur: five fields of cron(5), or @daily and the like.
func (w *Window) Recur(spec string, lasts time.Duration, loc *time.Location) error {
	switch {
	case strings.HasPrefix(spec, "@every"):
		return errEvery
	case strings.Contains(spec, "TZ="):
		return errZone
	case lasts < shortest || lasts > longest:
		return errLong
	}
	parsed, err := parser.Parse(spec)
	if err != nil {
		return fmt.Errorf("read the times: %w", err)
	}
	times, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return errEvery
	}
	times.Location = time.UTC // on the wall, see wall
	if times.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return errNever
	}
	r, year := recurring{times, lasts, loc}, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if len(r.spans(year, year.AddDate(1, 0, 0))) > 366*24*4 {
		return errDense
	}
	w.rules = append(w.rules, r)
	return nil
}

func (r recurring) spans(from, until time.Time) []Span {
	var all []Span
	last := wall(until, r.loc)
	for t := r.times.Next(wall(from, r.loc).Add(-r.lasts - time.Second)); !t.IsZero() && t.Before(last) && len(all) <= maxSpans; t = r.times.Next(t) {
		all = keep(all, Span{From: moment(t, r.loc), Until: moment(t.Add(r.lasts), r.loc)}, from, until)
	}
	return all
}

// keep adds a span that is, and that is between.
func keep(all []Span, s Span, from, until time.Time) []Span {
	if s.Until.After(s.From) && s.Until.After(from) && s.From.Before(until) {
		return append(all, s)
	}
	return all
}

// once is a span that was written down.
type once Span

func (o once) spans(from, until time.Time) []Span { return keep(nil, Span(o), from, until) }

// Between adds a span between two dates or times of day. A date alone as the end is the
// end of that day.
func (w *Window) Between(from, until, why string, loc *time.Location) error {
	begin, _, err := parseTime(from, loc)
	if err != nil {
		return err
	}
	end, day, err := parseTime(until, loc)
	if err != nil {
		return err
	}
	if day {
		end = moment(wall(end, loc).AddDate(0, 0, 1), loc)
	}
	if !end.After(begin) {
		return errOver
	}
	w.rules = append(w.rules, once{begin, end, why})
	return nil
}

func parseTime(text string, loc *time.Location) (t time.Time, day bool, err error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, false, nil
	}
	for form, day := range map[string]bool{"2006-01-02": true, "2006-01-02 15:04": false} {
		if t, err := time.Parse(form, text); err == nil {
			return moment(t, loc), day, nil
		}
	}
	return time.Time{}, false, errDate
}

// Empty says that the window has no times at all.
func (w *Window) Empty() bool { return len(w.rules) == 0 }
