package worker

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Nobody has an incident at the same time as another, and those who want many,
// some of them sharing a slot, never wait for each other for ever.
func TestTurns(t *testing.T) {
	turns := newTurns()
	var holders [20]atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				ids := make([]incidents.ID, 1+rand.IntN(len(holders)))
				for i, n := range rand.Perm(len(holders))[:len(ids)] {
					ids[i] = incidents.ID(n + 1)
				}
				release, err := turns.take(t.Context(), append(ids, ids[0], ids[0]+turnSlots)...)
				if err != nil {
					t.Error(err)
					return
				}
				for _, id := range ids {
					if holders[id-1].Add(1) != 1 {
						t.Errorf("incident %d has two holders", id)
					}
				}
				for _, id := range ids {
					holders[id-1].Add(-1)
				}
				release()
			}
		})
	}
	wg.Wait()
}

func TestWhoWaitsForATurnMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		release, err := turns.take(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turns.take(ctx, 1, 2, 3); err == nil {
			t.Fatal("took what another has")
		}
		again, err := turns.take(t.Context(), 1, 3) // what the one who left had taken is free
		if err != nil {
			t.Fatal(err)
		}
		release()
		again()
		if release, err = turns.take(t.Context(), 1, 2, 3); err != nil {
			t.Fatal(err)
		}
		release()
	})
}
