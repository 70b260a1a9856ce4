// Package calendar knows when nothing may be changed and when alerts are expected:
// change freezes and maintenance windows, from times that recur, from dates and from
// iCalendar files, each in a time zone.
//
// It promises that every replica with the same files gives the same answer for the same moment, that a
// window means what a clock on the wall shows (where summer time begins or ends, too),
// and that asking costs a search in a short list. It decides nothing: what a freeze
// stops and what maintenance holds back is said by who asks.
//
// Start with [Window].
package calendar

import (
	"slices"
	"sort"
	"sync"
	"time"
	_ "time/tzdata" // images without a zone database are common

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Kind is what a window is for.
type Kind string

// The kinds of windows.
const (
	Freeze      Kind = "freeze"      // nothing may be changed
	Maintenance Kind = "maintenance" // alerts are expected
)

// Span is one time that a window is.
type Span struct {
	From, Until time.Time
	Why         string // what the entry itself says; "" where it says nothing
}

// rule gives the spans that end after from and begin before until, by their beginning.
type rule interface {
	spans(from, until time.Time) []Span
}

// Window is a named set of times, for everything or for what its matchers match.
type Window struct {
	Name  string
	Kind  Kind
	Match []incidents.Matcher // all must hold; none matches everything
	Why   string

	rules []rule
	file  *file // has more of them; nil: none
	mu    sync.Mutex
	known *stretch
}

// stretch are the spans between two moments, joined and in order.
type stretch struct {
	from, until time.Time
	spans       []Span
}

const (
	ahead    = 400 * 24 * time.Hour // how far is looked ahead
	behind   = 40 * 24 * time.Hour  // and back: longer than any recurring span
	maxSpans = 1 << 16              // at once
)

// around are the spans around a moment.
func (w *Window) around(t time.Time) *stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if k := w.known; k != nil && !t.Before(k.from.Add(behind)) && t.Before(k.until) {
		return k
	}
	k := &stretch{from: t.Add(-2 * behind), until: t.Add(ahead)}
	all := w.rules
	if w.file != nil {
		all = slices.Concat(all, w.file.rules)
	}
	for _, r := range all {
		k.spans = append(k.spans, r.spans(k.from, k.until)...)
	}
	slices.SortStableFunc(k.spans, func(a, b Span) int { return a.From.Compare(b.From) })
	if len(k.spans) > maxSpans {
		k.spans = k.spans[:maxSpans]
		k.until = k.spans[maxSpans-1].From
	}
	k.spans = join(k.spans)
	w.known = k
	return k
}

// join makes one of spans that overlap or touch.
func join(all []Span) []Span {
	var out []Span
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].Until) {
			if s.Until.After(out[n-1].Until) {
				out[n-1].Until = s.Until
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// At is the span that t is in.
func (w *Window) At(t time.Time) (Span, bool) {
	next := w.Next(t, 1)
	if len(next) == 0 || next[0].From.After(t) {
		return Span{}, false
	}
	return next[0], true
}

// Next are the first n spans that are not over at t.
func (w *Window) Next(t time.Time, n int) []Span {
	spans := w.around(t).spans
	i := sort.Search(len(spans), func(i int) bool { return spans[i].Until.After(t) })
	out := slices.Clone(spans[i:min(len(spans), i+n)])
	for j := range out {
		if out[j].Why == "" {
			out[j].Why = w.Why
		}
	}
	return out
}

// matches says whether the window is about something with these labels.
func (w *Window) matches(l incidents.Labels) bool {
	return !slices.ContainsFunc(w.Match, func(m incidents.Matcher) bool { return !m.Matches(l) })
}

// Calendar is all windows.
type Calendar []*Window

// Held is that a window is now. Of a freeze whose file has never been read Unread says
// why, and it has no Until.
type Held struct {
	*Window
	Span
	Unread error
}

// Frozen is the change freeze that an incident is in, or nil. One that is about any of
// its alerts is about the incident.
func (c Calendar) Frozen(s *incidents.Incident, t time.Time) *Held {
	labels := []incidents.Labels{named(s.Common, s.Service)}
	for i := range s.Samples {
		labels = append(labels, named(s.Samples[i].Labels, s.Service))
	}
	return c.longest(Freeze, t, labels...)
}

// Expected is the maintenance that an alert belongs to, or nil.
func (c Calendar) Expected(a *incidents.Alert, t time.Time) *Held {
	return c.longest(Maintenance, t, named(a.Labels, a.Service()))
}

// longest is the window of a kind about any of labels that lasts longest: longer than
// any, a freeze of which nobody knows when it ends.
func (c Calendar) longest(kind Kind, t time.Time, labels ...incidents.Labels) *Held {
	var held *Held
	for _, w := range c {
		if w.Kind != kind || !slices.ContainsFunc(labels, w.matches) {
			continue
		}
		if err := w.Unread(); err != nil && kind == Freeze {
			return &Held{Window: w, Unread: err}
		}
		if span, now := w.At(t); now && (held == nil || span.Until.After(held.Until)) {
			if span.Why == "" {
				span.Why = w.Why
			}
			held = &Held{Window: w, Span: span}
		}
	}
	return held
}

// Now says whether any window of a kind is at t: a quick no for who asks of each alert.
func (c Calendar) Now(kind Kind, t time.Time) bool {
	return slices.ContainsFunc(c, func(w *Window) bool {
		_, now := w.At(t)
		return now && w.Kind == kind
	})
}

// named are labels of which service is the service, whatever label it was taken from.
func named(l incidents.Labels, service string) incidents.Labels {
	if service == "" || l.Get("service") != "" {
		return l
	}
	return incidents.NewLabels(append(slices.Clone(l), incidents.Label{Name: "service", Value: service}))
}
