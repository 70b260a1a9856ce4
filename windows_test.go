package main

import (
	"bytes"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// around is a window of dates that is now.
func around(name, kind string, lasts time.Duration, match ...string) config.Window {
	now := time.Now()
	return config.Window{Name: name, Kind: kind, Match: match, Dates: []config.Date{{From: now.Add(-time.Minute).Format(time.RFC3339), Until: now.Add(lasts).Format(time.RFC3339), Why: "the fair"}}}
}

// TestAChangeFreezeNeedsAReason: while the calendar freezes changes nothing is approved,
// but for somebody who says why it must be; the reason is written down.
func TestAChangeFreezeNeedsAReason(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	c.Calendar = []config.Window{around("fair", "freeze", time.Hour, `service="shop"`), around("other", "freeze", time.Hour, `service="cart"`)}
	p, s := suggested(t, serving(t, c))
	if err := p.command(within(t), s.ID, "approve 1"); err == nil || !strings.Contains(err.Error(), "fair: the fair") {
		t.Fatalf("approved: %v", err)
	}
	if err := p.command(within(t), s.ID, "approve 1 despite"); err == nil || !strings.Contains(err.Error(), "despite") {
		t.Fatalf("approved: %v", err)
	}
	if err := p.command(within(t), s.ID, "approve 1 despite nobody can pay"); err != nil {
		t.Fatal(err)
	}
	_, err := p.await(within(t), s.ID, func(s *seen) bool { return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunVerified })
	if err != nil {
		t.Fatal(err)
	}
	awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Action == audit.ActApprove && r.Why == "nobody can pay" })
}

// TestNothingUnattendedRunsInAFreeze: the gate stops what was approved before the freeze
// began, what only one of two insists on, and what nobody approved by hand.
func TestNothingUnattendedRunsInAFreeze(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Calendar = []config.Window{around("fair", "freeze", time.Hour)}
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	given := func(by incidents.Actor, why string) incidents.Mark {
		m := incidents.Mark{By: by}
		if why != "" {
			m.Because = incidents.Because("because.despite", "why", why)
		}
		return m
	}
	bea, cho := incidents.Actor{ID: "person:bea"}, incidents.Actor{ID: "person:cho"}
	for name, tc := range map[string]struct {
		given []incidents.Mark
		stops bool
	}{
		"before it began":     {[]incidents.Mark{given(bea, "")}, true},
		"with a reason":       {[]incidents.Mark{given(bea, "it must")}, false},
		"one of two":          {[]incidents.Mark{given(bea, "it must"), given(cho, "")}, true},
		"both":                {[]incidents.Mark{given(bea, "it must"), given(cho, "yes")}, false},
		"by Hikeshi, however": {[]incidents.Mark{given(incidents.Bot, "it must")}, true},
		"by nobody":           {nil, true},
	} {
		i := &incidents.Incident{ID: 1, Approvals: []incidents.Approval{{ID: "1", Given: tc.given}}}
		because, err := windows{s.Windows}.unlessFrozen(time.Now).Ask(t.Context(), i, &incidents.Run{ID: "INC-1/1", Approval: "1"})
		if err != nil || (because.Phrase == "because.change_freeze") != tc.stops {
			t.Errorf("%s: %v %+v", name, err, because)
		}
	}
}

// TestMaintenanceHoldsBack: what is expected opens no room until its end, and is counted;
// what still fires then opens; an alert of another service opens at once.
func TestMaintenanceHoldsBack(t *testing.T) {
	t.Parallel()
	lasts := 6 * time.Second
	for !heldBack(t, lasts) { // it was over before this machine had looked
		lasts *= 4
	}
}

