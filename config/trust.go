package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents/trust"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// Trust is how often and how widely what is trusted may run by itself.
type Trust struct {
	Off      bool                 `yaml:"off"`
	Brakes   brakesConfig         `yaml:"brakes"`
	Runbooks []trustRunbookConfig `yaml:"runbooks"`
}

type trustRunbookConfig struct {
	Runbook string       `yaml:"runbook"`
	Brakes  brakesConfig `yaml:"brakes"`
}

// brakesConfig leaves what it does not say as it is.
type brakesConfig struct {
	Cooldown    *Duration `yaml:"cooldown"`
	PerHour     *int      `yaml:"per_hour"`
	Targets     *int      `yaml:"targets"`
	Failures    *int      `yaml:"failures"`
	ProblemRuns *int      `yaml:"problem_runs"`
	ProblemDays *int      `yaml:"problem_days"`
}

// SettledTrust has the brakes of all runbooks, and those of some.
type SettledTrust struct {
	brakes trust.Brakes
	of     map[string]trust.Brakes
}

func (t *SettledTrust) BrakesOf(runbook string) trust.Brakes {
	if b, ok := t.of[runbook]; ok {
		return b
	}
	return t.brakes
}

// trust reads the brakes.
func (s *settler) trust() {
	c, to := s.Trust, &s.Settled.Ladder
	to.brakes, to.of = s.brakes("trust.brakes", c.Brakes, trust.DefaultBrakes()), map[string]trust.Brakes{}
	for i, r := range c.Runbooks {
		to.of[r.Runbook] = s.brakes(fmt.Sprintf("trust.runbooks[%d].brakes", i), r.Brakes, to.brakes)
	}
}

// mostCooldown bounds what is remembered of one run.
const mostCooldown = trust.MaxProblemDays * 24 * time.Hour

func (s *settler) brakes(key string, c brakesConfig, b trust.Brakes) trust.Brakes {
	if c.Cooldown != nil {
		if b.Cooldown = time.Duration(*c.Cooldown); b.Cooldown < 0 || b.Cooldown > mostCooldown {
			s.note(wrong(key+".cooldown", "config.trust_cooldown", "value", b.Cooldown.String(), "most", mostCooldown.String()))
		}
	}
	for _, n := range []struct {
		name        string
		from        *int
		to          *int
		least, most int
	}{
		{"per_hour", c.PerHour, &b.PerHour, 0, trust.MaxPerHour},
		{"targets", c.Targets, &b.Targets, 1, trust.MaxTargets},
		{"failures", c.Failures, &b.Failures, 1, trust.MaxFailures},
		{"problem_runs", c.ProblemRuns, &b.ProblemRuns, 1, trust.MaxProblemRuns},
		{"problem_days", c.ProblemDays, &b.ProblemDays, 1, trust.MaxProblemDays},
	} {
		if n.from == nil {
			continue
		}
		if *n.to = *n.from; *n.to < n.least || *n.to > n.most {
			s.note(wrong(key+"."+n.name, "config.trust_number", "value", strconv.Itoa(*n.to), "least", strconv.Itoa(n.least), "most", strconv.Itoa(n.most)))
		}
	}
	return b
}

// FitTrust refuses brakes of runbooks that are not there: somebody relies on them.
func (s *Settled) FitTrust(library *runbooks.Library) error {
	var problems []problem
	for i, r := range s.Trust.Runbooks {
		if library.Get(r.Runbook) == nil {
			problems = append(problems, wrong(fmt.Sprintf("trust.runbooks[%d].runbook", i), "config.trust_runbook", "value", r.Runbook))
		}
	}
	return s.from.problemsError(problems)
}
