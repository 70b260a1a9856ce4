package incidents

import (
	"math"
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
	Rank     int           `json:"rank,omitempty"`   // chosen: where it stood; 0: it was not in the list
	Person   string        `json:"person,omitempty"` // vote: whose; chosen: who approved; undo: whose votes
	Value    int           `json:"value"`            // vote, useful: −1, 0, +1; outcome: 1 helped, 0 did not
	Was      int           `json:"was,omitempty"`    // useful: the same person's vote there until now
	Took     time.Duration `json:"took,omitempty"`   // outcome: from approval to proof
	Context  Context       `json:"context"`

	By        string    `json:"by,omitempty"`        // undo, reset: who asked for it
	Objection Objection `json:"objection,omitempty"` // vote: what is wrong with it
	Own       bool      `json:"own,omitempty"`       // vote: the service is the person's own
	Chance    float64   `json:"chance,omitempty"`    // chosen: the score that it stood with
	Shown     []Shown   `json:"shown,omitempty"`     // shown: the list, the best first
	Source    string    `json:"source,omitempty"`    // "import": from another system's history
	Ref       string    `json:"ref,omitempty"`       // with a source: what the incident is called there
}

// Shown is one action of a list as it was shown: what is needed to judge, later,
// the model that ranked it and another one that would have ranked otherwise.
type Shown struct {
	Action     string  `json:"action"`
	Chance     float64 `json:"chance"`     // the score that it stood with
	Propensity float64 `json:"propensity"` // how probable it was that it came to stand here: 1 where no chance was in it
}

// FactKind says what a fact is about.
type FactKind string

// The kinds of facts.
const (
	FactVote    FactKind = "vote"
	FactOutcome FactKind = "outcome"
	FactShown   FactKind = "shown"  // a list was shown whose places are not those of the incident's list before
	FactChosen  FactKind = "chosen" // an action was approved
	FactUseful  FactKind = "useful" // an item of the investigation was, or was not
	FactUndo    FactKind = "undo"   // the votes of a person, given until then, count no more
	FactReset   FactKind = "reset"  // what was learned until then, of a service or of all, counts no more

	FactUnreadable FactKind = "unreadable" // a store says that there is one it cannot read; it is never written
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

// where is the part of the context that says where a list was shown. The rest
// stands in the facts that are learned from.
func (s *Incident) where() Context {
	c := s.Context()
	return Context{Service: c.Service, Name: c.Name}
}

// Facts are what events teach, s being the state after them.
func Facts(s *Incident, events []Event) []Fact {
	var facts []Fact
	for i := range events {
		e := &events[i]
		f := Fact{Incident: s.ID, At: e.At, Context: s.Context()}
		switch e.Kind {
		case EventVoted:
			f.Kind, f.Action, f.Person, f.Value, f.Objection, f.Own = FactVote, e.Action, e.By.ID, e.Value, e.Objection, e.Own
		case EventUseful:
			f.Kind, f.Action, f.Person, f.Value, f.Was, f.Context = FactUseful, e.Action, e.By.ID, e.Value, e.Was, Context{Service: s.Service}
		case EventRanked:
			if len(e.Suggestions) == 0 || e.Same {
				continue // nothing was shown, or only other scores: of what is chosen, that says with which one
			}
			f.Kind, f.Shown, f.Context = FactShown, shown(e.Suggestions), s.where()
		case EventApproved:
			r := s.run(e.RunID)
			if r == nil {
				continue
			}
			f.Kind, f.Action, f.Person, f.Context = FactChosen, r.Plan.Runbook, e.By.ID, s.where()
			if g := s.suggestion(f.Action); g != nil {
				f.Rank, f.Chance = g.Rank, g.Score
			}
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

func shown(list []Suggestion) []Shown {
	out := make([]Shown, 0, len(list))
	for i := range list {
		out = append(out, Shown{Action: list[i].Action, Chance: math.Round(list[i].Score*1e4) / 1e4, Propensity: list[i].propensity()})
	}
	return out
}
