package worker

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// tombs remembers ends that came before their beginnings, so that a late
// "firing" does not open an incident about something that is over. It is
// bounded and in memory: it serves the seconds in which news can overtake
// each other.
type tombs struct {
	ends map[incidents.Key]time.Time
	ring []incidents.Key
	next int
}

const maxTombs = 20_000

func newTombs() *tombs {
	return &tombs{ends: map[incidents.Key]time.Time{}, ring: make([]incidents.Key, 0, 1024)}
}

func (t *tombs) add(fp incidents.Key, end time.Time) {
	if old, has := t.ends[fp]; has {
		if end.After(old) {
			t.ends[fp] = end
		}
		return
	}
	if len(t.ring) < maxTombs {
		t.ring = append(t.ring, fp)
	} else {
		delete(t.ends, t.ring[t.next])
		t.ring[t.next] = fp
		t.next = (t.next + 1) % maxTombs
	}
	t.ends[fp] = end
}

// after says whether the alert is known to have ended at or after start.
func (t *tombs) after(fp incidents.Key, start time.Time) bool {
	end, has := t.ends[fp]
	return has && !start.After(end)
}
