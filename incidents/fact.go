package incidents

import (
	"slices"
	"time"
)

// Fact is what learning may learn from: something that was shown, said or
// proved about an action in an incident. Facts are committed with the events
// they come from, in one log, so every replica learns the same in the same
// order and the model can be rebuilt from them.
type Fact struct {
	Seq      int64         `json:"seq"` // given by the store, ascending within the shard
	Kind     FactKind      `json:"kind"`
	Incident ID            `json:"incident"`
	At       time.Time     `json:"at"`
	Action   string        `json:"action"`
	Rank     int           `json:"rank,omitempty"`   // shown: where it stood
	Person   string        `json:"person,omitempty"` // vote: whose
	Value    int           `json:"value"`            // vote: −1, 0, +1; outcome: 1 helped, 0 did not
	Took     time.Duration `json:"took,omitempty"`   // outcome: from approval to proof
	Context  Context       `json:"context"`
}

// FactKind says what a fact is about.
type FactKind string

// The kinds of facts.
const (
	FactVote    FactKind = "vote"
	FactOutcome FactKind = "outcome"
)

// Context is what an incident looked like when the fact arose: what learning
// generalises over.
type Context struct {
	Service  string   `json:"service,omitempty"`
	Name     string   `json:"name,omitempty"` // the alert's name
	Source   string   `json:"source,omitempty"`
	Severity Severity `json:"severity,omitzero"`
	Labels   Labels   `json:"labels,omitempty"`  // common to all alerts, at most MaxContextLabels
	Failing  []string `json:"failing,omitempty"` // checks that did not pass
}

// MaxContextLabels bounds the labels of a Context.
const MaxContextLabels = 16

// Context describes the incident for learning.
func (s *Incident) Context() Context {
	c := Context{Service: s.Service, Source: s.Source, Severity: s.Severity(), Labels: s.Common}
	if len(c.Labels) > MaxContextLabels {
		c.Labels = c.Labels[:MaxContextLabels]
	}
	if len(s.Samples) > 0 {
		c.Name = s.Samples[0].Name()
	}
	for _, f := range s.Findings {
		if !f.OK && f.Error == "" {
			c.Failing = append(c.Failing, f.Check)
		}
	}
	return c
}

// Facts are what events teach, s being the state after them.
func Facts(s *Incident, events []Event) []Fact {
	var facts []Fact
	for i := range events {
		e := &events[i]
		f := Fact{Incident: s.ID, At: e.At, Context: s.Context()}
		switch e.Kind {
		case EventVoted:
			f.Kind, f.Action, f.Person, f.Value = FactVote, e.Action, e.By.ID, e.Value
		case EventVerified, EventNotVerified, EventRunFailed:
			r := s.run(e.RunID)
			if e.Kind == EventRunFailed && (!tried(r) || e.By.IsPerson()) {
				continue // nothing was done, or a person's word alone says so: nothing was learned about the action
			}
			f.Kind, f.Action, f.Took = FactOutcome, r.Plan.Runbook, e.At.Sub(r.ApprovedAt)
			if e.Kind == EventVerified {
				f.Value = 1
			}
		default:
			continue
		}
		facts = append(facts, f)
	}
	return facts
}

// tried says whether any step of the run was carried out. A run that was refused
// (its approval too old, its runbook changed) says nothing about its action.
func tried(r *Run) bool {
	return slices.ContainsFunc(r.Steps, func(done StepResult) bool {
		return slices.ContainsFunc(r.Plan.Recover, func(step Step) bool { return step.ID == done.Step })
	})
}
