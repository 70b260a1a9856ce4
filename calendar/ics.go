package calendar

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// MaxICS bounds a file, in bytes, and maxEvents what is in it.
const (
	MaxICS    = 1 << 20
	maxEvents = 500
)

// What a file can be that is not a calendar.
var (
	errHalf     = errors.New("it ends before END:VCALENDAR, as a file does that is being written")
	errNoICS    = errors.New("it is no iCalendar file: it does not begin with BEGIN:VCALENDAR")
	errMany     = fmt.Errorf("it has more than %d events", maxEvents)
	errNone     = errors.New("it has no event")
	errOften    = errors.New("an event that recurs more often than daily is no window")
	errNotAFile = errors.New("it is not a regular file")
	errPeriod   = errors.New("an event has no beginning or no end")
)

// event is a VEVENT: times on the wall of its zone.
type event struct {
	uid, why   string
	begin, end time.Time // on the wall
	loc        *time.Location
	rule       string
	except     []time.Time // on the wall
	instead    bool        // it stands for one of another's recurrences,
	instanceOf time.Time   // the one at this time
	called     bool        // off
	lasts      time.Duration
	endLoc     *time.Location // of end
}

// property is a line of the file: NAME;PARAM=x:value.
type property struct {
	name, zone, value string
}

// ICS adds the events of an iCalendar file (RFC 5545). What has no zone of its own is
// in loc.
func (w *Window) ICS(text string, loc *time.Location) error {
	lines := unfold(text)
	if len(lines) == 0 || !strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(lines[0], "\ufeff")), "BEGIN:VCALENDAR") {
		return errNoICS
	}
	if !strings.EqualFold(strings.TrimSpace(lines[len(lines)-1]), "END:VCALENDAR") {
		return errHalf
	}
	var all []*event
	var e *event
	depth := 0 // of what stands within an event, such as an alarm
	for n, line := range lines {
		p := parseLine(line)
		switch {
		case p.name == "BEGIN" && strings.EqualFold(p.value, "VEVENT"):
			e = &event{loc: loc}
		case e == nil:
		case p.name == "BEGIN":
			depth++
		case p.name == "END" && depth > 0:
			depth--
		case p.name == "END":
			if all = append(all, e); len(all) > maxEvents {
				return errMany
			}
			e = nil
		case depth == 0:
			if err := e.take(p, loc); err != nil {
				return fmt.Errorf("line %d: %w", n+1, err)
			}
		}
	}
	if len(all) == 0 {
		return errNone
	}
	return w.events(all)
}

func (w *Window) events(all []*event) error {
	for _, e := range all {
		if e.instead {
			for _, other := range all {
				if other.uid == e.uid && !other.instead {
					other.except = append(other.except, e.instanceOf)
				}
			}
		}
	}
	for i, e := range all {
		if e.called {
			continue
		}
		if e.endLoc != nil && e.endLoc.String() != e.loc.String() {
			e.end = wall(moment(e.end, e.endLoc), e.loc)
		}
		if e.lasts > 0 && e.end.IsZero() {
			e.end = e.begin.Add(e.lasts)
		}
		if e.begin.IsZero() || !e.end.After(e.begin) {
			return fmt.Errorf("%s: %w", e.name(i+1), errPeriod)
		}
		if e.rule == "" {
			w.rules = append(w.rules, once{moment(e.begin, e.loc), moment(e.end, e.loc), e.why})
			continue
		}
		r, err := e.recurs()
		if err != nil {
			return fmt.Errorf("%s: %w", e.name(i+1), err)
		}
		w.rules = append(w.rules, r)
	}
	return nil
}

// name is what whoever wrote the file finds the event by: its words, its
// id, or its place.
func (e *event) name(place int) string {
	return cmp.Or(e.why, e.uid, fmt.Sprintf("event %d", place))
}

// unfold joins lines that were folded.
func unfold(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n ", ""), "\n\t", "")
	return strings.Split(strings.TrimSpace(text), "\n")
}

