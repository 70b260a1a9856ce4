package config

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/schedule"
)

type Schedule struct {
	Name     string            `yaml:"name"`
	Cron     string            `yaml:"cron"`
	Timezone string            `yaml:"timezone"`
	Runbook  string            `yaml:"runbook"`
	Params   map[string]string `yaml:"params"`
}

var scheduleName = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,63}\z`)

// schedules reads the schedules; whether their runbooks fit is for FitSchedules,
// when these are read.
func (s *settler) schedules() {
	var names []string
	for i, c := range s.Schedules {
		key := fmt.Sprintf("schedules[%d]", i)
		switch {
		case !scheduleName.MatchString(c.Name):
			s.note(wrong(key+".name", "config.schedule_name", "value", c.Name))
		case slices.Contains(names, c.Name):
			s.note(wrong(key+".name", "config.schedule_twice", "value", c.Name))
		}
		names = append(names, c.Name)
		when, err := schedule.ParseWhen(c.Cron, c.Timezone)
		if err != nil {
			s.note(wrong(key+".cron", "config.schedule_cron", "value", c.Cron, "zone", c.Timezone, "error", err.Error()).try("config.hint.schedule_cron"))
		}
		s.Planned = append(s.Planned, schedule.Entry{Name: c.Name, When: when, Runbook: c.Runbook, Params: c.Params})
	}
}

// FitSchedules refuses schedules of runbooks that are not there, that change
// something, or whose parameters do not fit.
func (s *Settled) FitSchedules(library *runbooks.Library) error {
	var problems []problem
	for i, e := range s.Planned {
		key := fmt.Sprintf("schedules[%d].runbook", i)
		rb := library.Get(e.Runbook)
		if rb == nil {
			problems = append(problems, wrong(key, "config.schedule_runbook", "value", e.Runbook))
			continue
		}
		if _, err := rb.Looks(e.Params); err != nil {
			problems = append(problems, problemsOf(err, func(*incidents.Error) string { return key })...)
		}
	}
	return s.from.problemsError(problems)
}
