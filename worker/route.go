package worker

import (
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// route gives each alert of a group to the incident that knows it, else to the
// group's newest within the rule's window, else to a new one (id 0).
// What no incident needs is added to late.
func (f *Folder) route(g *batchOf, ids []incidents.ID, known map[incidents.ID]*shelved, late *[]lateAlert) []*routed {
	var parts []*routed
	fresh := f.fresh(g, ids, known)
	for i := range g.alerts {
		id, ok := incidents.ID(0), fresh[g.keys[i]]
		if !ok {
			id, ok = f.home(g, i, ids, known)
		}
		if !ok {
			l := lateAlert{fp: g.keys[i]}
			if g.alerts[i].Resolved {
				l.end = g.alerts[i].EndsAt
			}
			*late = append(*late, l)
			continue
		}
		at := slices.IndexFunc(parts, func(p *routed) bool { return p.id == id })
		if at < 0 {
			at = len(parts)
			parts = append(parts, &routed{id: id, batchOf: batchOf{grouping: g.grouping, source: g.source}})
		}
		parts[at].alerts = append(parts[at].alerts, g.alerts[i])
		parts[at].keys = append(parts[at].keys, g.keys[i])
	}
	if len(parts) > 0 {
		parts[0].truncated = g.truncated
	}
	return parts
}

// lateAlert is one that no incident needed, and when it ended, if it is an end.
type lateAlert struct {
	fp  incidents.Key
	end time.Time
}

// sayLate tells of ends that opened nothing. One now and then is a resolved
// message after a restart; many are a sender whose clock is behind, all of whose
// alerts seem to be over when they come.
func (f *Folder) sayLate(late []lateAlert) {
	n := 0
	for _, l := range late {
		if !l.end.IsZero() {
			n++
		}
	}
	if n == 0 {
		return
	}
	if times, due := f.quiet.due("late", f.now()); due {
		f.logger.Warn("alerts had ended when they were first heard of, and opened no incident; if their sender goes on like this, its clock is behind", "alerts", n, "steps", times)
	}
}

// fresh are the alerts that open an incident with this very step. Their ends
// may be in the same step, before or after, and belong to it.
func (f *Folder) fresh(g *batchOf, ids []incidents.ID, known map[incidents.ID]*shelved) map[incidents.Key]bool {
	var fresh map[incidents.Key]bool
	if !slices.ContainsFunc(g.alerts, func(a incidents.Alert) bool { return a.Resolved }) {
		return nil
	}
	for i := range g.alerts {
		if g.alerts[i].Resolved || fresh[g.keys[i]] {
			continue
		}
		if id, ok := f.home(g, i, ids, known); ok && id == 0 {
			if fresh == nil {
				fresh = map[incidents.Key]bool{}
			}
			fresh[g.keys[i]] = true
		}
	}
	return fresh
}

// routed is the part of a group's alerts that goes to one incident.
type routed struct {
	id incidents.ID // 0: a new one
	batchOf
}

// home finds the incident of one alert; false where there is none and none is
// due: the end of something we never heard of, or the late start of something
// we already heard the end of.
func (f *Folder) home(g *batchOf, i int, ids []incidents.ID, known map[incidents.ID]*shelved) (incidents.ID, bool) {
	a, fp := &g.alerts[i], g.keys[i]
	for _, id := range slices.Backward(ids) {
		if s := known[id]; s != nil {
			if _, has := s.Alerts.Get(fp); has {
				return id, true
			}
		}
	}
	if n := len(ids); n > 0 {
		if s := known[ids[n-1]]; s != nil && s.Takes(a.StartsAt) {
			return s.ID, true
		}
	}
	return 0, !a.Resolved && !f.ended.after(fp, a.StartsAt)
}
