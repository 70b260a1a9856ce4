package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func said(spans []Span) string {
	var all []string
	for _, s := range spans {
		all = append(all, s.From.UTC().Format("0102T1504")+"-"+s.Until.UTC().Format("0102T1504"))
	}
	return strings.Join(all, " ")
}

// TestRecurringOnTheWall: a window is what a clock on the wall shows, where summer time
// begins (02:00 to 03:00 does not exist on 29 March 2026 in Berlin) and where it ends.
func TestRecurringOnTheWall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cron  string
		lasts time.Duration
		zone  string
		from  string
		want  string
	}{
		{"0 2 * * *", 2 * time.Hour, "", "2026-03-28T12:00:00Z", "0329T0200-0329T0400 0330T0200-0330T0400"},
		{"0 22 * * *", 8 * time.Hour, "Europe/Berlin", "2026-03-28T12:00:00Z", "0328T2100-0329T0400 0329T2000-0330T0400"}, // seven hours in the night that is shorter
		{"0 22 * * *", 8 * time.Hour, "Europe/Berlin", "2026-10-24T12:00:00Z", "1024T2000-1025T0500 1025T2100-1026T0500"}, // nine
		{"30 2 * * *", time.Hour, "Europe/Berlin", "2026-03-28T12:00:00Z", "0330T0030-0330T0130 0331T0030-0331T0130"},     // on the 29th 02:30 and 03:30 are one moment
		{"0 2 * * *", 4 * time.Hour, "Europe/Berlin", "2026-03-28T12:00:00Z", "0329T0100-0329T0400 0330T0000-0330T0400"},
		{"0 9 * * MON", time.Hour, "Asia/Tokyo", "2026-03-28T12:00:00Z", "0330T0000-0330T0100 0406T0000-0406T0100"},
	} {
		w := &Window{}
		if err := w.Recur(c.cron, c.lasts, zone(t, c.zone)); err != nil {
			t.Fatal(err)
		}
		got := said(w.Next(at(t, c.from), 2))
		if got != c.want {
			t.Errorf("%s for %v in %q: %s, want %s", c.cron, c.lasts, c.zone, got, c.want)
		}
	}
}

func TestAtItsEdges(t *testing.T) {
	t.Parallel()
	w := &Window{}
	if err := w.Between("2026-12-24", "2026-12-26", "Christmas", zone(t, "Asia/Tokyo")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"2026-12-23T14:59:59Z": false, "2026-12-23T15:00:00Z": true, "2026-12-26T14:59:59Z": true, "2026-12-26T15:00:00Z": false,
	} {
		if _, now := w.At(at(t, text)); now != want {
			t.Errorf("%s: %v", text, now)
		}
	}
	for i := range 3 { // asked in any order, over years
		if _, now := w.At(at(t, fmt.Sprintf("20%d-12-25T00:00:00Z", 27-i))); now != (i == 1) {
			t.Errorf("in %d: %v", 27-i, now)
		}
	}
}

const ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" +
	"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Year end\\, all\r\nDTSTART;VALUE=DATE:20261228\r\nDTEND;VALUE=DATE:20270104\r\n" +
	"BEGIN:VALARM\r\nDURATION:PT99H\r\nSUMMARY:not this\r\nEND:VALARM\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Fri\r\n day evening\r\nDTSTART;TZID=\"America/New_York\":20261204T180000\r\nDURATION:PT3H\r\n" +
	"RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20261226T000000Z\r\nEXDATE;TZID=America/New_York:20261211T180000\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Later this once\r\nRECURRENCE-ID;TZID=America/New_York:20261218T180000\r\nDTSTART:20261219T010000Z\r\nDTEND:20261219T020000Z\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:3\r\nSTATUS:CANCELLED\r\nDTSTART:20261201T000000Z\r\nDTEND:20261202T000000Z\r\nEND:VEVENT\r\n" +
	"END:VCALENDAR\r\n"