// heldBack is false where the maintenance ended too soon to be seen.
func heldBack(t *testing.T, lasts time.Duration) bool {
	t.Helper()
	c := auditedConfig(t)
	c.Calendar = []config.Window{around("tills", "maintenance", lasts, `service="till"`)}
	over := time.Now().Add(lasts - 2*time.Second) // the window's ends are whole seconds
	address := serving(t, c)
	send := func(body string) {
		t.Helper()
		resp, err := http.Post(address+"/v1/alerts/generic", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	p := newPlayer(address, "en", &bytes.Buffer{})
	send(`{"title":"Down","service":"till"}`)
	first, err := p.await(within(t), 0, func(s *seen) bool { return strings.Contains(s.Title, "till") })
	if err != nil {
		t.Fatal(err)
	}
	send(`{"title":"Down","service":"shop"}`)
	if _, err := p.await(within(t), 0, func(s *seen) bool { return strings.Contains(s.Title, "shop") && len(s.Suggestions) > 0 }); err != nil {
		t.Fatal(err)
	}
	held, err := p.incident(within(t), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if held.Status != incidents.Held || len(held.Findings) > 0 {
		if time.Now().After(over) && lasts < time.Minute {
			return false
		}
		t.Errorf("%s %+v", held.Status, held.Findings)
	}
	if _, err := p.await(within(t), first.ID, func(s *seen) bool { return s.Status == incidents.Triggered }); err != nil {
		t.Error("it did not open when the maintenance ended:", err)
	}
	return true
}

// TestCheckPrintsTheCalendar, and refuses one that cannot be.
func TestCheckPrintsTheCalendar(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "h.yaml")
	write(t, filepath.Join(dir, "year.ics"), "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Year end\nDTSTART;VALUE=DATE:20991228\nEND:VEVENT\nEND:VCALENDAR\n")
	write(t, file, `calendar:
  - {name: nightly, kind: maintenance, match: ['service="db"'], cron: 0 2 * * *, for: 2h, timezone: Asia/Tokyo, why: backups}
  - {name: year-end, kind: freeze, ics: year.ics}
`)
	if code, out := command(t, "check", "--config", file); code != exitOK || strings.Count(out, "maintenance nightly: ") != 3 || !strings.Contains(out, "02:00 JST") || !strings.Contains(out, "backups") || !strings.Contains(out, "change freeze year-end: not in the next") {
		t.Errorf("%d %s", code, out)
	}
	write(t, file, `calendar:
  - {name: a, kind: party, cron: 0 2 * * *, for: 2h}
  - {name: b, kind: maintenance, cron: 0 2 * * *, for: 2h}
  - {name: c, kind: freeze}
  - {name: d, kind: freeze, ics: nowhere.ics}
  - {name: e, kind: freeze, cron: 0 2 * * *}
  - {name: f, kind: freeze, dates: [{from: 2026-01-02, until: 2026-01-01}], timezone: local}
  - {name: f, kind: freeze, dates: [{from: 2026-01-02, until: 2026-01-01}]}
`)
	code, out := command(t, "check", "--config", file)
	for _, want := range []string{"calendar[0].kind", "calendar[1].match", "calendar[2]", "calendar[3].ics", "calendar[4].for", "calendar[5].timezone", "calendar[6].name", "calendar[6].dates[0]"} {
		if code != exitInvalid || !strings.Contains(out, want) {
			t.Errorf("%d, no %s in %s", code, want, out)
		}
	}
}

// TestAFreezeThatCannotBeReadHolds: half a file at the start stops no start, and opens no
// gate; beside other mistakes it is told with them.
func TestAFreezeThatCannotBeReadHolds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "half.ics")
	write(t, file, "BEGIN:VCALENDAR\nBEGIN:VEVENT\n")
	c := config.Default()
	c.Calendar = []config.Window{{Name: "company", Kind: "freeze", ICS: file}}
	s, err := c.Settle()
	if err != nil || s.Unread == nil || !strings.Contains(s.Unread.Error(), "calendar[0].ics") {
		t.Fatalf("%v, %v", err, s)
	}
	w := windows{s.Windows}
	i := &incidents.Incident{ID: 1, Approvals: []incidents.Approval{{ID: "1"}}}
	because, err := w.unlessFrozen(time.Now).Ask(t.Context(), i, &incidents.Run{ID: "INC-1/1", Approval: "1"})
	if err != nil || because.Phrase != "because.calendar_unread" || because.Args["file"] != file || !strings.Contains(because.Args["error"], "being written") {
		t.Errorf("%v %+v", err, because)
	}
	if err := w.closed(i, time.Now()); incidents.CodeOf(err) != incidents.Conflict {
		t.Errorf("approved: %v", err)
	}
	if coming, notes := w.coming(time.Now()), w.unread(); len(coming) != 1 || coming[0].Unread == "" || len(notes) != 1 || notes[0].Phrase != "ready.calendar_unread.freeze" {
		t.Errorf("%+v %+v", coming, notes)
	}
	c.Log.Level = "loud"
	if _, err := c.Settle(); err == nil || !strings.Contains(err.Error(), "log.level") || !strings.Contains(err.Error(), "calendar[0].ics") {
		t.Errorf("%v", err)
	}
}

// TestFreezingNeedsItForAll: a commander may freeze, and so may an approver; nobody whose
// role is for some services only can stop, or start, everybody's remediation.
func TestFreezingNeedsItForAll(t *testing.T) {
	t.Parallel()
	for role, want := range map[bot.Role]bool{bot.Commander: true, bot.Approver: true, bot.Admin: true, bot.Responder: false, bot.Viewer: false, bot.Author: false} {
		for _, services := range [][]string{nil, {"shop"}} {
			r, err := bot.NewRoster([]bot.Member{{Name: "bea", Accounts: []string{"console:bea"}, Grants: []bot.Grant{{Roles: []bot.Role{role}, Services: services}}}})
			if err != nil {
				t.Fatal(err)
			}
			err = r.May(incidents.Actor{ID: "console:bea"}, bot.FreezeAll, bot.InGeneral)
			if got := err == nil; got != (want && services == nil) {
				t.Errorf("%s of %v: %v", role, services, err)
			}
			if _, is := errors.AsType[*incidents.Error](err); err != nil && !is {
				t.Errorf("%v", err)
			}
		}
	}
}
