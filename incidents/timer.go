package incidents

import (
	"strings"
	"time"
)

// Timer is the name of a timer. Timers are derived: Due says from the state
// when one has to fire, so a timer that fires early is simply set again, one
// that is no longer wanted does nothing, and none can be lost by being
// re-armed in the wrong order.
type Timer string

// The timers.
const (
	TimerHold   Timer = "hold"   // has it lasted?
	TimerAck    Timer = "ack"    // has anybody acknowledged?
	TimerQuiet  Timer = "quiet"  // quiet for long enough to resolve?
	TimerClose  Timer = "close"  // past the window in which it would reopen
	TimerAlerts Timer = "alerts" // has an alert expired?
	TimerExpiry Timer = "expiry" // an approval's term: "expiry/3"
)

// Due says when the timer has to fire; zero: not at all, as things stand.
func (s *Incident) Due(t Timer, arg string, p Policy) time.Time {
	switch t {
	case TimerHold:
		if s.Status() == Held {
			return s.HeldUntil
		}
	case TimerAck:
		if s.Status() == Triggered && p.RemindAck > 0 && (s.RemindedAt.IsZero() || s.Resolved != nil && !s.RemindedAt.After(s.Resolved.At)) {
			return later(s.CreatedAt, s.episodeStart()).Add(p.RemindAck)
		}
	case TimerQuiet:
		if s.Status() == Monitoring && s.Rule.Quiet > 0 && !s.heldOpen() {
			return s.ClearedAt().Add(s.Rule.Quiet)
		}
	case TimerClose:
		if s.Status() == Resolved {
			return s.Resolved.At.Add(s.Rule.Reopen)
		}
	case TimerAlerts:
		return s.Alerts.nextExpiry()
	case TimerExpiry:
		if a := s.approval(arg); a != nil && a.State == ApprovalPending {
			return a.ExpiresAt
		}
	}
	return time.Time{}
}

// Rearm is the effect for a timer that is still wanted, or none. Whoever
// carries out timers calls it with the effect's own Arg after the timer did
// not change anything.
func Rearm(s *Incident, name string, p Policy) []Effect {
	t, arg, _ := strings.Cut(name, "/")
	return s.arm(Timer(t), arg, p)
}

func (s *Incident) arm(t Timer, arg string, p Policy) []Effect {
	due := s.Due(t, arg, p)
	if due.IsZero() {
		return nil
	}
	name := string(t)
	if arg != "" {
		name += "/" + arg
	}
	return []Effect{s.effect(DoTimer, LaneTimer, name, due)}
}

// Tick tells an incident that its timer Name is due.
type Tick struct {
	Name   string
	Policy Policy
}

func (c Tick) decide(s *Incident, now time.Time) ([]Event, error) {
	t, arg, _ := strings.Cut(c.Name, "/")
	due := s.Due(Timer(t), arg, c.Policy)
	if due.IsZero() || due.After(now) {
		return nil, nil
	}
	switch Timer(t) {
	case TimerHold:
		return s.release(now), nil
	case TimerAck:
		return []Event{{Kind: EventReminded, At: s.at(time.Time{}, now)}}, nil
	case TimerQuiet:
		return []Event{{Kind: EventResolved, At: s.at(time.Time{}, now), Because: Because("because.quiet", "for", s.Rule.Quiet.String())}}, nil
	case TimerClose:
		return []Event{{Kind: EventClosed, Because: Because("because.no_relapse", "for", s.Rule.Reopen.String())}}, nil
	case TimerAlerts:
		return s.expireAlerts(now), nil
	case TimerExpiry:
		return []Event{{Kind: EventExpired, ApprovalID: arg}}, nil
	}
	return nil, nil
}

// heldOpen: a person reopened it and nothing has begun since. They know
// something that the alerts do not, so quiet alone does not resolve it.
func (s *Incident) heldOpen() bool {
	return s.Reopened != nil && (s.Resolved == nil || s.Reopened.At.After(s.Resolved.At)) &&
		s.Alerts.latest <= nanos(s.Reopened.At)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