func TestICalendar(t *testing.T) {
	t.Parallel()
	w := &Window{}
	if err := w.ICS(ics, zone(t, "Asia/Tokyo")); err != nil {
		t.Fatal(err)
	}
	next := w.Next(at(t, "2026-11-30T00:00:00Z"), 9)
	if got := said(next); got != "1204T2300-1205T0200 1219T0100-1219T0200 1225T2300-1226T0200 1227T1500-0103T1500" {
		t.Errorf("%s", got)
	}
	if next[0].Why != "Friday evening" || next[3].Why != "Year end, all" {
		t.Errorf("%q %q", next[0].Why, next[3].Why)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	event := func(lines string) string {
		return "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n" + lines + "\nEND:VEVENT\nEND:VCALENDAR"
	}
	for text, want := range map[string]string{
		"": "no iCalendar", "<html>": "no iCalendar", "BEGIN:VCALENDAR\nEND:VCALENDAR": "no event",
		event("DTSTART;TZID=Tokyo Standard Time:20260101T000000\nDURATION:PT1H"):                                                     "IANA",
		event("DTSTART:20260101T000000\nDTEND:20251231T000000"):                                                                      "1: an event has no beginning or no end",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T000000\nDURATION:PT1H\nEND:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR": "event 2: an event has no",
		event("DTSTART:tomorrow"): "no time",
		event("DTSTART:20260101T000000\nDURATION:PT1H\nRRULE:FREQ=SECONDLY"):                              "daily",
		event("DTSTART:20260101T000000\nDURATION:PT1H\nRRULE:FREQ=NEVER"):                                 "RRULE",
		event("DTSTART:20260101T000000\nDURATION:soon"):                                                   "DURATION",
		event("DTSTART:20260101T000000\nDURATION:PT1H\nRDATE:20260102T000000"):                            "dates",
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", maxEvents+1) + "END:VCALENDAR": "more than",
	} {
		if err := (&Window{}).ICS(text, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
	for spec, lasts := range map[string]time.Duration{
		"@every 1h": time.Hour, "TZ=UTC 0 2 * * *": time.Hour, "0 2 30 2 *": time.Hour, "x": time.Hour, "* * * * *": time.Minute,
		"0 2 * * *": 0, "0 3 * * *": 32 * 24 * time.Hour,
	} {
		if err := (&Window{}).Recur(spec, lasts, time.UTC); err == nil {
			t.Errorf("%s for %v was taken", spec, lasts)
		}
	}
	for _, d := range [][2]string{{"2026-01-02", "2026-01-01"}, {"soon", "2026-01-01"}, {"2026-01-01", ""}, {"2026-01-01 10:00", "2026-01-01 10:00"}} {
		if err := (&Window{}).Between(d[0], d[1], "", time.UTC); err == nil {
			t.Errorf("%v was taken", d)
		}
	}
	for _, name := range []string{"local", "Mars/Base"} {
		if _, err := Zone(name); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestWhomItIsAbout: a freeze about any alert of an incident is about the incident, and
// of several the longest is said; maintenance is about the alerts it names and no others.
func TestWhomItIsAbout(t *testing.T) {
	t.Parallel()
	m := func(text string) []incidents.Matcher {
		one, err := incidents.ParseMatcher(text)
		if err != nil {
			t.Fatal(err)
		}
		return []incidents.Matcher{one}
	}
	window := func(name string, kind Kind, until string, match ...incidents.Matcher) *Window {
		w := &Window{Name: name, Kind: kind, Match: match}
		if err := w.Between("2026-12-24 00:00", until, "", time.UTC); err != nil {
			t.Fatal(err)
		}
		return w
	}
	c := Calendar{
		window("prod", Freeze, "2026-12-25 00:00", m(`env="prod"`)...), window("all", Freeze, "2026-12-24 12:00"),
		window("shop", Maintenance, "2026-12-25 00:00", m(`service="shop"`)...),
	}
	now := at(t, "2026-12-24T06:00:00Z")
	mixed := &incidents.Incident{Service: "shop", Samples: incidents.AlertList{{Labels: incidents.LabelsFromMap(map[string]string{"env": "test"})}, {Labels: incidents.LabelsFromMap(map[string]string{"env": "prod"})}}}
	if held := c.Frozen(mixed, now); held == nil || held.Name != "prod" {
		t.Errorf("%+v", held)
	}
	if held := c.Frozen(&incidents.Incident{}, now); held == nil || held.Name != "all" {
		t.Errorf("%+v", held)
	}
	if held := c.Frozen(&incidents.Incident{}, now.Add(12*time.Hour)); held != nil {
		t.Errorf("%+v", held)
	}
	job := &incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"job": "shop"})} // its service by another label
	if held := c.Expected(job, now); held == nil || held.Name != "shop" {
		t.Errorf("%+v", held)
	}
	if held := c.Expected(&incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"service": "cart"})}, now); held != nil {
		t.Errorf("%+v", held)
	}
}
