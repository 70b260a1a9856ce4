package incidents

import (
	"strings"
	"time"
)

// Settle is a person's word on a run whose outcome is unknown: they have looked
// at its target. Until then, or until its steps have had their time, nothing
// else runs.
type Settle struct {
	By   Actor
	Run  string
	As   Verdict
	Text string // what they saw, in their words
}

// Verdict is what became of a run.
type Verdict string

// The verdicts. Worked says only that its steps went through: whether that
// helped is verified as after any run, and nothing else is ever taken for
// proof. Stopped says that it does not go on, and how far it got stays unknown.
const (
	Worked     Verdict = "worked"
	DidNotWork Verdict = "failed"
	Stopped    Verdict = "stopped"
)

func (c Settle) decide(s *Incident, now time.Time) ([]Event, error) {
	if !c.By.IsPerson() {
		return nil, Fail(Forbidden, "error.settle_person", "only people settle what became of a run")
	}
	if err := s.alive(now); err != nil {
		return nil, err
	}
	r := s.run(c.Run)
	if r == nil {
		return nil, Fail(NotFound, "error.no_run", "there is no such run", "run", c.Run).WithHint("/inc status")
	}
	e := Event{Kind: EventRunFailed, By: c.By, RunID: r.ID, Before: r.Before, Steps: r.Steps, Text: cut(c.Text, MaxNote)}
	switch c.As {
	case Worked:
		e.Kind = EventRunFinished
	case DidNotWork:
		e.Because = Because("because.settled_failed", "by", c.By.Name)
	case Stopped:
		e.Because = Because(becauseStopped, "by", c.By.Name)
	default:
		return nil, Fail(Invalid, "error.verdict", "a run has worked, failed or stopped").WithHint(r.SettleHint(s.ID))
	}
	if s.Busy() == r {
		return nil, Fail(Conflict, "error.settle_early", "run "+r.ID+" is under way, and what becomes of it is found out without a word", "run", r.ID).WithHint("/inc status")
	}
	if r.State != RunUnknown {
		return nil, Fail(Conflict, "error.not_unknown", "what became of run "+r.ID+" is known", "run", r.ID).WithHint("/inc status")
	}
	// Another run may have begun meanwhile, and two cannot be told apart.
	if other := s.Busy(); other != nil && c.As == Worked {
		return nil, Fail(Conflict, "error.busy", "run "+other.ID+" is under way; wait for it to end", "run", other.ID).WithHint("/inc status")
	}
	return []Event{e}, nil
}

// VerdictOf is what an event says in which a person settled a run.
func VerdictOf(e *Event) Verdict {
	switch {
	case e.Kind == EventRunFinished:
		return Worked
	case e.Because.Phrase == becauseStopped:
		return Stopped
	}
	return DidNotWork
}

const becauseStopped = "because.settled_stopped"

// Unsettled is the run of which nobody knows what became of it, or nil: the
// latest, since none follows before an earlier one has had its time.
func (s *Incident) Unsettled() *Run {
	if n := len(s.Runs); n > 0 && s.Runs[n-1].State == RunUnknown {
		return &s.Runs[n-1]
	}
	return nil
}

// Halted says that a person found the run to go on no longer, without knowing
// how far it got.
func (r *Run) Halted() bool { return r.State == RunFailed && r.Because.Phrase == becauseStopped }

// Number is what people call the run within its incident: 1 of INC-42/1.
func (r *Run) Number() string { return r.ID[strings.LastIndexByte(r.ID, '/')+1:] }

// SettleHint is what a person types to settle the run, wherever they are.
func (r *Run) SettleHint(id ID) string {
	return "/inc " + id.String() + " settle " + r.Number() + " stopped"
}
