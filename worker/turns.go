package worker

import (
	"context"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// turns lets one of this process at a time change an incident: the folder,
// which changes hundreds in one commit, and the engine. Without them each of
// its commits would meet somebody else's change of one of the hundreds, and
// all would be read and decided again. They save work, they do not protect:
// other processes know nothing of them, the versions that a commit expects do.
type turns struct {
	slots [turnSlots]chan struct{} // an incident's is its number modulo turnSlots
}

const turnSlots = 512

func newTurns() *turns {
	t := &turns{}
	for i := range t.slots {
		t.slots[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn of all incidents, or until ctx ends. It takes slots
// in ascending order, so that two who want several never wait for each other.
func (t *turns) take(ctx context.Context, ids ...incidents.ID) (release func(), err error) {
	want := make([]int, 0, min(len(ids), turnSlots))
	for _, id := range ids {
		want = append(want, int(uint64(id)%turnSlots))
	}
	slices.Sort(want)
	want = slices.Compact(want)
	for i, slot := range want {
		select {
		case t.slots[slot] <- struct{}{}:
		case <-ctx.Done():
			t.release(want[:i])
			return nil, ctx.Err()
		}
	}
	return func() { t.release(want) }, nil
}

func (t *turns) release(slots []int) {
	for _, slot := range slots {
		<-t.slots[slot]
	}
}
