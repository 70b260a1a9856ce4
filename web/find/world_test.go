package find

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const shards = 2

// world is intake logs and incidents in memory, moved by the real core.
type world struct {
	mu     sync.Mutex
	now    time.Time
	logs   [shards][]incidents.Entry
	marks  [shards]int64
	events map[incidents.ID][]incidents.Event
	states []*incidents.Incident
	hook   func() error // before every read of events
	reads  atomic.Int64
	lists  atomic.Int64
}

var (
	epoch = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	bea   = incidents.Actor{ID: "console:bea", Name: "bea"}
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newWorld() *world { return &world{now: epoch, events: map[incidents.ID][]incidents.Event{}} }

func (w *world) finder() *Finder {
	return New(Options{Incidents: w, Log: w, Shards: shards, Now: func() time.Time { return w.now }})
}

func (w *world) List(ctx context.Context, q incidents.Query) (incidents.Page, error) {
	w.lists.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	page := incidents.Page{}
	for _, s := range slices.Backward(w.states) {
		if q.Before > 0 && s.ID >= q.Before || q.Open && !s.Status().Open() {
			continue
		}
		if len(page.Incidents) == q.Limit {
			page.Next = page.Incidents[q.Limit-1].ID
			break
		}
		page.Incidents = append(page.Incidents, s.Summary())
	}
	return page, ctx.Err()
}

func (w *world) Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error) {
	w.reads.Add(1)
	if w.hook != nil {
		if err := w.hook(); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.events[id][after:]
	return slices.Clone(all[:min(max, len(all))]), ctx.Err()
}

func (w *world) ReadLog(ctx context.Context, log int, after int64, _ int) ([]incidents.Entry, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, e := range w.logs[log] {
		if e.Offset > after {
			return w.logs[log][i : i+1], ctx.Err()
		}
	}
	return nil, ctx.Err()
}

func (w *world) Mark(_ context.Context, _, log int) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.marks[log], nil
}

func (w *world) do(t fataler, s *incidents.Incident, cmd incidents.Command) {
	t.Helper()
	events, _, err := incidents.Advance(s, cmd, w.now, incidents.Policy{})
	if err != nil {
		t.Fatalf("%T: %v", cmd, err)
	}
	w.events[s.ID] = append(w.events[s.ID], events...)
}

// command moves an incident.
func (w *world) command(t fataler, id incidents.ID, cmd incidents.Command) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.do(t, w.states[id-1], cmd)
}

// report puts alerts into a log and, if told so, folds what is there.
func (w *world) report(t fataler, log int, fold bool, alerts ...incidents.Alert) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	b := &incidents.Batch{Source: "prometheus", ReceivedAt: w.now, Alerts: alerts}
	b.Normalise()
	offset := w.marks[log] + 1
	if n := len(w.logs[log]); n > 0 {
		offset = w.logs[log][n-1].Offset + 1
	}
	w.logs[log] = append(w.logs[log], incidents.Entry{Offset: offset, Batches: []*incidents.Batch{b}})
	for _, e := range w.logs[log] {
		if fold && e.Offset > w.marks[log] {
			w.fold(t, e.Batches[0].Alerts)
			w.marks[log] = e.Offset
		}
	}
}

// fold makes the alerts of one service one incident, as the worker would.
func (w *world) fold(t fataler, alerts []incidents.Alert) {
	t.Helper()
	groups, order := map[string][]incidents.Alert{}, []string(nil)
	for _, a := range alerts {
		g := a.Labels.Get("service")
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], a)
	}
	for _, g := range order {
		all := groups[g]
		keys := make([]incidents.Key, 0, len(all))
		for i := range all {
			keys = append(keys, all[i].Fingerprint())
		}
		at := slices.IndexFunc(w.states, func(s *incidents.Incident) bool { return s.Service == g && s.Takes(all[0].StartsAt) })
		if at >= 0 {
			w.do(t, w.states[at], incidents.Receive{Source: "prometheus", Alerts: all, Keys: keys})
			continue
		}
		s := &incidents.Incident{}
		w.do(t, s, incidents.Open{ID: incidents.ID(len(w.states) + 1), Source: "prometheus", Alerts: all, Keys: keys,
			Grouping: incidents.Rules{}.Group("", &all[0])})
		w.states = append(w.states, s)
	}
}

