package calendar

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
