package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/calendar"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Window is one entry of the calendar; see docs/configuration.md.
type Window struct {
	Name     string   `yaml:"name"`
	Kind     string   `yaml:"kind"`
	Match    []string `yaml:"match"`
	Timezone string   `yaml:"timezone"`
	Cron     string   `yaml:"cron"`
	For      Duration `yaml:"for"`
	Dates    []Date   `yaml:"dates"`
	ICS      string   `yaml:"ics"`
	Why      string   `yaml:"why"`
}

type Date struct {
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
		s.Windows = append(s.Windows, w)
	}
}

// times reads when a window is.
func (s *settler) times(key string, c Window, w *calendar.Window) {
	bad := func(key, value string, err error) {
		s.note(wrong(key, "config.calendar_when", "value", value, "error", Cause(err)))
	}
	zone, err := calendar.Zone(c.Timezone)
	if err != nil {
		bad(key+".timezone", c.Timezone, err)
		return
	}
	switch {
	case (c.Cron == "") != (c.For == 0):
		if !slices.ContainsFunc(s.Config.problems, func(p problem) bool { return p.what.Phrase == "config.duration" }) { // for may be what could not be read
			s.note(wrong(key+".for", "config.calendar_for").try("config.hint.calendar_for"))
		}
	case c.Cron != "":
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
		if err := w.File(c.ICS, zone); err != nil {
			s.unread = append(s.unread, wrong(key+".ics", "config.calendar_when", "value", c.ICS, "error", Cause(err)))
		}
	}
	if c.Cron == "" && c.For == 0 && len(c.Dates) == 0 && c.ICS == "" {
		s.note(wrong(key, "config.calendar_never"))
	}
}
