package find

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// test is a Term in numbers of pairs: one, or a set.
type test struct {
	pair uint32
	set  bits
}

func (t test) holds(labels []uint32) bool {
	if t.set == nil {
		return slices.Contains(labels, t.pair)
	}
	return slices.ContainsFunc(labels, t.set.has)
}

// tests are the terms; false: no alert can fit.
func (x *index) tests(terms []Term) ([]test, bool) {
	all := make([]test, 0, len(terms))
	for _, t := range terms {
		if t.Name == "" {
			all = append(all, test{set: x.pairs.holding(t.Value)})
			continue
		}
		pair, known := x.pairs.find(incidents.Label{Name: t.Name, Value: t.Value})
		if !known {
			return nil, false
		}
		all = append(all, test{pair: pair})
	}
	return all, true
}

func (h *held) fits(r *record, tests []test, all bool) bool {
	if r.bare() || r.state != firing && !all {
		return false
	}
	labels := h.of(r)
	for _, t := range tests {
		if !t.holds(labels) {
			return false
		}
	}
	return true
}

// hit is a record that fits.
type hit struct {
	place Cursor
	in    *held
	at    int
}

// answer is a page of what fits.
func (f *Finder) answer(q Query) Answer {
	a := Answer{Alerts: []Alert{}, Extent: f.extent(q)}
	tests, possible := f.tests(q.Terms)
	if !possible {
		return a
	}
	var top []hit
	for _, h := range f.list {
		seen := false
		for i := range h.records {
			r := &h.records[i]
			if !h.fits(r, tests, q.All) {
				continue
			}
			if seen = seen || q.sees(h); !seen {
				break
			}
			place := Cursor{fired: r.fired, incident: h.id, fp: r.fp}
			if q.After.IsZero() || place.compare(q.After) > 0 {
				top = keep(top, hit{place, h, i}, q.Limit+1)
			}
		}
	}
	if len(top) > q.Limit {
		top = top[:q.Limit]
		a.After = top[q.Limit-1].place
	}
	for _, t := range top {
		a.Alerts = append(a.Alerts, f.alert(t.in, &t.in.records[t.at]))
	}
	return a
}

// keep inserts a hit among the n first.
func keep(top []hit, h hit, n int) []hit {
	if len(top) == n && h.place.compare(top[n-1].place) >= 0 {
		return top
	}
	at, _ := slices.BinarySearchFunc(top, h, func(a, b hit) int { return a.place.compare(b.place) })
	if len(top) == n {
		top = top[:n-1]
	}
	return slices.Insert(top, at, h)
}

// alert is a record for readers.
func (f *Finder) alert(h *held, r *record) Alert {
	a := Alert{Incident: h.id, StartsAt: moment(r.fired), where: r.where, log: int(r.log)}
	for _, id := range h.of(r) {
		a.Labels = append(a.Labels, f.pairs.get(id))
	}
	a.Severity = (&incidents.Alert{Labels: a.Labels}).Severity()
	switch r.state {
	case firing:
		a.Firing, a.LapsesAt = true, moment(r.until)
	case ended:
		a.EndsAt = moment(r.until)
	case lapsed:
		a.LapsedAt = moment(r.until)
	}
	return a
}

// having are the incidents that have what fits, newest first.
func (f *Finder) having(q Query) (ids []incidents.ID, next incidents.ID) {
	tests, possible := f.tests(q.Terms)
	if !possible {
		return nil, 0
	}
	for _, h := range slices.Backward(f.list) {
		if q.Before > 0 && h.id >= q.Before {
			continue
		}
		if !slices.ContainsFunc(h.records, func(r record) bool { return h.fits(&r, tests, q.All) }) || !q.sees(h) {
			continue
		}
		if len(ids) == q.Limit {
			return ids, ids[q.Limit-1]
		}
		ids = append(ids, h.id)
	}
	return ids, 0
}

// compare orders pages: the latest start first, then the newest incident. That
// an alert has one place in it, on every replica, makes it a cursor.
func (c Cursor) compare(d Cursor) int {
	return cmp.Or(cmp.Compare(d.fired, c.fired), cmp.Compare(d.incident, c.incident), bytes.Compare(c.fp[:], d.fp[:]))
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
