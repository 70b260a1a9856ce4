package outputs

import (
	"slices"
	"time"
)

// Bounds. The documents of a store have at most 64 KiB each.
const (
	MaxText    = 1 << 20             // bytes of one step's output
	Term       = 30 * 24 * time.Hour // how long it can be read at most
	slots      = 512                 // documents that hold all of it
	slotBytes  = 48 << 10            // of compressed text in one of them
	maxEntries = 128                 // outputs that are kept at once
)

// Entry is one output that is kept.
type Entry struct {
	Run   string    `json:"run"` // "INC-42/1"
	Step  string    `json:"step"`
	At    time.Time `json:"at"`
	Bytes int       `json:"bytes"` // of the text
	First int       `json:"first"` // its first slot
	Slots int       `json:"slots"`
}

// index says what lies where. Its decisions are pure.
type index struct {
	Next int     `json:"next"`
	Kept []Entry `json:"kept"`
}

// place makes room for an entry of n slots and says where it lies. What lay there, what is
// too old, what is too many, and an earlier output of the same step, are forgotten.
func (x *index) place(e Entry, n int, now time.Time) Entry {
	e.First, e.Slots, e.At = x.Next, n, now
	x.Next = (x.Next + n) % slots
	x.Kept = slices.DeleteFunc(x.Kept, func(old Entry) bool {
		return old.overlaps(&e) || now.Sub(old.At) > Term || old.Run == e.Run && old.Step == e.Step
	})
	x.Kept = append(x.Kept, e)
	x.Kept = slices.Delete(x.Kept, 0, max(0, len(x.Kept)-maxEntries))
	return e
}

// overlaps: both lie in a circle.
func (e *Entry) overlaps(o *Entry) bool {
	return (o.First-e.First+slots)%slots < e.Slots || (e.First-o.First+slots)%slots < o.Slots
}

func (x *index) find(run, step string, now time.Time) (Entry, bool) {
	at := slices.IndexFunc(x.Kept, func(e Entry) bool { return e.Run == run && e.Step == step && now.Sub(e.At) <= Term })
	if at < 0 {
		return Entry{}, false
	}
	return x.Kept[at], true
}
