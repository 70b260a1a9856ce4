package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/calendar"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// windowConfig is one entry of the calendar; see docs/configuration.md.
type windowConfig struct {
	Name     string       `yaml:"name"`
	Kind     string       `yaml:"kind"`
	Match    []string     `yaml:"match"`
	Timezone string       `yaml:"timezone"`
	Cron     string       `yaml:"cron"`
	For      duration     `yaml:"for"`
	Dates    []dateConfig `yaml:"dates"`
	ICS      string       `yaml:"ics"`
	Why      string       `yaml:"why"`
}

type dateConfig struct {
	From  string `yaml:"from"`
	Until string `yaml:"until"`
	Why   string `yaml:"why"`
}

// calendar reads the windows.
func (s *settler) calendar() {
	var names []string
	for i, c := range s.Calendar {
		key := fmt.Sprintf("calendar[%d]", i)
		switch {
		case !scheduleName.MatchString(c.Name):
			s.note(wrong(key+".name", "config.schedule_name", "value", c.Name))
		case slices.Contains(names, c.Name):
			s.note(wrong(key+".name", "config.schedule_twice", "value", c.Name))
		}
		names = append(names, c.Name)
		if c.Kind != string(calendar.Freeze) && c.Kind != string(calendar.Maintenance) {
			s.note(wrong(key+".kind", "config.one_of", "value", c.Kind, "known", "freeze, maintenance"))
		}
		if c.Kind == string(calendar.Maintenance) && len(c.Match) == 0 {
			s.note(wrong(key+".match", "config.calendar_all"))
		}
		w := &calendar.Window{Name: c.Name, Kind: calendar.Kind(c.Kind), Why: bot.Line(c.Why, incidents.MaxValue)}
		for j, text := range c.Match {
			m, err := incidents.ParseMatcher(text)
			if err != nil {
				s.note(badMatcher(fmt.Sprintf("%s.match[%d]", key, j), text, err))
			}
			w.Match = append(w.Match, m)
		}
		s.times(key, c, w)
		s.windows = append(s.windows, w)
	}
}

// times reads when a window is.
func (s *settler) times(key string, c windowConfig, w *calendar.Window) {
	bad := func(key, value string, err error) {
		s.note(wrong(key, "config.calendar_when", "value", value, "error", cause(err)))
	}
	zone, err := calendar.Zone(c.Timezone)
	if err != nil {
		bad(key+".timezone", c.Timezone, err)
		return
	}
	if c.Cron != "" {
		if err := w.Recur(c.Cron, time.Duration(c.For), zone); err != nil {
			bad(key+".cron", c.Cron, err)
		}
	}
	for j, d := range c.Dates {
		if err := w.Between(d.From, d.Until, bot.Line(d.Why, incidents.MaxValue), zone); err != nil {
			bad(fmt.Sprintf("%s.dates[%d]", key, j), d.From+" – "+d.Until, err)
		}
	}
	if c.ICS != "" {
		text, err := readICS(c.ICS)
		if err == nil {
			err = w.ICS(text, zone)
		}
		if err != nil {
			bad(key+".ics", c.ICS, err)
		}
	}
	if c.Cron == "" && len(c.Dates) == 0 && c.ICS == "" {
		s.note(wrong(key, "config.calendar_never"))
	}
}

func readICS(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, calendar.MaxICS+1))
	if err == nil && len(b) > calendar.MaxICS {
		err = fmt.Errorf("it has more than %d bytes", calendar.MaxICS)
	}
	return string(b), err
}

// expected is the maintenance that an alert belongs to.
func (s *settled) expected(a *incidents.Alert, now time.Time) incidents.Expected {
	if !s.windows.Now(calendar.Maintenance, now) {
		return incidents.Expected{}
	}
	held := s.windows.Expected(a, now)
	if held == nil {
		return incidents.Expected{}
	}
	return incidents.Expected{By: held.Name, Until: held.Until}
}

// closed refuses what is to be approved while the calendar freezes changes.
func (s *settled) closed(i *incidents.Incident, now time.Time) error {
	held := s.windows.Frozen(i, now)
	if held == nil {
		return nil
	}
	return incidents.Fail(incidents.Conflict, "error.change_freeze", "changes are frozen by the calendar until "+clockOf(held.Until)+" ("+held.Name+": "+held.Span.Why+")", frozenArgs(held)...).
		WithHint("/inc approve 1 despite " + phrases.T(language(), "hint.despite"))
}

func frozenArgs(h *calendar.Held) []string {
	return []string{"name", h.Name, "until", clockOf(h.Until), "why", cmp.Or(bot.Line(h.Span.Why, incidents.MaxValue), "–")}
}

func clockOf(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// unlessFrozen stops what the calendar freezes, but for what each approver wanted all
// the same, and said why. What nobody approved by hand never is.
func (s *settled) unlessFrozen() worker.Brake {
	return worker.Brake{Name: "calendar", Ask: func(_ context.Context, i *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
		held := s.windows.Frozen(i, time.Now())
		if held == nil {
			return incidents.Reason{}, nil
		}
		a := i.Approval(r.Approval)
		if a != nil && len(a.Given) > 0 && !slices.ContainsFunc(a.Given, func(m incidents.Mark) bool { return m.Despite() == "" || !m.By.IsPerson() }) {
			return incidents.Reason{}, nil
		}
		return incidents.Because("because.change_freeze", frozenArgs(held)...), nil
	}}
}

// told is how many of a window's next times are told.
const told = 3

// sayWindows prints when the windows are next.
func (s *settled) sayWindows(out io.Writer, now time.Time) {
	lang := language()
	for _, w := range s.windows {
		kind := phrases.T(lang, "window."+string(w.Kind))
		next := w.Next(now, told)
		if len(next) == 0 {
			fmt.Fprintln(out, phrases.T(lang, "cli.window_never", "name", w.Name, "kind", kind))
		}
		for _, span := range next {
			fmt.Fprintln(out, phrases.T(lang, "cli.window", "name", w.Name, "kind", kind, "from", clockOf(span.From), "until", clockOf(span.Until), "why", bot.Line(span.Why, 200)))
		}
	}
}

// comingWindows are the windows that are now or next, for people in a chat.
func (s *settled) comingWindows(now time.Time) []commands.Window {
	var all []commands.Window
	for _, w := range s.windows {
		for _, span := range w.Next(now, 1) {
			var about []string
			for _, m := range w.Match {
				about = append(about, m.Label+m.Op+m.Value)
			}
			all = append(all, commands.Window{
				Name: w.Name, Kind: string(w.Kind), About: strings.Join(about, ", "), Why: span.Why, From: span.From, Until: span.Until,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b commands.Window) int { return a.From.Compare(b.From) })
	return all
}
