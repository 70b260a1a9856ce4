package calendar

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A file that has changed counts as a whole; one that is bad, half written or gone
// changes nothing and is told of once.
func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "freezes.ics")
	of := func(days ...string) string {
		text := "BEGIN:VCALENDAR\n"
		for _, day := range days {
			text += "BEGIN:VEVENT\nUID:" + day + "\nDTSTART:" + day + "T000000Z\nDURATION:PT1H\nEND:VEVENT\n"
		}
		return text + "END:VCALENDAR\n"
	}
	two := of("20260102", "20260103")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(of("20260101"))
	w := &Window{Name: "company"}
	if err := w.Between("2026-02-01", "2026-02-01", "", time.UTC); err != nil {
		t.Fatal(err)
	}
	if err := w.File(name, time.UTC); err != nil {
		t.Fatal(err)
	}
	c := Calendar{{Name: "without a file"}, w}
	const first, second, rest = "0101T0000-0101T0100", "0102T0000-0102T0100 0103T0000-0103T0100", " 0201T0000-0202T0000"
	for _, step := range []struct {
		how     func()
		changed string
		problem string
		want    string
	}{
		{func() {}, "", "", first + rest},
		{func() { write("<html>") }, "", "no iCalendar", first + rest},
		{func() {}, "", "", first + rest}, // it was told
		{func() { write(two[:len(two)-20]) }, "", "being written", first + rest},
		{func() { write(strings.Repeat("x", MaxICS+1)) }, "", "more than", first + rest},
		{func() { _ = os.Remove(name) }, "", "no such file", first + rest},
		{func() { _ = os.Mkdir(name, 0o700) }, "", "not a regular file", first + rest},
		{func() { _ = os.Remove(name) }, "", "no such file", first + rest},
		{func() { write(two) }, "company", "", second + rest},
		{func() { write(of("20260101")) }, "company", "", first + rest},
	} {
		step.how()
		changed, problems := c.Reread()
		if strings.Join(changed, " ") != step.changed || (len(problems) > 0) != (step.problem != "") {
			t.Errorf("changed %v, problems %v, want %q, %q", changed, problems, step.changed, step.problem)
		}
		for _, err := range problems {
			if !strings.Contains(err.Error(), step.problem) || !strings.HasPrefix(err.Error(), "company: ") {
				t.Errorf("%v, want %s", err, step.problem)
			}
		}
		if got := said(w.Next(at(t, "2026-01-01T00:00:00Z"), 9)); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
}

// A file that was never read freezes all that its window is about, and holds nothing
// back, until it can be read.
func TestAFileThatWasNeverReadFreezes(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "freezes.ics")
	half := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\n"
	if err := os.WriteFile(name, []byte(half), 0o600); err != nil {
		t.Fatal(err)
	}
	shop := []incidents.Matcher{{Label: "service", Op: "=", Value: "shop"}}
	freeze, works := &Window{Name: "company", Kind: Freeze, Match: shop}, &Window{Name: "works", Kind: Maintenance, Match: shop}
	c := Calendar{freeze, works}
	for _, w := range c {
		if err := w.File(name, time.UTC); err == nil || w.Unread() == nil {
			t.Fatal("half a file was read")
		}
	}
	if changed, problems := c.Reread(); len(changed)+len(problems) > 0 || len(c.Unread()) != 2 {
		t.Errorf("%v %v, and nothing has changed", changed, problems)
	}
	now := at(t, "2026-06-01T12:00:00Z")
	of := func(service string) *incidents.Incident { return &incidents.Incident{ID: 1, Service: service} }
	if held := c.Frozen(of("shop"), now); held == nil || held.Unread == nil || held.Name != "company" {
		t.Errorf("%+v: who knows whether changes are frozen?", held)
	}
	if held := c.Frozen(of("till"), now); held != nil {
		t.Errorf("%+v is not about it", held)
	}
	a := &incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"service": "shop"})}
	if held := c.Expected(a, now); held != nil {
		t.Errorf("%+v holds an alert back", held)
	}
	if err := os.WriteFile(name, []byte(half+"DURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, problems := c.Reread(); len(changed) != 2 || len(problems) > 0 || len(c.Unread()) > 0 || c.Frozen(of("shop"), now) != nil {
		t.Errorf("%v %v: it was read, and says nothing of June", changed, problems)
	}
	if held := c.Frozen(of("shop"), at(t, "2026-01-01T00:30:00Z")); held == nil || held.Unread != nil {
		t.Errorf("%+v", held)
	}
}
