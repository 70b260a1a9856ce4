package incidents

import "time"

// Status is where an incident stands. It is derived from registers, never
// stored, so no order of news can leave an incident in a state that its facts
// do not support.
type Status string

// The statuses, in the order of a life.
const (
	Held          Status = "held"          // waiting to see whether it lasts; nobody was told
	Discarded     Status = "discarded"     // it cleared within its hold
	Triggered     Status = "triggered"     // open, nobody has acknowledged it
	Investigating Status = "investigating" // acknowledged
	Remediating   Status = "remediating"   // an approved action is running
	Verifying     Status = "verifying"     // the action ran; is it really better?
	Monitoring    Status = "monitoring"    // nothing fires any more; waiting to be sure
	Resolved      Status = "resolved"      // over; a relapse reopens it
	Closed        Status = "closed"        // over for good
)

// moves are the legal steps from one status to the next. A property test holds
// every sequence of commands to it.
var moves = map[Status][]Status{
	"":            {Held, Triggered, Monitoring, Discarded},
	Held:          {Discarded, Triggered},
	Discarded:     {},
	Triggered:     {Investigating, Remediating, Monitoring, Resolved},
	Investigating: {Remediating, Monitoring, Resolved},
	Remediating:   {Verifying, Triggered, Investigating, Monitoring, Resolved},
	Verifying:     {Triggered, Investigating, Remediating, Monitoring, Resolved},
	Monitoring:    {Triggered, Investigating, Remediating, Resolved},
	Resolved:      {Triggered, Investigating, Remediating, Verifying, Monitoring, Closed},
	Closed:        {Triggered, Investigating, Monitoring}, // only news of before the closing
}

// Status derives where the incident stands.
func (s *Incident) Status() Status {
	switch {
	case s.Discarded:
		return Discarded
	case !s.Released:
		return Held
	case s.isResolved() && s.Closed != nil && s.Closed.At.After(s.Resolved.At):
		return Closed
	case s.isResolved():
		return Resolved
	case s.runIn(RunApproved, RunRunning) != nil:
		return Remediating
	case s.runIn(RunVerifying) != nil:
		return Verifying
	case s.Cleared():
		return Monitoring
	case s.acknowledged() != nil:
		return Investigating
	default:
		return Triggered
	}
}

// Open says whether people still have something to do.
func (s Status) Open() bool {
	switch s {
	case Triggered, Investigating, Remediating, Verifying, Monitoring:
		return true
	}
	return false
}

// isResolved: somebody (or the bot) resolved it, and nothing began after that:
// no alert started firing later, and nobody reopened it later.
func (s *Incident) isResolved() bool {
	if s.Resolved == nil {
		return false
	}
	if s.Reopened != nil && s.Reopened.At.After(s.Resolved.At) {
		return false
	}
	return s.Alerts.latestFiring() <= nanos(s.Resolved.At)
}

// Cleared says that it had alerts and none of them fires any more.
func (s *Incident) Cleared() bool {
	return s.Alerts.Len() > 0 && s.Alerts.Firing() == 0 && s.Untracked == 0
}

// ClearedAt is when the last alert ended; zero while one fires.
func (s *Incident) ClearedAt() time.Time {
	if !s.Cleared() {
		return time.Time{}
	}
	return fromNanos(s.Alerts.lastEnd())
}

// episodeStart is when the present episode began: the opening, or after a
// resolution whatever reopened it.
func (s *Incident) episodeStart() time.Time {
	if s.Resolved == nil || s.isResolved() {
		return s.OpenedAt
	}
	start := fromNanos(s.Alerts.earliestFiringAfter(nanos(s.Resolved.At)))
	if s.Reopened != nil && s.Reopened.At.After(s.Resolved.At) && (start.IsZero() || s.Reopened.At.Before(start)) {
		start = s.Reopened.At
	}
	return start
}

// acknowledged is the first acknowledgement of the present episode.
func (s *Incident) acknowledged() *Mark {
	start := s.episodeStart()
	if s.Resolved == nil || s.isResolved() {
		start = time.Time{} // the first episode: even an acknowledgement whose clock was behind counts
	}
	for i := range s.Acks {
		if !s.Acks[i].At.Before(start) {
			return &s.Acks[i]
		}
	}
	return nil
}

// AckedBy is the first acknowledgement of the present episode, or nil.
func (s *Incident) AckedBy() *Mark { return s.acknowledged() }
