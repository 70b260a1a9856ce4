package incidents

import (
	"time"
)

// Receive tells an incident what its alerts do now.
type Receive struct {
	Source    string
	Alerts    []Alert
	Keys      []Key // the alerts' fingerprints
	Truncated int
}

func (c Receive) decide(s *Incident, now time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	news := s.news(c.Alerts, c.Keys, now)
	news.Truncated = c.Truncated
	if len(news.Tracks) == 0 && news.Untracked == 0 && news.Truncated == 0 {
		return nil, nil // a repetition: no event
	}
	if news.Firing == 0 && news.Cleared == 0 && len(news.New) == 0 && news.Untracked == 0 && news.Truncated == 0 {
		return []Event{{Kind: EventSeen, By: SourceActor(c.Source), Alerts: news}}, nil
	}
	return []Event{{Kind: EventAlerts, At: newest(c.Alerts), By: SourceActor(c.Source), Alerts: news}}, nil
}

// news compares reports with what is known. One alert may come several times
// in one report; the registers do not mind.
func (s *Incident) news(alerts []Alert, keys []Key, now time.Time) *News {
	n := &News{}
	fresh := AlertSet{} // what this very report already changed
	known := s.Alerts.Len()
	detailed := min(known, MaxDetailed)
	for i := range alerts {
		a, fp := &alerts[i], keys[i]
		base := &s.Alerts
		if _, seen := fresh.tracks[fp]; seen {
			base = &fresh
		}
		before, had := base.Get(fp)
		t, changed := base.news(fp, a, now.UnixNano())
		if !changed {
			continue
		}
		if !had {
			if known >= MaxTracked {
				n.Untracked++
				continue
			}
			known++
			if detailed < MaxDetailed {
				detailed++
				n.New = append(n.New, *a)
			}
		}
		fresh.set(fp, t)
		switch {
		case t.Firing() && !before.Firing():
			n.Firing++
		case !t.Firing() && before.Firing():
			n.Cleared++
		}
		if t.Firing() {
			if sev := a.Severity(); sev.WorseThan(n.Severity) {
				n.Severity = sev
			}
		}
	}
	n.Tracks = encodeTracks(&fresh)
	return n
}

// expireAlerts ends the alerts that nobody repeated in time.
func (s *Incident) expireAlerts(now time.Time) []Event {
	n, fresh := &News{}, AlertSet{}
	for fp, t := range s.Alerts.tracks {
		if t.Firing() && t.ExpiresAt > 0 && t.ExpiresAt <= now.UnixNano() {
			t.LapsedAt = t.ExpiresAt
			fresh.set(fp, t)
			n.Cleared++
			n.Expired++
		}
	}
	if n.Cleared == 0 {
		return nil
	}
	n.Tracks = encodeTracks(&fresh)
	return []Event{{Kind: EventAlerts, Alerts: n, Because: Reason{Phrase: "because.not_repeated"}}}
}

// newest is the latest moment the reports speak of.
func newest(alerts []Alert) time.Time {
	var t time.Time
	for i := range alerts {
		t = later(t, alerts[i].StartsAt)
		if alerts[i].Resolved {
			t = later(t, alerts[i].EndsAt)
		}
	}
	return t
}

// Takes says whether an alert of the incident's group that began at start, and
// that the incident does not know yet, joins it rather than opening a new one.
func (s *Incident) Takes(start time.Time) bool {
	switch s.Status() {
	case Closed, Discarded:
		return false
	case Resolved:
		return !start.After(s.Resolved.At.Add(s.Rule.Reopen))
	}
	return s.Rule.Window == 0 || !start.After(s.latestStart().Add(s.Rule.Window))
}

// latestStart is when the incident's latest alert began.
func (s *Incident) latestStart() time.Time {
	var last int64
	for _, t := range s.Alerts.tracks {
		last = max(last, t.FiredAt)
	}
	return later(s.OpenedAt, fromNanos(last))
}
