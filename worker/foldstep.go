package worker

import (
	"context"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// foldBytes is how much of the log one step reads.
const foldBytes = 4 << 20

// Step folds what waits in one log and says whether there was anything. One that
// failed in the middle, because the store was slow or away, goes on where it
// stopped, however often: begun anew each time it might never come to its end. What
// fails for a reason of its own fails for ever, so after a few times it is set aside.
//
// Where only the log's mark is left to move, that waits for the next call, or for
// Finish: whoever carries out what was decided should not wait for it at the store.
func (f *Folder) Step(ctx context.Context, log int) (bool, error) {
	if err := f.Finish(ctx, log); err != nil {
		return false, err
	}
	st := f.half[log]
	if st == nil {
		err := guard(func() (err error) { st, err = f.begin(ctx, log); return err })
		if st == nil || err != nil {
			return false, err
		}
		f.half[log] = st
	}
	told := false
	// The log's own shard comes last: its mark says that all others are done.
	for i := range f.shards {
		shard := (log + 1 + i) % f.shards
		if st.done[shard] {
			continue
		}
		if st.marking = shard == log && told && len(st.hands[log]) == 0; st.marking {
			return true, nil
		}
		if err := f.part(ctx, st, shard); err != nil {
			return false, err
		}
		told = told || len(st.hands[shard]) > 0
	}
	f.end(st)
	return true, nil
}

// Finish moves the log's mark, where the last Step left that for later.
func (f *Folder) Finish(ctx context.Context, log int) error {
	st := f.half[log]
	if st == nil || !st.marking {
		return nil
	}
	if err := f.part(ctx, st, log); err != nil {
		return err
	}
	f.end(st)
	return nil
}

func (f *Folder) end(st *step) {
	f.endUndealt(st)
	delete(f.half, st.log)
	f.sure[st.log] = true
}

// part commits one shard's part of a step.
func (f *Folder) part(ctx context.Context, st *step, shard int) error {
	if err := guard(func() error { return f.foldShard(ctx, st, shard) }); err != nil {
		if ofItsOwn(err) {
			st.failed++
		}
		return err
	}
	st.done[shard], st.failed = true, 0
	return nil
}

// begin reads what waits in one log; nil: nothing.
func (f *Folder) begin(ctx context.Context, log int) (*step, error) {
	mark, err := f.mark(ctx, place{log, log})
	if err != nil {
		return nil, err
	}
	entries, err := f.log.ReadLog(ctx, log, mark, foldBytes)
	if err != nil {
		return nil, fmt.Errorf("read log %d: %w", log, err)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	st := &step{log: log, rules: f.rules(), after: mark, last: entries[len(entries)-1].Offset, first: !f.sure[log], done: make([]bool, f.shards)}
	st.hands, st.undealt = f.deal(st.rules, entries)
	st.strange = kinds(st.undealt)
	if st.strange > 0 && st.noneDealt() && f.inARow+st.strange > asideInARow { // the fault is ours: the log waits
		return nil, fmt.Errorf("no alert of log %d can be grouped: %w", log, st.undealt[0].err)
	}
	return st, nil
}

// step is a run of entries of one log on their way into all shards.
type step struct {
	log         int
	rules       incidents.Rules
	after, last int64 // the entries after the one up to the other
	first       bool  // another process may have died in the middle of such a step
	hands       [][]dealt
	done        []bool                 // shards whose part this process committed
	marking     bool                   // only the log's mark is left to move
	failed      int                    // how often the shard that is next failed for a reason of its own
	apart       map[incidents.Key]bool // groups of it that were dealt with one by one
	undealt     []undealt              // alerts of which not even the group is known
	strange     int                    // kinds of them
}

// dealt is one alert of the log, and the group it belongs to.
type dealt struct {
	offset int64
	batch  *incidents.Batch
	alert  int
	group  incidents.Key
}

// deal gives each shard the alerts of its groups, in order.
func (f *Folder) deal(rules incidents.Rules, entries []incidents.Entry) (hands [][]dealt, not []undealt) {
	hands = make([][]dealt, f.shards)
	for _, e := range entries {
		for _, b := range e.Batches {
			for i := range b.Alerts {
				d := dealt{offset: e.Offset, batch: b, alert: i}
				if err := guard(func() error { d.group = f.group(rules, b, i); return nil }); err != nil {
					not = append(not, undealt{d, err})
					continue
				}
				shard := d.group.Shard(f.shards)
				hands[shard] = append(hands[shard], d)
			}
		}
	}
	return hands, not
}

func (f *Folder) group(rules incidents.Rules, b *incidents.Batch, alert int) incidents.Key {
	a := &b.Alerts[alert]
	return f.policy.Customers.Apart(rules.Key(b.GroupKey, a), a.Labels)
}
