package incidents

import (
	"slices"
	"strings"
	"time"
)

// A NotePart is a piece of what a runbook notes: text, or a place that what an earlier step
// found is put into when the note is made. What is put in is never read again.
type NotePart struct {
	Text   string `json:"text,omitempty"`
	Step   string `json:"step,omitempty"`
	Output bool   `json:"output,omitempty"` // the step's output; else its one line
}

// NoteText is a note of a plan, in the languages its author gave.
type NoteText struct {
	EN []NotePart `json:"en,omitempty"`
	JA []NotePart `json:"ja,omitempty"`
}

// RunNotes is what a run notes between two of its steps.
type RunNotes struct {
	Run  string
	Note Text
}

func (c RunNotes) decide(s *Incident, _ time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil {
		return nil, Fail(NotFound, "error.no_run", "there is no such run", "run", c.Run)
	}
	if r.State != RunRunning {
		return nil, Fail(Conflict, "error.run_claimed", "run "+r.ID+" is not under way", "run", r.ID)
	}
	return []Event{{Kind: EventNoted, By: Bot, RunID: r.ID, Note: c.Note.cut(MaxNote)}}, nil
}

func (t Text) cut(n int) *Text { return &Text{EN: cut(t.EN, n), JA: cut(t.JA, n)} }

// concluded is what runbooks without a remedy say of their findings: that a person is to
// take over, once for each time that this is found, or that it is over.
func (s *Incident) concluded(findings []Finding) []Event {
	var events []Event
	for i := range findings {
		f := &findings[i]
		before := slices.ContainsFunc(s.Findings, func(o Finding) bool { return o.Check == f.Check && o.Calls != nil })
		if f.Calls != nil && !before && s.Status().Open() {
			events = append(events, Event{Kind: EventEscalated, Because: Because("because.found", "found", f.Value), Note: f.Calls.cut(MaxNote)})
		}
	}
	if len(events) > 0 || s.Status() != Monitoring || s.heldOpen() || s.Untracked > 0 || s.Alerts.Firing() > 0 {
		return events
	}
	for i := range findings {
		if f := &findings[i]; f.Closes != nil && wellOf(f, findings) {
			return []Event{{Kind: EventResolved, Because: Because("because.checks_well", "found", f.Value), Note: f.Closes.cut(MaxNote)}}
		}
	}
	return nil
}

// wellOf: everything that the runbook of a finding looked at is well, and known.
func wellOf(f *Finding, findings []Finding) bool {
	book, _, _ := strings.Cut(f.Check, ":")
	return !slices.ContainsFunc(findings, func(o Finding) bool {
		return strings.HasPrefix(o.Check, book+"/") && (!o.OK || o.Error != "")
	})
}

// mayEnd asks the runbooks again when the last alert has cleared, where one of them would
// say that it is over: what they found while it fired is no longer news.
func mayEnd(s *Incident, e *Event, p Policy) []Effect {
	closes := slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Closes != nil })
	if !closes || e.Alerts == nil || e.Alerts.Cleared == 0 || s.Status() != Monitoring {
		return nil
	}
	return diagnose(s, e, p)
}
