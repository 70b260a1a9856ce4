package bot

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Links says where people find things in the web console.
type Links struct {
	Base string // "https://hikeshi.example.com"; "" where there is no console to link to
	// Approvers are the names of those who may approve runs there, told on each
	// request; nil where everybody may.
	Approvers func(incidents.Scope) []string
}

// Incident is the page of an incident, "" without a console.
func (l Links) Incident(id incidents.ID) string {
	if l.Base == "" {
		return ""
	}
	return strings.TrimRight(l.Base, "/") + "/incidents/" + id.String()
}

// Postmortem is the page of an incident's postmortem, "" without a console.
func (l Links) Postmortem(id incidents.ID) string {
	if l.Base == "" {
		return ""
	}
	return l.Incident(id) + "/postmortem"
}

// Outputs is the page of what its runs have said, "" without a console.
func (l Links) Outputs(id incidents.ID) string {
	if l.Base == "" {
		return ""
	}
	return l.Incident(id) + "/outputs"
}

// Runbook is the page of a runbook as this incident has it, with its manual
// beside it; "" without a console.
func (l Links) Runbook(id incidents.ID, runbook string) string {
	if l.Base == "" || runbook == "" {
		return ""
	}
	return l.Incident(id) + "/runbooks/" + url.PathEscape(runbook)
}

// Card is the incident's card for somebody who asks how it stands: without
// the buttons, which belong to its war room.
func Card(s *incidents.Incident, lang string, now time.Time, links Links) Message {
	v := view{s: s, lang: lang, now: now, links: links}
	m := v.card()
	m.Key, m.Pinned, m.Buttons = "", false, nil
	return m
}

// Suggestions are all next actions for somebody who asks for them, without the
// buttons, which belong to the war room.
func Suggestions(s *incidents.Incident, lang string, now time.Time) Message {
	v := view{s: s, lang: lang, now: now, all: true}
	m := v.suggestions()
	m.Key = ""
	for i := range m.Items {
		m.Items[i].Buttons = nil
	}
	return m
}

// Room is what should stand in a war room: the card, the diagnostics and the
// suggestions first, then requests, runs and lines in the order in which they
// happened. events are the incident's log, or the stretch of it for which
// lines are wanted. Times are shown in now's time zone; apart from the
// progress of a verification nothing else depends on now's hour, so a room in
// which nothing happened needs no edit.
//
// It is a pure function: whoever keeps a room compares its answer with what
// stands there (see Sync). An incident that nobody was told of has no room.
func Room(s *incidents.Incident, events []incidents.Event, lang string, now time.Time, links Links) []Message {
	if !s.Released || s.Discarded || s.Version == 0 {
		return nil
	}
	v := view{s: s, lang: lang, now: now, links: links, order: map[string]int64{}}
	for i := range events {
		v.place(&events[i])
	}
	messages := []Message{v.card(), v.diagnostics(), v.suggestions()}
	type placed struct {
		at int64
		m  Message
	}
	var rest []placed
	for i := range s.Approvals {
		m := v.approval(&s.Approvals[i])
		rest = append(rest, placed{v.order[m.Key], m})
	}
	for i := range s.Runs {
		m := v.run(&s.Runs[i])
		rest = append(rest, placed{v.order[m.Key], m})
	}
	for _, l := range v.lines(events) {
		rest = append(rest, placed{l.seq, l.message})
	}
	for _, l := range v.said(events) {
		rest = append(rest, placed{l.seq, l.message})
	}
	slices.SortStableFunc(rest, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	for _, p := range rest {
		messages = append(messages, p.m)
	}
	return messages
}

// view makes the messages of one room in one language.
type view struct {
	s     *incidents.Incident
	lang  string
	now   time.Time
	links Links
	all   bool             // show what a room leaves out for brevity
	asks  bool             // ask whether each row was useful
	order map[string]int64 // where requests and runs belong among the lines
}

// place remembers where the message that an event gave rise to belongs.
func (v *view) place(e *incidents.Event) {
	switch e.Kind {
	case incidents.EventRequested:
		if e.Approval != nil {
			v.order[approvalKey(e.Approval.ID)] = e.Seq
		}
	case incidents.EventApproved:
		v.order[runKey(e.RunID)] = e.Seq
	}
}

// The keys of a room's messages.
const (
	keyCard        = "card"
	keyDiagnostics = "diagnostics"
	keySuggestions = "suggestions"
)

func approvalKey(id string) string { return "approval-" + id }

// runKey names a run's message: run INC-42/3 is "run-3" in its room.
func runKey(id string) string { return "run-" + id[strings.LastIndexByte(id, '/')+1:] }
