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
// every sequence of commands to it. Steps back from Resolved and Closed are
// relapses, and late news of before the closing; a step from an open status to
// Closed is a late resolution of what was closed before a late reopening; a
// step straight to Verifying is the late outcome of a run taken for lost.
var moves = map[Status][]Status{
	"":            {Held, Triggered, Monitoring},
	Held:          {Discarded, Triggered},
	Discarded:     {},
	Triggered:     {Investigating, Remediating, Verifying, Monitoring, Resolved, Closed},
	Investigating: {Remediating, Verifying, Monitoring, Resolved, Closed, Triggered}, // Triggered: the acknowledgement was of before a relapse
	Remediating:   {Verifying, Triggered, Investigating, Monitoring},
	Verifying:     {Triggered, Investigating, Monitoring, Resolved, Closed},
	Monitoring:    {Triggered, Investigating, Remediating, Verifying, Resolved, Closed},
	Resolved:      {Triggered, Investigating, Verifying, Monitoring, Closed},
	Closed:        {Triggered, Investigating, Verifying, Monitoring, Resolved}, // Resolved: later than we knew
}

// Status derives where the incident stands.
func (s *Incident) Status() Status {
	switch {
	case s.Discarded:
		return Discarded
	case !s.Released:
		return Held
	case s.isResolved() && s.Closed != nil && !s.Closed.At.Before(s.Resolved.At.Add(s.Rule.Reopen)):
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
// no alert started firing later, even one that has ended again, and nobody
// reopened it later. What began after a resolution needs another one.
func (s *Incident) isResolved() bool {
	if s.Resolved == nil {
		return false
	}
	if s.Reopened != nil && s.Reopened.At.After(s.Resolved.At) {
		return false
	}
	return s.Alerts.latest <= nanos(s.Resolved.At)
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
	if start.IsZero() { // what began has ended again
		start = s.Resolved.At
	}
	return start
}

// acknowledged is the first acknowledgement of the present episode: the first
// of all, or after a relapse the first since the resolution that did not last.
// (Not since the relapse's first alert: that alert may clear and fire again
// without making anybody's acknowledgement worth less.)
func (s *Incident) acknowledged() *Mark {
	for i := range s.Acks {
		if s.Resolved == nil || s.isResolved() || s.Acks[i].At.After(s.Resolved.At) {
			return &s.Acks[i]
		}
	}
	return nil
}

// AckedBy is the first acknowledgement of the present episode, or nil.
func (s *Incident) AckedBy() *Mark { return s.acknowledged() }
