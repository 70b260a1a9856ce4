package incidents

import "time"

// Command is a wish: somebody's word, an effect's outcome, or time passing.
// Each kind has its own type, in the file of its stage, with its own decide.
type Command interface {
	// decide says what happens, or why it may not. It reads s and changes nothing.
	decide(s *Incident, now time.Time) ([]Event, error)
}

// Decide asks cmd of state s at time now. It returns no events, and no error,
// where the wish is already true: saying a thing twice does nothing twice. The
// error is an *Error with a code.
func Decide(s *Incident, cmd Command, now time.Time) ([]Event, error) {
	events, err := cmd.decide(s, now)
	if err != nil {
		return nil, err
	}
	for i := range events {
		e := &events[i]
		e.Seq = s.Version + int64(i) + 1
		e.Written = now
		if e.At.IsZero() {
			e.At = now
		}
		if e.By.ID == "" {
			e.By = Bot
		}
	}
	return events, nil
}

// Advance decides, applies and reacts in one go: it returns what happened and
// what must be done. It changes s in place, so that an incident of 50,000
// alerts is not copied for each report: after a commit that failed, throw s
// away and load it again.
func Advance(s *Incident, cmd Command, now time.Time, p Policy) ([]Event, []Effect, error) {
	events, err := Decide(s, cmd, now)
	if err != nil {
		return nil, nil, err
	}
	var effects []Effect
	for i := range events {
		before := s.Status()
		Apply(s, &events[i])
		effects = append(effects, React(before, s, &events[i], p)...)
	}
	return events, effects, nil
}

// at is the time a word is about: when it was said, or where that is not
// given, now. What is said now is about all that is known: it comes after it,
// even where another replica's clock, which wrote it, is ahead of ours.
func (s *Incident) at(said, now time.Time) time.Time {
	if !said.IsZero() && !said.After(now) {
		return said
	}
	when := later(now, fromNanos(s.Alerts.latest))
	for _, m := range []*Mark{s.Resolved, s.Reopened, s.Closed} {
		if m != nil {
			when = later(when, m.At.Add(1))
		}
	}
	if s.SetSeverity != nil {
		when = later(when, s.SetSeverity.At.Add(1))
	}
	return when
}

// over refuses what makes no sense while it is resolved.
func (s *Incident) over() error {
	return Fail(Conflict, "error.resolved", "incident "+s.ID.String()+" is resolved", "id", s.ID.String()).WithHint("/inc reopen")
}

// alive refuses what makes no sense once an incident is over for good, or
// before anybody was told of it. News of before the closing is still welcome.
func (s *Incident) alive(when time.Time) error {
	switch {
	case s.Version == 0:
		return Fail(NotFound, "error.no_incident", "there is no such incident")
	case s.Status() == Held, s.Status() == Discarded:
		return Fail(Conflict, "error.not_open_yet", "this incident is not open: it waits to see whether the alert lasts")
	case s.Status() == Closed && when.After(s.Closed.At):
		return Fail(Conflict, "error.closed", "incident "+s.ID.String()+" is closed", "id", s.ID.String()).WithHint("/inc declare")
	}
	return nil
}
