package find

import (
	"bytes"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// record is one alert: 56 bytes, and 4 for each label. An alert that is in two
// open incidents has two.
type record struct {
	fp     incidents.Key
	fired  int64  // ns: start of the latest episode
	until  int64  // ns: firing: when it lapses, 0 for never; else when it ended or lapsed
	where  int64  // the event that has it whole, or the entry of the intake log; 0: we do not know its labels
	labels uint32 // where its labels begin in held.labels
	count  uint16 // of labels
	log    int16  // the intake log; noLog: it is an event
	state  state
}

const noLog = -1

type state uint8

const (
	firing state = iota
	ended
	lapsed
)

// at which a record without labels is no longer looked for in the intake log.
const givenUp = -1

func (r *record) bare() bool { return r.where <= 0 }

func (r *record) set(t incidents.Track) {
	r.fired = t.FiredAt
	switch {
	case t.Firing():
		r.state, r.until = firing, t.ExpiresAt
	case t.FiredAt > t.EndedAt:
		r.state, r.until = lapsed, t.LapsedAt
	default:
		r.state, r.until = ended, t.EndedAt
	}
}

// held is what is kept of one open incident.
type held struct {
	id      incidents.ID
	version int64           // of the events that were read
	wanted  int64           // of the incident, as the list had it
	scope   incidents.Scope // for the right to see it
	records []record
	labels  []uint32 // numbers of pairs, of one record after the other

	total  int   // alerts it has, as the list had it
	full   bool  // there was no room for some
	sought int   // records whose labels are to be found in the intake log
	lost   int   // records whose labels it does not have
	since  int64 // ns: the first start of those that are sought
	heard  int64 // ns: when the last news of those that are sought was written
	back   bool  // its log was read from the start though we are past its first reports
}

// uncovered is how many of the incident's alerts no question sees: not read yet,
// without labels, beyond our maximum or only counted by the incident itself.
func (h *held) uncovered() int { return h.sought + h.lost + max(0, h.total-len(h.records)) }

func (h *held) of(r *record) []uint32 { return h.labels[r.labels : r.labels+uint32(r.count)] }

func (h *held) find(fp incidents.Key) (int, bool) {
	return slices.BinarySearchFunc(h.records, fp, func(r record, fp incidents.Key) int { return bytes.Compare(r.fp[:], fp[:]) })
}

// index is all that is kept. The caller holds its lock.
type index struct {
	pairs  *pairs
	list   []*held // by number
	max    int
	alerts int // records in all
	used   int // labels in all
	freed  int // labels dropped since pairs were numbered anew
	sought int
}

// room says whether another alert fits.
func (x *index) room() bool { return x.alerts < x.max && len(x.pairs.text) < maxText }

// intern appends an alert's labels to its incident's.
func (x *index) intern(h *held, r *record, labels incidents.Labels) {
	r.labels, r.count = uint32(len(h.labels)), uint16(len(labels))
	for _, l := range labels {
		h.labels = append(h.labels, x.pairs.add(l))
	}
	x.used += len(labels)
}

// apply brings an incident's records up to date with its next events. New
// records are merged in at the end: one by one would take the square of a long
// log's time.
func (x *index) apply(h *held, events []incidents.Event) error {
	fresh := map[incidents.Key]*record{}
	for i := range events {
		e := &events[i]
		if e.Alerts != nil {
			tracks, err := readTracks(e.Alerts.Tracks)
			if err != nil {
				return err
			}
			x.hear(h, e, tracks, fresh)
		}
		h.version = e.Seq
	}
	h.merge(fresh)
	return nil
}

// hear takes in one event.
func (x *index) hear(h *held, e *incidents.Event, tracks []followed, fresh map[incidents.Key]*record) {
	whole := make(map[incidents.Key]*incidents.Alert, len(e.Alerts.New))
	for i := range e.Alerts.New {
		a := &e.Alerts.New[i]
		if fp := a.Fingerprint(); whole[fp] == nil {
			whole[fp] = a
		}
	}
	for _, t := range tracks {
		r := fresh[t.fp]
		if at, known := h.find(t.fp); known {
			r = &h.records[at]
		}
		switch {
		case r == nil && !x.room():
			h.full = true
			continue
		case r == nil:
			r = &record{fp: t.fp, log: noLog}
			fresh[t.fp] = r
			x.alerts++
			if a := whole[t.fp]; a != nil {
				r.where = e.Seq
				x.intern(h, r, a.Labels)
			} else {
				x.seek(h, t.track, e.Written)
			}
		case r.where == givenUp: // it may have been repeated meanwhile
			r.where = 0
			h.lost--
			x.seek(h, t.track, e.Written)
		case r.where == 0:
			h.heard = max(h.heard, e.Written.UnixNano())
		}
		r.set(t.track)
	}
}

// seek notes that one more alert's labels are to be found in the intake log.
// The report that said its start came in no earlier (Batch.Normalise).
func (x *index) seek(h *held, t incidents.Track, written time.Time) {
	if h.sought == 0 || t.FiredAt < h.since {
		h.since = t.FiredAt
	}
	h.heard = max(h.heard, written.UnixNano())
	h.sought++
	x.sought++
}

func (h *held) merge(fresh map[incidents.Key]*record) {
	if len(fresh) == 0 {
		return
	}
	all := make([]record, 0, len(h.records)+len(fresh))
	all = append(all, h.records...)
	for _, r := range fresh {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b record) int { return bytes.Compare(a.fp[:], b.fp[:]) })
	h.records = all
}

// fill gives a record the labels that the intake log has.
func (x *index) fill(h *held, a *incidents.Alert, fp incidents.Key, log int, offset int64) {
	at, known := h.find(fp)
	if !known || h.records[at].where != 0 || len(x.pairs.text) >= maxText {
		return
	}
	r := &h.records[at]
	r.where, r.log = offset, int16(log)
	x.intern(h, r, a.Labels)
	h.sought--
	x.sought--
}

// forget empties an incident's part.
func (x *index) forget(h *held) {
	x.alerts -= len(h.records)
	x.used -= len(h.labels)
	x.freed += len(h.labels)
	x.sought -= h.sought
	*h = held{id: h.id}
}

// tidy gives back what growing slices left over, and numbers the pairs anew when
// more labels were dropped than are in use.
func (x *index) tidy() {
	for _, h := range x.list {
		if n := len(h.labels); cap(h.labels)-n > n/8+4 {
			h.labels = slices.Clone(h.labels)
		}
	}
	const few = 1 << 12
	if x.freed < few || x.freed < x.used {
		return
	}
	old, number := x.pairs, make([]uint32, x.pairs.len()) // + 1; 0: none yet
	x.pairs, x.freed = newPairs(), 0
	for _, h := range x.list {
		for i, id := range h.labels {
			if number[id] == 0 {
				number[id] = x.pairs.add(old.get(id)) + 1
			}
			h.labels[i] = number[id] - 1
		}
	}
}
