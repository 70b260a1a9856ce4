package incidents

import "time"

// Times are the moments of an incident that its metrics are made of. A zero
// time has not come (yet).
type Times struct {
	Began        time.Time `json:"began"`                 // the first alert's start, or the declaration
	Detected     time.Time `json:"detected"`              // we heard of it, by our clock
	Acknowledged time.Time `json:"acknowledged,omitzero"` // the first acknowledgement of all
	Mitigated    time.Time `json:"mitigated,omitzero"`    // it stopped hurting, and did not start again
	Resolved     time.Time `json:"resolved,omitzero"`     // the resolution that still stands
}

// TimesOf reads them from the state and its log. Mitigated is the moment since
// which all alerts had cleared, or at which a run was verified, whichever came
// first; a relapse takes it back, and a resolution is one at the latest.
func TimesOf(s *Incident, events []Event) Times {
	t := Times{Began: s.OpenedAt, Detected: s.CreatedAt}
	if len(s.Acks) > 0 {
		t.Acknowledged = s.Acks[0].At
	}
	if s.isResolved() {
		t.Resolved = s.Resolved.At
	}
	t.Mitigated = mitigated(events)
	if !t.Resolved.IsZero() && (t.Mitigated.IsZero() || t.Mitigated.After(t.Resolved)) {
		t.Mitigated = t.Resolved
	}
	return t
}

func mitigated(events []Event) time.Time {
	var since time.Time
	replay(events, func(before Status, s *Incident, e *Event) {
		switch {
		case e.Kind == EventReopened,
			e.Kind == EventAlerts && s.Alerts.Firing() > 0 && e.Alerts != nil && e.Alerts.Firing > 0,
			!before.Open() && s.Alerts.Firing() > 0:
			since = time.Time{}
		case since.IsZero() && e.Kind == EventVerified:
			since = e.At
		case since.IsZero() && s.Cleared():
			since = s.ClearedAt()
		}
	})
	return since
}

// replay applies a log from its start and shows each event between the status
// before it and the state after it: some things can only be read from the way.
func replay(events []Event, see func(before Status, after *Incident, e *Event)) {
	s := &Incident{}
	for i := range events {
		before := s.Status()
		Apply(s, &events[i])
		see(before, s, &events[i])
	}
}

// Duration is a length of time that may not be known.
type Duration struct {
	Known bool          `json:"known"`
	D     time.Duration `json:"ns"`
}

// TTD is the time to detect: from its beginning until we heard of it.
func (t Times) TTD() Duration { return between(t.Began, t.Detected) }

// TTA is the time to acknowledge: from when we heard of it, since before that
// nobody could, until somebody said that they look at it.
func (t Times) TTA() Duration { return between(t.Detected, t.Acknowledged) }

// TTM is the time to mitigate: from its beginning until it stopped hurting.
func (t Times) TTM() Duration { return between(t.Began, t.Mitigated) }

// TTR is the time to resolve: from its beginning until the resolution.
func (t Times) TTR() Duration { return between(t.Began, t.Resolved) }

// between never is negative: clocks of others may be ahead of ours.
func between(from, to time.Time) Duration {
	if from.IsZero() || to.IsZero() {
		return Duration{}
	}
	return Duration{Known: true, D: max(to.Sub(from), 0)}
}