func parseLine(line string) property {
	head, value, _ := strings.Cut(line, ":")
	if i := strings.IndexByte(line, '"'); i >= 0 && i < len(head) { // TZID="Asia/Tokyo"
		if j := strings.IndexByte(line[i+1:], '"'); j >= 0 {
			rest, v, _ := strings.Cut(line[i+j+2:], ":")
			head, value = line[:i+j+2]+rest, v
		}
	}
	name, params, _ := strings.Cut(head, ";")
	p := property{name: strings.ToUpper(strings.TrimSpace(name)), value: strings.TrimSpace(value)}
	for param := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(param, "="); strings.EqualFold(k, "TZID") {
			p.zone = strings.Trim(v, `"`)
		}
	}
	return p
}

// take reads one line of an event.
func (e *event) take(p property, loc *time.Location) (err error) {
	switch p.name {
	case "UID":
		e.uid = p.value
	case "SUMMARY":
		e.why = unescape.Replace(p.value)
	case "STATUS":
		e.called = strings.EqualFold(p.value, "CANCELLED")
	case "RRULE":
		e.rule = p.value
	case "DURATION":
		e.lasts, err = parseDuration(p.value)
	case "DTSTART":
		var day bool
		if e.begin, e.loc, day, err = p.time(loc); day && e.end.IsZero() && e.lasts == 0 {
			e.lasts = 24 * time.Hour // RFC 5545, 3.6.1: a date without an end is that day
		}
	case "DTEND":
		e.end, e.endLoc, _, err = p.time(loc)
	case "EXDATE":
		for one := range strings.SplitSeq(p.value, ",") {
			t, at, _, bad := property{zone: p.zone, value: one}.time(loc)
			if bad != nil {
				return bad
			}
			e.except = append(e.except, wall(moment(t, at), e.loc))
		}
	case "RECURRENCE-ID":
		e.instead = true
		e.instanceOf, _, _, err = p.time(loc)
	case "RDATE":
		return errors.New("RDATE is not known here; write the dates under dates")
	}
	return err
}

var unescape = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`)

// time is what a clock on the wall of its zone shows.
func (p property) time(loc *time.Location) (w time.Time, at *time.Location, day bool, err error) {
	if p.zone != "" {
		if loc, err = Zone(p.zone); err != nil {
			return w, nil, false, fmt.Errorf("time zone %q is none of the IANA database", p.zone)
		}
	}
	value := strings.TrimSpace(p.value)
	if strings.HasSuffix(value, "Z") {
		loc, value = time.UTC, strings.TrimSuffix(value, "Z")
	}
	for form, day := range map[string]bool{"20060102": true, "20060102T150405": false} {
		if w, err := time.Parse(form, value); err == nil {
			return w, loc, day, nil
		}
	}
	return w, nil, false, fmt.Errorf("%s is no time", p.name)
}

var durationForm = regexp.MustCompile(`\A\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?\z`)

func parseDuration(text string) (time.Duration, error) {
	m := durationForm.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("DURATION is none")
	}
	var sum time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + m[i+1])
		sum += time.Duration(n) * unit
	}
	return sum, nil
}

// ruled recurs by an RRULE on the wall.
type ruled struct {
	rule   *rrule.RRule
	lasts  time.Duration
	loc    *time.Location
	why    string
	except []time.Time
}

func (e *event) recurs() (rule, error) {
	o, err := rrule.StrToROptionInLocation(e.rule, time.UTC)
	if err != nil {
		return nil, fmt.Errorf("read RRULE: %w", err)
	}
	if o.Freq > rrule.DAILY {
		return nil, errOften
	}
	o.Dtstart = e.begin
	if !o.Until.IsZero() && strings.Contains(strings.ToUpper(e.rule), "Z") {
		o.Until = wall(o.Until, e.loc)
	}
	r, err := rrule.NewRRule(*o)
	if err != nil {
		return nil, fmt.Errorf("read RRULE: %w", err)
	}
	return ruled{r, e.end.Sub(e.begin), e.loc, e.why, e.except}, nil
}

func (r ruled) spans(from, until time.Time) []Span {
	var all []Span
	next, last := r.rule.Iterator(), wall(until, r.loc)
	for range maxSpans * 8 { // from its first time on
		t, ok := next()
		if !ok || !t.Before(last) || len(all) > maxSpans {
			break
		}
		if slices.ContainsFunc(r.except, t.Equal) {
			continue
		}
		all = keep(all, Span{moment(t, r.loc), moment(t.Add(r.lasts), r.loc), r.why}, from, until)
	}
	return all
}
