package runbooks

import (
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Candidate is a runbook that might help: what the ranking chooses from.
type Candidate struct {
	Runbook *Runbook
	Plan    incidents.Plan // what an approval would run; zero where Err is set
	Err     error          // why it cannot be planned as it stands: mostly a parameter that nobody gave
}

// Fitting are the runbooks with a recovery that fit the incident, by id.
func (l *Library) Fitting(s *incidents.Incident) []Candidate {
	var found []Candidate
	for _, rb := range l.All() {
		if !rb.Changes() || !rb.Fit(s) {
			continue
		}
		c := Candidate{Runbook: rb}
		c.Plan, c.Err = rb.Plan(s, nil)
		found = append(found, c)
	}
	return found
}

// Fit says whether the runbook is about such incidents: all its matchers hold
// for the labels that the incident's alerts share, or a person declared the
// incident with one of its words. What alerts say in prose decides nothing. One that
// is for others' incidents fits none.
func (rb *Runbook) Fit(s *incidents.Incident) bool {
	if !rb.For(s.Customer) {
		return false
	}
	if rb.Any {
		return true
	}
	if len(rb.Fits) > 0 && !slices.ContainsFunc(rb.Fits, func(m incidents.Matcher) bool { return !m.Matches(s.Common) }) {
		return true
	}
	if s.Declared == nil || len(rb.Words) == 0 {
		return false
	}
	said := strings.ToLower(s.Title + "\n" + s.Description)
	return slices.ContainsFunc(rb.Words, func(w string) bool { return strings.Contains(said, strings.ToLower(w)) })
}
