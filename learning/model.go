package learning

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Bounds on a model's memory: together about 50 MB when both are reached,
// measured with 1,500 actions.
const (
	MaxCells = 80_000 // tallies; beyond it those that heard nothing for longest are forgotten
	MaxVotes = 50_000 // votes that can still be changed; an older one stays as it is
)

// Model is what was learned so far. The zero value has learned nothing. It is
// not safe for concurrent use; Service is.
type Model struct {
	cells     map[string]map[place]*tally // by action: a ranking asks for all of a place
	held      int                         // tallies
	votes     map[ballot]vote
	chances   chances
	items     map[itemAt]worth // of the first investigation
	forgotten Forgotten
	bounds    struct{ cells, votes int } // 0: MaxCells, MaxVotes
}

// Forgotten counts what the bounds cost.
type Forgotten struct {
	Cells int // tallies dropped
	Votes int // votes that can no longer be changed or taken back
	Facts int // facts about no action, or of an unknown kind: not learned
	Items int // votes on items of first investigations beyond those that are counted

	Unreadable int // facts of the log that cannot be read: kept where they are, and not learned

	Features int // features of the general model that were dropped
	Late     int // facts that came after their time was learned: replicas may differ by them until they start again
}

// Forgotten says what was dropped since the model began.
func (m *Model) Forgotten() Forgotten { return m.forgotten }

// ballot is one person's one vote on one action of one incident.
type ballot struct {
	incident incidents.ID
	action   string
	person   string
}

type vote struct {
	seq   int64
	at    int64
	value int
	why   incidents.Objection
	own   bool
	where cell // with name and service set: it is taken back where it was counted
}

// Learn takes in facts, in the order of their log.
func (m *Model) Learn(facts ...incidents.Fact) {
	if m.cells == nil {
		m.cells, m.votes = map[string]map[place]*tally{}, map[ballot]vote{}
	}
	for i := range facts {
		m.learn(&facts[i])
	}
	m.forget()
}

func (m *Model) learn(f *incidents.Fact) {
	where := cell{f.Action, place{incidents.KeyOf(f.Context.Name), incidents.KeyOf(f.Context.Service)}}
	at := f.At.UnixNano()
	switch {
	case f.Kind == incidents.FactShown, f.Kind == incidents.FactUndo, f.Kind == incidents.FactReset:
		// A list says nothing about its actions; the others are heard by the Service.
	case f.Kind == incidents.FactUseful:
		m.useful(f)
	case f.Kind == incidents.FactUnreadable:
		m.forgotten.Unreadable++
	case f.Action == "" || f.At.IsZero():
		m.forgotten.Facts++
	case f.Kind == incidents.FactChosen:
		m.chances.chosen(f)
	case f.Kind == incidents.FactVote && f.Value >= -1 && f.Value <= 1:
		m.vote(f, where, at)
	case f.Kind == incidents.FactOutcome:
		c := counts{failed: 1}
		if f.Value > 0 {
			c = counts{worked: 1}
		}
		m.count(where, c, at, 1)
		m.tally(where).outcome(at, f.Value > 0, f.Took)
		m.chances.outcome(f)
	default:
		m.forgotten.Facts++
	}
}

// vote replaces the person's earlier vote. Which of two is the later one is
// said by the log, as in the incident itself, not by clocks.
func (m *Model) vote(f *incidents.Fact, where cell, at int64) {
	b := ballot{f.Incident, f.Action, f.Person}
	old, had := m.votes[b]
	if had && f.Seq != 0 && f.Seq <= old.seq || !had && f.Value == 0 {
		return
	}
	if had {
		m.count(old.where, old.thumb(), old.at, -1)
		m.object(old.where, old.why, -1)
	}
	v := vote{seq: f.Seq, at: at, value: f.Value, why: f.Objection, own: f.Own, where: where}
	m.votes[b] = v
	m.count(where, v.thumb(), at, 1)
	m.object(where, f.Objection, 1)
}

// thumb is what a vote adds to the counts.
func (v vote) thumb() counts {
	var c counts
	switch {
	case v.value > 0:
		c.up = 1
	case v.value < 0:
		c.down, c.against = 1, weightOf(v.why)
	}
	if v.own {
		c.own, c.ownUp, c.ownAgainst = c.up+c.down, c.up, c.against
	}
	return c
}

// tally is what is known of a cell; nil for nothing.
func (m *Model) tally(c cell) *tally { return m.cells[c.action][c.place] }

// count adds to the four tallies that a fact belongs to.
func (m *Model) count(where cell, c counts, at int64, times float64) {
	for _, p := range [...]place{where.place, {name: where.name}, {service: where.service}, {}} {
		t := m.cells[where.action][p]
		if t == nil && times < 0 {
			continue // forgotten already
		}
		if t == nil {
			t = &tally{at: at}
			if m.cells[where.action] == nil {
				m.cells[where.action] = map[place]*tally{}
			}
			m.cells[where.action][p] = t
			m.held++
		}
		t.add(c, at, times)
	}
}

// forget drops the tenth that heard nothing for longest, once there is too much.
func (m *Model) forget() {
	if m.held > cmp.Or(m.bounds.cells, MaxCells) {
		m.forgotten.Cells += m.forgetCells()
	}
	if len(m.votes) > cmp.Or(m.bounds.votes, MaxVotes) {
		m.forgotten.Votes += dropOldest(m.votes, func(v vote) int64 { return v.at }, ballot.compare)
	}
}

func (m *Model) forgetCells() int {
	keys := make([]cell, 0, m.held)
	for action, places := range m.cells {
		for p := range places {
			keys = append(keys, cell{action, p})
		}
	}
	keys = oldest(keys, func(c cell) int64 { return m.tally(c).at }, cell.compare)
	for _, c := range keys {
		if delete(m.cells[c.action], c.place); len(m.cells[c.action]) == 0 {
			delete(m.cells, c.action)
		}
	}
	m.held -= len(keys)
	return len(keys)
}

func dropOldest[K comparable, V any](entries map[K]V, at func(V) int64, compare func(K, K) int) int {
	keys := oldest(slices.Collect(maps.Keys(entries)), func(k K) int64 { return at(entries[k]) }, compare)
	for _, k := range keys {
		delete(entries, k)
	}
	return len(keys)
}

// oldest is the tenth of the keys that is oldest.
func oldest[K any](keys []K, at func(K) int64, compare func(K, K) int) []K {
	slices.SortFunc(keys, func(a, b K) int {
		if c := cmp.Compare(at(a), at(b)); c != 0 {
			return c
		}
		return compare(a, b)
	})
	return keys[:len(keys)/10+1]
}

func (c cell) compare(d cell) int {
	return cmp.Or(cmp.Compare(c.action, d.action), bytes.Compare(c.name[:], d.name[:]), bytes.Compare(c.service[:], d.service[:]))
}

func (b ballot) compare(d ballot) int {
	return cmp.Or(cmp.Compare(b.incident, d.incident), cmp.Compare(b.action, d.action), cmp.Compare(b.person, d.person))
}
