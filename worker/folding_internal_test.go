package worker

import (
	"context"
	"testing"
	"time"
)

// granted is a store that gives every lease.
type granted struct {
	Store
	asked func()
}

func (g granted) Lease(context.Context, string, string, time.Duration) (bool, error) {
	g.asked()
	return true, nil
}

// Whoever renews a lease that had run out does not know who held it in between, and
// believes nothing of what it knew: also where the renewal itself takes that long.
func TestALeaseRegainedIsALeaseLost(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var slow time.Duration
	w := &Worker{now: func() time.Time { return now }, folder: NewFolder(FolderOptions{Shards: 1})}
	w.store = granted{asked: func() { now = now.Add(slow) }}
	for i, c := range []struct {
		later, slow time.Duration
		knows       bool
	}{{0, 0, false}, {foldLease - 1, 0, true}, {foldLease - 1, 0, true}, {foldLease + 1, 0, false}, {0, 0, true}, {time.Second, foldLease, false}} {
		w.folder.marks[place{}] = 7
		now, slow = now.Add(c.later), c.slow
		w.renewFolding(t.Context(), foldLease)
		if _, knows := w.folder.marks[place{}]; knows != c.knows || !w.folding.Load() {
			t.Errorf("%d: knows its marks: %v", i, knows)
		}
	}
}
