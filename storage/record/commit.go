package record

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Encoded is a commit as bytes, made before any lock is taken. It holds
// nothing of the states it was made from, which their owner goes on changing.
type Encoded struct {
	*incidents.Commit
	Changes []Change
	Facts   [][]byte
}

// Change is one incidents.Change as bytes.
type Change struct {
	ID       incidents.ID
	Expect   int64
	Version  int64 // afterwards
	Events   [][]byte
	Size     int    // of the events before they were packed, in bytes
	Snapshot []byte // the state; nil where no snapshot is due
	Full     int    // of the snapshot before it was packed, in bytes
	Summary  []byte
	Open     bool
	Service  string
}

// Weigher says how heavy an incident is at a version, for Due. A store answers
// from memory; where it does not know, a snapshot is made.
type Weigher func(id incidents.ID, version int64) (w Weight, known bool)

// Weight is what decides whether a snapshot is due.
type Weight struct {
	Snapshot int // bytes of the latest snapshot; 0 for none
	Since    int // bytes of the events after it
}

// smallSnapshot is the size up to which events may pile up in any case: about
// a dozen events, which take less time to replay than a snapshot to write.
const smallSnapshot = 8 << 10

// Due says that a snapshot should be written: the events since the last one
// outweigh it. So all snapshots together cost no more bytes than all events,
// and a load never reads more than twice the state.
func (w Weight) Due() bool { return w.Since > max(w.Snapshot, smallSnapshot) }

// Encode checks that c is whole and writes it as bytes.
func Encode(c *incidents.Commit, weigh Weigher) (*Encoded, error) {
	e := &Encoded{Commit: c}
	for i := range c.Changes {
		ch, err := encodeChange(c.Shard, &c.Changes[i], weigh)
		if err != nil {
			return nil, err
		}
		for j := range e.Changes {
			if e.Changes[j].ID == ch.ID {
				return nil, fmt.Errorf("%s changes twice", ch.ID)
			}
		}
		e.Changes = append(e.Changes, ch)
	}
	for i := range c.Facts {
		b, err := encodeFact(&c.Facts[i])
		if err != nil {
			return nil, err
		}
		e.Facts = append(e.Facts, b)
	}
	for i := range c.Effects {
		if f := &c.Effects[i]; f.Key == "" || !laneForm.MatchString(f.Lane) || f.Shard != c.Shard {
			return nil, fmt.Errorf("effect %q of lane %q in shard %d does not belong in a commit of shard %d", f.Key, f.Lane, f.Shard, c.Shard)
		}
	}
	return e, nil
}

// laneForm is what a lane may be called: the name becomes part of a key.
var laneForm = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,64}$`)

func encodeChange(shard int, c *incidents.Change, weigh Weigher) (Change, error) {
	s := c.State
	switch {
	case s == nil || len(c.Events) == 0:
		return Change{}, fmt.Errorf("a change without a state or without events")
	case s.Shard != shard:
		return Change{}, fmt.Errorf("%s lives in shard %d, the commit in %d", s.ID, s.Shard, shard)
	case s.ID <= 0 || s.Version != c.Expect+int64(len(c.Events)):
		return Change{}, fmt.Errorf("%s is at version %d after %d events from %d", s.ID, s.Version, len(c.Events), c.Expect)
	}
	sum := s.Summary()
	ch := Change{ID: s.ID, Expect: c.Expect, Version: s.Version, Open: sum.Status.Open(), Service: sum.Service}
	for i := range c.Events {
		if c.Events[i].Seq != c.Expect+int64(i)+1 {
			return Change{}, fmt.Errorf("event %d of %s has number %d", c.Expect+int64(i)+1, s.ID, c.Events[i].Seq)
		}
		b, err := json.Marshal(&c.Events[i])
		if err != nil {
			return Change{}, fmt.Errorf("encode event: %w", err)
		}
		ch.Events = append(ch.Events, b)
		ch.Size += len(b)
	}
	var err error
	if ch.Summary, err = json.Marshal(&sum); err != nil {
		return Change{}, fmt.Errorf("encode summary: %w", err)
	}
	w, known := Weight{}, c.Expect == 0
	if !known {
		w, known = weigh(s.ID, c.Expect)
	}
	w.Since += ch.Size
	if !known || w.Due() {
		if ch.Snapshot, err = json.Marshal(s); err != nil {
			return Change{}, fmt.Errorf("encode state: %w", err)
		}
		ch.Full = len(ch.Snapshot)
	}
	return ch, nil
}

// State rebuilds an incident from its latest snapshot, or none, and the events
// after it.
func State(snapshot []byte, events [][]byte) (*incidents.Incident, error) {
	s := &incidents.Incident{}
	if len(snapshot) > 0 {
		if err := json.Unmarshal(snapshot, s); err != nil {
			return nil, fmt.Errorf("decode state: %w", err)
		}
	}
	for _, b := range events {
		e, err := Event(b)
		if err != nil {
			return nil, err
		}
		if e.Seq != s.Version+1 {
			return nil, fmt.Errorf("event %d of %s follows event %d", e.Seq, s.ID, s.Version)
		}
		incidents.Apply(s, &e)
	}
	return s, nil
}

// Event reads one event.
func Event(b []byte) (incidents.Event, error) {
	var e incidents.Event
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("decode event: %w", err)
	}
	return e, nil
}

// Events reads several.
func Events(bodies [][]byte) ([]incidents.Event, error) {
	events := make([]incidents.Event, len(bodies))
	for i, b := range bodies {
		if err := json.Unmarshal(b, &events[i]); err != nil {
			return nil, fmt.Errorf("decode event: %w", err)
		}
	}
	return events, nil
}

// Summary reads an incident's row.
func Summary(b []byte) (incidents.Summary, error) {
	var s incidents.Summary
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("decode summary: %w", err)
	}
	return s, nil
}

// OnceKey is how a commit's Once name is kept: hashed, since parts of it come
// from outside.
func OnceKey(name string) incidents.Key { return incidents.KeyOf("once", name) }

// OnceHours is how long a Once name stays taken.
const OnceHours = 24
