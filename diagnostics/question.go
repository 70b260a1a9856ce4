package diagnostics

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Source is something that may know what happened. It must not change anything,
// and give up when ctx does; should it not, the others are not kept waiting.
type Source interface {
	Name() string
	Ask(ctx context.Context, q Question) (Answer, error)
}

// Question is what a source is asked: about this incident, in this time.
type Question struct {
	Incident *incidents.Incident
	From, To time.Time
	Alert    time.Time // when it began, as far as the alerts say
}

// Label is the incident's service under that name, else the label that all its
// alerts share; "" where there is none.
func (q Question) Label(name string) string {
	if name == "service" && q.Incident.Service != "" {
		return q.Incident.Service
	}
	return q.Incident.Common.Get(name)
}

const (
	before    = time.Hour     // what is usual is looked for so long before the alert
	after     = 2 * time.Hour // later than this after it nothing new is learnt
	changeLag = 6 * time.Hour // a change may have been at work for so long
)

// ask makes the question about an incident.
func ask(s *incidents.Incident, now time.Time) Question {
	to := now
	if late := s.OpenedAt.Add(after); to.After(late) {
		to = late
	}
	if !to.After(s.OpenedAt) {
		to = s.OpenedAt.Add(time.Second) // a sender's clock is ahead
	}
	return Question{Incident: s, From: s.OpenedAt.Add(-before), To: to, Alert: s.OpenedAt}
}

// Answer is what a source knows.
type Answer struct {
	Series  []Series
	Logs    []LogTrend
	Changes []Change
	Clues   []incidents.Clue // that need no analysis

	Services []Service // around the incident's, for the catalogue
	Left     int       // what there was beyond what it looked at
}

// Join adds what b knows.
func (a *Answer) Join(b Answer) {
	a.Series, a.Logs, a.Changes = append(a.Series, b.Series...), append(a.Logs, b.Logs...), append(a.Changes, b.Changes...)
	a.Clues, a.Services, a.Left = append(a.Clues, b.Clues...), append(a.Services, b.Services...), a.Left+b.Left
}

// Series is one metric of one thing over the time that was asked for.
type Series struct {
	Title  string // for people: what it is
	Of     string // which one: "instance=web-1"; "" where there is only one
	URL    string // where it can be looked at
	Points []movers.Point
	Source string // its name; whoever gathers answers says it
}

// LogTrend is a template that does not behave as before.
type LogTrend struct {
	Template, Example string
	Trend             logs.Trend
	Count             int
	Usual             float64
	Since             time.Time
	URL               string
	Source            string // see Series
}

// Change is something that somebody, or something, changed.
type Change struct {
	At       time.Time `json:"at"`
	Service  string    `json:"service,omitempty"`
	Customer string    `json:"customer,omitempty"` // whose it is; "": whose the source is
	Title    string    `json:"title"`
	By       string    `json:"by,omitempty"`
	URL      string    `json:"url,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Source   string    `json:"-"` // see Series
}
