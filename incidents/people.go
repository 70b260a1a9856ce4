package incidents

import (
	"slices"
	"time"
)

// Ack says that somebody is looking at it.
type Ack struct {
	By Actor
	At time.Time // when they said so; zero: now
}

func (c Ack) decide(s *Incident, now time.Time) ([]Event, error) {
	when := s.at(c.At, now)
	if err := s.alive(when); err != nil {
		return nil, err
	}
	if c.At.IsZero() && s.isResolved() {
		return nil, s.over()
	}
	// Said now, a second time in an episode is no news. Said at some time, it
	// may be: a resolution or relapse in between may be heard of later.
	if slices.ContainsFunc(s.Acks, func(m Mark) bool {
		return m.By.ID == c.By.ID && (m.At.Equal(when) || c.At.IsZero() && (s.Resolved == nil || m.At.After(s.Resolved.At)))
	}) {
		return nil, nil
	}
	return []Event{{Kind: EventAcked, At: when, By: c.By}}, nil
}

// SetSeverity is a person's word on how bad it is.
type SetSeverity struct {
	By       Actor
	Severity Severity
	At       time.Time
}

func (c SetSeverity) decide(s *Incident, now time.Time) ([]Event, error) {
	when := s.at(c.At, now)
	if err := s.alive(when); err != nil {
		return nil, err
	}
	if c.Severity == SevUnknown {
		return nil, Fail(Invalid, "error.severity", "a severity is SEV1 (worst) to SEV5").WithHint("/inc severity SEV2")
	}
	setting := &Setting{Severity: c.Severity, Mark: Mark{At: when, By: c.By}}
	if !setting.after(s.SetSeverity) || c.At.IsZero() && s.SetSeverity != nil && s.SetSeverity.Severity == c.Severity {
		return nil, nil
	}
	return []Event{{Kind: EventSeverity, At: when, By: c.By, Severity: c.Severity}}, nil
}

// Lead makes Who the commander.
type Lead struct{ By, Who Actor }

func (c Lead) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(now); err != nil {
		return nil, err
	}
	if s.Commander != nil && s.Commander.By.ID == c.Who.ID {
		return nil, nil
	}
	return []Event{{Kind: EventLead, By: c.By, Target: c.Who}}, nil
}

// Assign makes Who a responder.
type Assign struct{ By, Who Actor }

func (c Assign) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(now); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.Responders, func(m Mark) bool { return m.By.ID == c.Who.ID }) {
		return nil, nil
	}
	if len(s.Responders) >= MaxResponders {
		return nil, Fail(TooLarge, "error.too_many_responders", "an incident has at most 50 responders")
	}
	return []Event{{Kind: EventAssigned, By: c.By, Target: c.Who}}, nil
}

// Note writes something down in the timeline.
type Note struct {
	By   Actor
	Text string
	At   time.Time // when it happened; zero: now
}

// MaxNote bounds a note, in bytes.
const MaxNote = 4000

func (c Note) decide(s *Incident, now time.Time) ([]Event, error) {
	when := s.at(c.At, now)
	if err := s.alive(when); err != nil {
		return nil, err
	}
	if c.Text == "" {
		return nil, Fail(Invalid, "error.no_note", "a note needs a text").WithHint("/inc note restarted the cache by hand")
	}
	return []Event{{Kind: EventNoted, At: when, By: c.By, Text: cut(c.Text, MaxNote)}}, nil
}
