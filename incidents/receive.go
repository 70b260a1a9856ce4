package incidents

import (
	"slices"
	"strings"
	"time"
)

// Receive tells an incident what its alerts do now.
type Receive struct {
	Source    string
	Alerts    []Alert
	Keys      []Key // the alerts' fingerprints
	Truncated int
	Loud      bool // some of them belong to no maintenance
}

func (c Receive) decide(s *Incident, now time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	news, goOn := s.news(c.Alerts, c.Keys, now)
	news.Truncated = c.Truncated
	if len(news.Tracks) == 0 && news.Untracked == 0 && news.Truncated == 0 {
		return nil, nil // a repetition: no event
	}
	if c.Loud && s.Expected != "" && s.Status() == Held {
		return []Event{{Kind: EventAlerts, At: newest(c.Alerts), By: SourceActor(c.Source), Alerts: news},
			{Kind: EventOpened, At: s.OpenedAt, By: SourceActor(s.Source), Because: s.Because}}, nil
	}
	relapse := s.isResolved() && newestStart(c.Alerts).After(s.Resolved.At)
	if goOn && !relapse && news.Untracked == 0 && news.Truncated == 0 {
		return []Event{{Kind: EventSeen, By: SourceActor(c.Source), Alerts: news}}, nil
	}
	return []Event{{Kind: EventAlerts, At: newest(c.Alerts), By: SourceActor(c.Source), Alerts: news, Text: s.lastWords(c.Alerts, c.Keys, news)}}, nil
}

// lastWords are what the alerts that end here say of their end, where they said something
// else as they began: why it is over, or how things are now.
func (s *Incident) lastWords(alerts []Alert, keys []Key, n *News) string {
	const most = 3
	if n.Cleared == 0 {
		return ""
	}
	first := make(map[Key]string, len(s.Samples))
	for i := range s.Samples {
		first[s.Samples[i].Fingerprint()] = description(&s.Samples[i])
	}
	var words []string
	for i := range alerts {
		said, known := first[keys[i]]
		if t, _ := s.Alerts.Get(keys[i]); !known || !alerts[i].Resolved || !t.Firing() {
			continue
		}
		now := cut(description(&alerts[i]), MaxValue)
		if now == "" || now == cut(said, MaxValue) || slices.Contains(words, now) {
			continue
		}
		if words = append(words, now); len(words) == most {
			break
		}
	}
	return strings.Join(words, "\n")
}

// news compares reports with what is known. One alert may come several times
// in one report; the registers do not mind. goOn says that nothing but this is
// new: known firing alerts still fire.
func (s *Incident) news(alerts []Alert, keys []Key, now time.Time) (n *News, goOn bool) {
	n, goOn = &News{}, true
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
			// Labels give the severity and name the alert: an end that comes
			// before its beginning says the same.
			if sev := s.severityOf(a); sev.WorseThan(n.Severity) {
				n.Severity = sev
			}
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
		goOn = goOn && before.Firing() && t.Firing()
		switch {
		case t.Firing() && !before.Firing():
			n.Firing++
			if had {
				n.Back++
			}
		case !t.Firing() && before.Firing():
			n.Cleared++
		}
	}
	n.Tracks = encodeTracks(&fresh)
	n.Reopens = s.isResolved() && fresh.latest > nanos(s.Resolved.At)
	return n, goOn
}

// severityOf is what the alert says, or what the incident's rule says instead.
func (s *Incident) severityOf(a *Alert) Severity {
	if s.Rule.Severity != SevUnknown {
		return s.Rule.Severity
	}
	return a.Severity()
}

// expireAlerts ends the alerts that nobody repeated in time.
func (s *Incident) expireAlerts(now time.Time) []Event {
	n, fresh := &News{}, AlertSet{}
	for fp, t := range s.Alerts.tracks {
		if at := t.expiry(); at > 0 && at <= now.UnixNano() {
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
	t := newestStart(alerts)
	for i := range alerts {
		if alerts[i].Resolved {
			t = later(t, alerts[i].EndsAt)
		}
	}
	return t
}

// newestStart is the latest start the reports speak of.
func newestStart(alerts []Alert) time.Time {
	var t time.Time
	for i := range alerts {
		t = later(t, alerts[i].StartsAt)
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
	return later(s.OpenedAt, fromNanos(s.Alerts.latest))
}
