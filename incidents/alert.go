package incidents

import (
	"fmt"
	"strings"
	"time"
)

// Alert is one alert as a source reported it, after the bounds were checked.
// Two reports with equal labels are about the same alert, whichever source
// sent them: a pair of Prometheus servers must not open two incidents.
type Alert struct {
	Labels       Labels    `json:"labels"`
	Annotations  Labels    `json:"annotations,omitempty"`
	Resolved     bool      `json:"resolved,omitempty"`
	StartsAt     time.Time `json:"starts_at"`        // never zero, never after the batch's ReceivedAt
	EndsAt       time.Time `json:"ends_at,omitzero"` // resolved: when it ended; firing: when it lapses unless repeated, or zero
	GeneratorURL string    `json:"generator_url,omitempty"`
}

// DedupLabel is the label that holds a sender's own key for an alert. With it,
// the key and the source are the alert's whole identity, whatever its other
// labels say from one report to the next.
const DedupLabel = "dedup_key"

// Fingerprint names the alert: the sender's own key where it has one, else the
// key of its labels.
func (a *Alert) Fingerprint() Key {
	if key := a.Labels.Get(DedupLabel); key != "" {
		return KeyOf("dedup", a.Labels.Get("source"), key)
	}
	return a.Labels.Key()
}

// Name is the alert's name for people.
func (a *Alert) Name() string {
	if n := a.Labels.Get("alertname"); n != "" {
		return n
	}
	return "alert"
}

// Service is what the alert is about: the first of service, app, job and
// instance that is set.
func (a *Alert) Service() string {
	for _, name := range []string{"service", "app", "job", "instance"} {
		if v := a.Labels.Get(name); v != "" {
			return v
		}
	}
	return ""
}

// Severity reads severity and priority.
func (a *Alert) Severity() Severity {
	for _, name := range []string{"severity", "priority"} {
		if s, ok := ParseSeverity(a.Labels.Get(name)); ok {
			return s
		}
	}
	return SevUnknown
}

// Batch is what one POST carried: the unit of durability. It is either wholly
// in the intake log or not at all.
type Batch struct {
	Source     string    // the name of the authenticated source, for example "alertmanager"
	ReceivedAt time.Time // by our clock
	GroupKey   string    // the sender's own group key, "" where it has none
	Truncated  int       // alerts that the sender left out (Alertmanager's truncatedAlerts)
	Alerts     []Alert
}

// Normalise bounds the clocks of others by ours, so that a sender a day ahead
// can still resolve what it fired: no alert starts, and no resolved alert
// ends, after it was received; a resolved one ends no earlier than it began.
// A time at or before 1970 is a clock that was never set, and an expiry more
// than farOff away is none.
func (b *Batch) Normalise() {
	for i := range b.Alerts {
		a := &b.Alerts[i]
		if a.StartsAt.Unix() <= 0 || a.StartsAt.After(b.ReceivedAt) {
			a.StartsAt = b.ReceivedAt
		}
		if !a.Resolved {
			if a.EndsAt.Unix() <= 0 || a.EndsAt.After(b.ReceivedAt.Add(farOff)) {
				a.EndsAt = time.Time{}
			}
			continue
		}
		if a.EndsAt.Unix() <= 0 || a.EndsAt.After(b.ReceivedAt) {
			a.EndsAt = b.ReceivedAt
		}
		if a.EndsAt.Before(a.StartsAt) {
			a.EndsAt = a.StartsAt
		}
	}
}

// farOff keeps times within what nanoseconds since 1970 can say.
const farOff = 100 * 365 * 24 * time.Hour

// Severity of an incident, SEV1 the worst. SevUnknown is an alert that does
// not say; an incident made of such alerts is SEV3.
type Severity int

// Severities, ordered so that a smaller number is worse; SevUnknown is last.
const (
	SevUnknown Severity = 0
	Sev1       Severity = 1
	Sev2       Severity = 2
	Sev3       Severity = 3
	Sev4       Severity = 4
	Sev5       Severity = 5
)

// severityWords maps the words of the trade onto SEV1…SEV5: Prometheus' usual
// severity label, Opsgenie's P1–P5, Zabbix's and PagerDuty's names.
var severityWords = map[string]Severity{
	"sev1": Sev1, "p1": Sev1, "critical": Sev1, "disaster": Sev1, "page": Sev1, "fatal": Sev1, "emergency": Sev1,
	"sev2": Sev2, "p2": Sev2, "high": Sev2, "error": Sev2, "major": Sev2,
	"sev3": Sev3, "p3": Sev3, "warning": Sev3, "warn": Sev3, "average": Sev3, "medium": Sev3, "moderate": Sev3,
	"sev4": Sev4, "p4": Sev4, "minor": Sev4, "low": Sev4, "notice": Sev4,
	"sev5": Sev5, "p5": Sev5, "info": Sev5, "information": Sev5, "informational": Sev5, "none": Sev5, "debug": Sev5,
	"1": Sev1, "2": Sev2, "3": Sev3, "4": Sev4, "5": Sev5,
}

// ParseSeverity understands SEV1…SEV5, P1…P5, 1…5 and the usual words.
func ParseSeverity(word string) (Severity, bool) {
	if word == "" {
		return SevUnknown, false
	}
	s, ok := severityWords[strings.ToLower(word)]
	return s, ok
}

// WorseThan says whether s is worse than t; unknown is never worse.
func (s Severity) WorseThan(t Severity) bool {
	if s == SevUnknown {
		return false
	}
	return t == SevUnknown || s < t
}

func (s Severity) String() string {
	if s == SevUnknown {
		return "SEV?"
	}
	return fmt.Sprintf("SEV%d", int(s))
}

// MarshalText writes SEV1…SEV5, or nothing for unknown.
func (s Severity) MarshalText() ([]byte, error) {
	if s == SevUnknown {
		return nil, nil
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote, or any word ParseSeverity knows.
func (s *Severity) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*s = SevUnknown
		return nil
	}
	v, ok := ParseSeverity(string(b))
	if !ok {
		return fmt.Errorf("unknown severity %q", b)
	}
	*s = v
	return nil
}
