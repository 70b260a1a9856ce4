package find

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// sought is an alert whose labels its incident's log leaves out.
type sought struct {
	fp incidents.Key
	in *held
}

// slack is how far clocks may differ, and how long after its last news we go on
// looking for an alert.
const slack = 10 * time.Minute

// intakeBytes is how much of an intake log is read at a time.
const intakeBytes = 1 << 20

// marks is how far each intake log has been folded. What stands up to there
// shows in the incidents that are listed afterwards: what of it is not sought
// then never will be.
func (f *Finder) marks(ctx context.Context) ([]int64, error) {
	ends := make([]int64, f.logs)
	for log := range ends {
		var err error
		if ends[log], err = f.log.Mark(ctx, log, log); err != nil {
			return nil, fmt.Errorf("read the mark of log %d: %w", log, err)
		}
	}
	return ends, nil
}

// lookUp finds the labels of the alerts that the events leave out.
func (f *Finder) lookUp(ctx context.Context, r *round) error {
	if !r.looking {
		if err := f.goBack(ctx, r); err != nil {
			return err
		}
		r.wanted, r.looking = f.wanted(), true
	}
	for log, end := range r.ends {
		for f.cursors[log] < end && f.sought > 0 {
			entries, err := f.log.ReadLog(ctx, log, f.cursors[log], intakeBytes)
			if err != nil {
				return fmt.Errorf("read log %d: %w", log, err)
			}
			if len(entries) == 0 {
				break
			}
			f.take(log, entries, r.wanted)
			f.cursors[log] = entries[len(entries)-1].Offset
		}
		// Beyond end there may be what is not folded yet: to be read again.
		f.cursors[log] = end
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.giveUp(r.began)
	return nil
}

// wanted are all alerts that are sought, by fingerprint.
func (f *Finder) wanted() []sought {
	all := make([]sought, 0, f.sought)
	for _, h := range f.list {
		if h.sought == 0 {
			continue
		}
		for i := range h.records {
			if h.records[i].where == 0 {
				all = append(all, sought{h.records[i].fp, h})
			}
		}
	}
	slices.SortFunc(all, func(a, b sought) int { return bytes.Compare(a.fp[:], b.fp[:]) })
	return all
}

// take gives alerts that are sought the labels that entries have.
func (f *Finder) take(log int, entries []incidents.Entry, wanted []sought) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		for _, b := range e.Batches {
			for i := range b.Alerts {
				a := &b.Alerts[i]
				fp := a.Fingerprint()
				at, _ := slices.BinarySearchFunc(wanted, fp, func(s sought, fp incidents.Key) int { return bytes.Compare(s.fp[:], fp[:]) })
				for ; at < len(wanted) && wanted[at].fp == fp; at++ {
					f.fill(wanted[at].in, a, fp, log, e.Offset)
				}
			}
		}
	}
}

// giveUp ends the search for alerts that were reported long ago.
func (f *Finder) giveUp(began time.Time) {
	long := began.Add(-slack).UnixNano()
	for _, h := range f.list {
		h.back = false
		if h.sought == 0 || f.logs > 0 && h.heard > long {
			continue
		}
		for i := range h.records {
			if h.records[i].where == 0 {
				h.records[i].where = givenUp
			}
		}
		f.index.sought -= h.sought
		h.lost, h.sought = h.lost+h.sought, 0
	}
}

// goBack sets the cursors to where the search begins: at the first question, and
// for incidents that we did not know and that are not new (reopened), to a little
// before the first alert began that is sought. Everything else is beyond
// the cursors.
func (f *Finder) goBack(ctx context.Context, r *round) error {
	first, back := f.now(), f.cursors == nil
	for _, h := range f.list {
		if h.sought > 0 && (f.cursors == nil || h.back) {
			back = true
			if t := time.Unix(0, h.since); t.Before(first) {
				first = t
			}
		}
	}
	if !back {
		return nil
	}
	cursors := slices.Clone(r.ends)
	if f.sought > 0 {
		for log, end := range r.ends {
			at, err := f.before(ctx, log, end, first.Add(-slack))
			if err != nil {
				return err
			}
			cursors[log] = at
		}
	}
	for log := range f.cursors {
		cursors[log] = min(cursors[log], f.cursors[log])
	}
	f.cursors = cursors
	return nil
}

// before is an offset of the log before which nothing came in since t.
func (f *Finder) before(ctx context.Context, log int, end int64, t time.Time) (int64, error) {
	low, high := int64(0), end
	for low < high {
		mid := low + (high-low)/2
		entries, err := f.log.ReadLog(ctx, log, mid, 1)
		if err != nil {
			return 0, fmt.Errorf("read log %d: %w", log, err)
		}
		if len(entries) == 0 || len(entries[0].Batches) == 0 || !entries[0].Batches[0].ReceivedAt.Before(t) {
			high = mid
			continue
		}
		low = max(mid+1, min(entries[0].Offset, high))
	}
	return low, nil
}
