package incidents

import (
	"slices"
	"time"
)

// Bounds on what the first investigation leaves in an incident's state.
const (
	MaxFindings = 32
	MaxDetail   = 2000 // bytes of output a finding or a step keeps
	MaxValue    = 200  // bytes of a finding's or step's one line
)

// Diagnosed is the outcome of the first investigation, or what is there so far.
type Diagnosed struct {
	Findings []Finding
	Clues    []Clue
	Partly   bool // more is coming; only the first investigation tells this
}

func (c Diagnosed) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	if c.Partly && !s.DiagnosedAt.IsZero() {
		return nil, nil // what was found before stands until all is there
	}
	findings := boundFindings(c.Findings)
	e := Event{Kind: EventDiagnosed, Findings: findings, Clues: boundClues(c.Clues)}
	switch {
	case c.Partly:
		e.Value = partly
	case !s.DiagnosedAt.IsZero():
		e.Value = again
	}
	return append([]Event{e}, s.concluded(findings)...), nil
}

// boundFindings keeps the first MaxFindings, none of them longer than may be.
func boundFindings(findings []Finding) []Finding {
	if len(findings) > MaxFindings {
		findings = findings[:MaxFindings]
	}
	for i := range findings {
		findings[i].Value = cut(findings[i].Value, MaxValue)
		findings[i].Detail = cut(findings[i].Detail, MaxDetail)
		findings[i].Error = cut(findings[i].Error, MaxValue)
	}
	return findings
}

// A diagnosed event's Value: it is not the first one; it is not all.
const (
	again  = 1
	partly = 2
)

// Ranked is the list of next actions as it stands now, best first; None says
// why it is empty.
type Ranked struct {
	Suggestions []Suggestion
	None        Reason
	Trusted     bool // the first of them may be one that runs by itself
}

func (c Ranked) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	moved := rankMoves(s.Suggestions, c.Suggestions)
	if !s.RankedAt.IsZero() && len(moved) == 0 && sameEvidence(s.Suggestions, c.Suggestions) {
		return nil, nil
	}
	if s.RankedAt.IsZero() {
		moved = nil // the first list has no before
	}
	e := Event{Kind: EventRanked, Suggestions: c.Suggestions, Because: c.None, Moved: moved, Same: len(c.Suggestions) > 0 && samePlaces(s.Suggestions, c.Suggestions)}
	if c.Trusted {
		e.Value = trusted
	}
	return []Event{e}, nil
}

// trusted is a ranked event's Value where its first suggestion may run by itself.
const trusted = 1

func sameEvidence(a, b []Suggestion) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i].Evidence, b[i].Evidence
		if a[i].Action != b[i].Action || a[i].Plan.Digest != b[i].Plan.Digest ||
			x.Tried != y.Tried || x.Worked != y.Worked || x.Up != y.Up || x.Down != y.Down || !slices.Equal(x.Said, y.Said) {
			return false
		}
	}
	return true
}

// Vote is a thumb: Value +1 (👍), −1 (👎), or 0 to take one's vote back. One
// person has one vote on one action of one incident; voting again changes it.
type Vote struct {
	By     Actor
	Action string
	Value  int
	Text   string    // the reason, in their words
	Why    Objection // of a 👎: the reason in one of a few words; "" where they say none
	Own    bool      // the service is theirs: whoever makes this of a person's word has looked
}

func (c Vote) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	if c.Value < -1 || c.Value > 1 {
		return nil, Fail(Invalid, "error.vote", "a vote is up or down")
	}
	if !c.Why.known() || c.Why != "" && c.Value >= 0 {
		return nil, Fail(Invalid, "error.objection", "only a 👎 has a reason, one of a few").WithHint("/inc vote 1 down wrong-cause")
	}
	if !c.By.IsPerson() {
		return nil, Fail(Forbidden, "error.vote_person", "only people vote")
	}
	if s.suggestion(c.Action) == nil && s.runOf(c.Action) == nil {
		return nil, Fail(NotFound, "error.no_action", "no such action was suggested here", "action", c.Action).WithHint("/inc suggest")
	}
	if s.Votes[c.Action][c.By.ID] == c.Value && (c.Why == "" || s.Objections[c.Action][c.By.ID] == c.Why) {
		return nil, nil
	}
	return []Event{{Kind: EventVoted, By: c.By, Action: c.Action, Value: c.Value, Text: cut(c.Text, MaxNote), Objection: c.Why, Own: c.Own}}, nil
}

func (s *Incident) runOf(action string) *Run {
	for i := range s.Runs {
		if s.Runs[i].Plan.Runbook == action {
			return &s.Runs[i]
		}
	}
	return nil
}
