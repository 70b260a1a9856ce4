package incidents

import "time"

// Resolve says it is over.
type Resolve struct {
	By   Actor
	Text string // why, in their words
	At   time.Time
}

func (c Resolve) decide(s *Incident, now time.Time) ([]Event, error) {
	when := s.at(c.At, now)
	if err := s.alive(when); err != nil {
		return nil, err
	}
	if r := s.runIn(RunApproved, RunRunning); r != nil {
		return nil, Fail(Conflict, "error.busy", "run "+r.ID+" is under way; wait for it to end", "run", r.ID).WithHint("/inc status")
	}
	if c.At.IsZero() && c.By.IsPerson() && !s.isResolved() {
		if err := s.mayStillRun(now); err != nil {
			return nil, err
		}
	}
	if m := (&Mark{At: when, By: c.By}); !m.after(s.Resolved) {
		return nil, nil
	}
	if c.At.IsZero() && s.isResolved() {
		return nil, nil
	}
	return []Event{{Kind: EventResolved, At: when, By: c.By, Text: cut(c.Text, MaxNote)}}, nil
}

// Reopen says it is not over after all.
type Reopen struct {
	By   Actor
	Text string
	At   time.Time
}

func (c Reopen) decide(s *Incident, now time.Time) ([]Event, error) {
	when := s.at(c.At, now)
	if err := s.alive(when); err != nil {
		return nil, err
	}
	if c.At.IsZero() && !s.isResolved() {
		return nil, nil
	}
	if m := (&Mark{At: when, By: c.By}); !m.after(s.Reopened) {
		return nil, nil
	}
	return []Event{{Kind: EventReopened, At: when, By: c.By, Text: cut(c.Text, MaxNote)}}, nil
}
