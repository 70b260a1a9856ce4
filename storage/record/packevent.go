package record

import "github.com/hikeshi-ops/hikeshi/incidents"

// manyTracks is the size, that of about two alerts, from which what a report says
// of its alerts outweighs the words around it. That is nearly random: packing it
// costs more than it saves, and such reports come when there is least time.
const manyTracks = 64

// fewBytes is what is too small to be worth 20 µs.
const fewBytes = 160

// Pack packs the events and snapshots of a commit, for a store whose memory is
// dear. Summaries stay as they are: they are small, and written with every change.
// What is read there goes through Unfold.
func (e *Encoded) Pack() error {
	for i := range e.Changes {
		c, from := &e.Changes[i], &e.Commit.Changes[i]
		for j := range c.Events {
			if n := from.Events[j].Alerts; len(c.Events[j]) < fewBytes || n != nil && len(n.Tracks) > manyTracks {
				continue
			}
			if err := pack(&c.Events[j]); err != nil {
				return err
			}
		}
		if c.Snapshot != nil && from.State.Alerts.Len() <= incidents.MaxSamples {
			if err := pack(&c.Snapshot); err != nil {
				return err
			}
		}
	}
	return nil
}

func pack(b *[]byte) (err error) {
	if lifted := lift(*b); lifted != nil && len(lifted) <= maxPacked {
		*b, err = liftedForm.pack(lifted)
		return err
	}
	*b, err = eventForm.shrink(*b)
	return err
}

// Unfold is an event or a snapshot as JSON, packed or of an earlier release.
func Unfold(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] != packedLifted {
		return eventForm.unfold(b)
	}
	lifted, err := liftedForm.unpack(b)
	if err != nil {
		return nil, err
	}
	return lower(lifted)
}