func (w *world) alert(service, pod string) incidents.Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	return incidents.Alert{StartsAt: w.now, EndsAt: w.now.Add(time.Hour),
		Labels:      incidents.LabelsFromMap(map[string]string{"alertname": "Slow", "service": service, "pod": pod, "severity": "critical"}),
		Annotations: incidents.LabelsFromMap(map[string]string{"summary": service + " is slow on " + pod})}
}

// many are n alerts of one service that began at start.
func (w *world) many(service string, n int, start time.Time) []incidents.Alert {
	var all []incidents.Alert
	for i := range n {
		a := w.alert(service, fmt.Sprintf("pod-%d", i))
		a.StartsAt = start
		all = append(all, a)
	}
	return all
}

func (w *world) ended(service, pod string, from time.Time) incidents.Alert {
	a := w.alert(service, pod)
	a.StartsAt, a.EndsAt, a.Resolved = from, w.now, true
	return a
}

// naive is the whole answer by looking at everything there is.
func (w *world) naive(fits func(incidents.Labels) bool, all bool) []string {
	type found struct {
		at   Cursor
		text string
	}
	var out []found
	for _, s := range w.states {
		seen := map[incidents.Key]bool{}
		for _, e := range slices.Concat(w.logs[0], w.logs[1]) {
			for _, a := range e.Batches[0].Alerts {
				fp := a.Fingerprint()
				track, known := s.Alerts.Get(fp)
				if !s.Status().Open() || !known || seen[fp] || !all && !track.Firing() || !fits(a.Labels) {
					continue
				}
				seen[fp] = true
				v := Alert{Incident: s.ID, Firing: track.Firing(), StartsAt: moment(track.FiredAt), Labels: a.Labels}
				switch {
				case v.Firing:
					v.LapsesAt = moment(track.ExpiresAt)
				case track.EndedAt >= track.FiredAt:
					v.EndsAt = moment(track.EndedAt)
				default:
					v.LapsedAt = moment(track.LapsedAt)
				}
				out = append(out, found{Cursor{track.FiredAt, s.ID, fp}, show(v)})
			}
		}
	}
	slices.SortFunc(out, func(a, b found) int {
		switch {
		case a.at.fired != b.at.fired:
			return int(b.at.fired/1e9 - a.at.fired/1e9)
		case a.at.incident != b.at.incident:
			return int(b.at.incident - a.at.incident)
		}
		return bytes.Compare(a.at.fp[:], b.at.fp[:])
	})
	var texts []string
	for _, f := range out {
		texts = append(texts, f.text)
	}
	return texts
}

func show(a Alert) string {
	return fmt.Sprint(a.Incident, a.Firing, a.StartsAt, a.LapsesAt, a.EndsAt, a.LapsedAt, a.Labels)
}

// pages are all pages of an answer, put together.
func pages(t fataler, f *Finder, q Query) ([]string, Extent) {
	t.Helper()
	var texts []string
	for {
		a, err := f.Find(context.Background(), q)
		if err != nil || len(a.Alerts) > q.Limit {
			t.Fatalf("%d alerts on a page of %d, %v", len(a.Alerts), q.Limit, err)
		}
		for _, alert := range a.Alerts {
			want := alert.Labels.Get("service") + " is slow on " + alert.Labels.Get("pod")
			if got := alert.Annotations.Get("summary"); got != want && (!alert.Partial || len(a.Alerts) <= maxEntries) {
				t.Fatalf("annotation %q, not %q", got, want)
			}
			texts = append(texts, show(alert))
		}
		if a.After.IsZero() {
			return texts, a.Extent
		}
		text, err := a.After.MarshalText()
		next, ok := ParseCursor(string(text))
		if !ok || err != nil {
			t.Fatalf("cursor %s cannot be read back (%v)", text, err)
		}
		q.After = next
	}
}
