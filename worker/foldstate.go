package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// place is a log as one shard sees it.
type place struct{ shard, log int }

// mark is how far the shard has folded the log.
func (f *Folder) mark(ctx context.Context, at place) (int64, error) {
	if mark, known := f.marks[at]; known {
		return mark, nil
	}
	mark, err := f.log.Mark(ctx, at.shard, at.log)
	if err != nil {
		return 0, fmt.Errorf("read the mark of log %d in shard %d: %w", at.log, at.shard, err)
	}
	f.marks[at] = mark
	return mark, nil
}

// forget makes the folder read the marks anew: another process has folded.
func (f *Folder) forget() {
	clear(f.marks)
	clear(f.sure)
	clear(f.half)
}

// unfolded says whether something that was received by a moment still waits to
// be folded, by whichever process that does it.
func (f *Folder) unfolded(ctx context.Context, by time.Time) (bool, error) {
	for log := range f.shards {
		mark, err := f.log.Mark(ctx, log, log)
		if err != nil {
			return false, fmt.Errorf("read the mark of log %d: %w", log, err)
		}
		entries, err := f.log.ReadLog(ctx, log, mark, 1)
		if err != nil {
			return false, fmt.Errorf("read log %d: %w", log, err)
		}
		for _, e := range entries {
			for _, b := range e.Batches {
				if !b.ReceivedAt.After(by) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// load gets the incidents of all groups, from the shelf where they are current.
func (f *Folder) load(ctx context.Context, shard int, lists [][]incidents.ID) (map[incidents.ID]*shelved, error) {
	known := map[incidents.ID]*shelved{}
	var refs []incidents.Ref
	for _, ids := range lists {
		for _, id := range ids {
			ref := incidents.Ref{ID: id, Shard: shard}
			if h := f.shelf.take(id); h != nil {
				known[id], ref.Known = h, h.Version
			}
			refs = append(refs, ref)
		}
	}
	if len(refs) == 0 {
		return known, nil
	}
	loaded, err := f.log.LoadMany(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("load incidents: %w", err)
	}
	for i, s := range loaded {
		if s != nil {
			known[refs[i].ID] = &shelved{Incident: s}
		}
	}
	return known, nil
}

// putBack puts what was committed, and what needed no change, on the shelf.
func (f *Folder) putBack(c *incidents.Commit, known map[incidents.ID]*shelved) {
	for _, ch := range c.Changes {
		h := known[ch.State.ID]
		if h == nil {
			h = &shelved{Incident: ch.State}
			known[ch.State.ID] = h
		}
		h.wrote(ch.Events)
	}
	for _, h := range known {
		f.shelf.put(h)
	}
}
