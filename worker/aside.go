package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// patience is how often a shard's part of a step may fail for a reason of its own before
// it is folded group by group.
const patience = 5

// asideInARow is how many groups are set aside without one that could be folded among
// them. Where all fail, the fault is ours: then the log waits, and loses nothing, until
// it is mended.
const asideInARow = 3

// errPanicked is in the chain of what guard makes of a panic.
var errPanicked = errors.New("it panicked")

// guard makes an error of a panic: what one alert does to us is no reason to fold none.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanicked, p, debug.Stack())
		}
	}()
	return do()
}

// ofItsOwn says that a failure would come again however well the store is.
func ofItsOwn(err error) bool {
	switch {
	case err == nil, errors.Is(err, incidents.ErrConflict), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	}
	code := incidents.CodeOf(err)
	return code != incidents.Unavailable && code != incidents.Overloaded
}

// foldApart commits the groups of a hand one by one, and sets those aside that fail by
// themselves. The mark stays where it is until the caller moves it: who dies in between
// folds them again, and an alert that its incident knows changes nothing.
func (f *Folder) foldApart(ctx context.Context, st *step, shard int, hand []dealt, stay *incidents.Fold) error {
	for _, one := range byGroup(hand) {
		group := one[0].group
		if st.apart[group] {
			continue
		}
		err := guard(func() error { return f.commit(ctx, shard, newPortion(st.rules, one), stay) })
		if ofItsOwn(err) {
			// A store that takes nothing at all is not this group's fault.
			if err := f.store.Commit(ctx, &incidents.Commit{Shard: shard, Fold: stay}); err != nil {
				return fmt.Errorf("fold no alerts: %w", err)
			}
			if f.inARow >= asideInARow {
				return fmt.Errorf("no group can be folded: %w", err)
			}
			f.inARow++
			f.setAside(st.log, one, err)
		} else if err != nil {
			return err
		}
		if st.apart == nil {
			st.apart = map[incidents.Key]bool{}
		}
		st.apart[group] = true
	}
	return nil
}

// setAside counts alerts that will be in no incident, and says where they are: what the
// log keeps of them can be read until it is pruned.
func (f *Folder) setAside(log int, hand []dealt, err error) {
	f.Aside.Add(int64(len(hand)))
	first, last := hand[0], hand[len(hand)-1]
	f.logger.Error("alerts cannot be folded and were set aside; they are in no incident",
		"alerts", len(hand), "source", first.batch.Source, "received", first.batch.ReceivedAt, "log", log, "from", first.offset, "to", last.offset, "error", err)
}

// undealt is an alert whose group cannot be told, and why.
type undealt struct {
	dealt
	err error
}

// noneDealt says that no alert of a step could be grouped.
func (st *step) noneDealt() bool {
	return !slices.ContainsFunc(st.hands, func(hand []dealt) bool { return len(hand) > 0 })
}

// endUndealt sets aside what could not be dealt, now that the step is over.
func (f *Folder) endUndealt(st *step) {
	for _, u := range st.undealt {
		f.setAside(st.log, []dealt{u.dealt}, u.err)
	}
	if st.noneDealt() {
		f.inARow += st.strange
	}
}

// kinds is how many different alerts there are: one that is sent again and again is one.
func kinds(all []undealt) int {
	known := map[string]bool{}
	for _, u := range all {
		known[u.batch.Alerts[u.alert].Labels.String()] = true
	}
	return len(known)
}

// byGroup parts a hand into its groups, in order of appearance.
func byGroup(hand []dealt) [][]dealt {
	var groups [][]dealt
	at := map[incidents.Key]int{}
	for _, d := range hand {
		i, known := at[d.group]
		if !known {
			i = len(groups)
			at[d.group] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// after are those of a hand that come after an offset.
func after(hand []dealt, offset int64) []dealt {
	for i := range hand {
		if hand[i].offset > offset {
			return hand[i:]
		}
	}
	return nil
}
