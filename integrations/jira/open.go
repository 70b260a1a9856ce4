package jira

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

const lookAgain = 15 * time.Second // between two looks whether the ticket is in the index

func later(after time.Duration, phrase, message string) error {
	return &incidents.Later{After: after, Alone: true, Err: fail(phrase, message)}
}

// Open makes the ticket with the marker, or finds the one that an earlier
// attempt made.
func (k *Tracker) Open(ctx context.Context, t bot.Ticket) (tracker.Ref, error) {
	in, err := k.find(ctx, t.Marker)
	if err != nil {
		return tracker.Ref{}, err
	}
	if in.Key == "" {
		if err := k.attempt(ctx, in, func() (string, error) { return k.post(ctx, k.newIssue(t), "priority") }); err != nil {
			return tracker.Ref{}, err
		}
	}
	return tracker.Ref{Key: in.Key, URL: k.page(in.Key)}, k.closeTwins(ctx, in)
}

// find is what is known of the marker's ticket; without a key there is none.
func (k *Tracker) find(ctx context.Context, marker string) (*intent, error) {
	in, err := k.intent(ctx, marker)
	if err == nil && in.Key == "" && in.Rev > 0 && !in.Clear {
		err = k.recover(ctx, in)
	}
	return in, err
}

// recover looks for what an attempt with an unknown end may have made. Jira's
// search lags: that nothing is found means something only after a while.
func (k *Tracker) recover(ctx context.Context, in *intent) error {
	found, err := k.marked(ctx, in.Marker)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return k.adopt(ctx, in, found)
	}
	if wait := k.config.IndexTime - k.now().Sub(in.At); wait > 0 {
		return later(min(wait, lookAgain), "error.jira_unsure", "whether the ticket was made is not known yet")
	}
	return nil
}

// attempt notes what it is about to do, and does it.
func (k *Tracker) attempt(ctx context.Context, in *intent, create func() (string, error)) error {
	in.At, in.Clear, in.Looked = k.now(), false, false
	in.Tries++
	failpoint.Hit("jira.create.before")
	if err := k.note(ctx, in); err != nil {
		return err
	}
	failpoint.Hit("jira.create.noted")
	key, err := create()
	failpoint.Hit("jira.create.asked")
	switch {
	case undone(err):
		in.Clear = true
		return errors.Join(err, k.note(ctx, in))
	case err != nil:
		k.unsure.Add(1)
		return err
	}
	in.Key = key
	if err := k.note(ctx, in); err != nil { // the incident will know the key, and if not, the search
		k.log.Warn("could not note which ticket was made", "tracker", k.config.Name, "ticket", key, "error", err)
	}
	failpoint.Hit("jira.create.known")
	return nil
}

// adopt makes the oldest of found the ticket, and closes the others. Which is
// which is noted first: a closed one is not found by its marker any more, and
// nobody must follow it.
func (k *Tracker) adopt(ctx context.Context, in *intent, found []issue) error {
	in.Key = found[0].Key
	for i := range found[1:] {
		twin := found[1+i].Key
		if !slices.Contains(in.Twins, twin) {
			in.Twins = append(in.Twins, twin)
		}
		if !slices.Contains(in.Close, twin) {
			in.Close = append(in.Close, twin)
		}
	}
	if err := k.note(ctx, in); err != nil {
		return err
	}
	return k.closeTwins(ctx, in)
}

// closeTwins closes the younger ones that are not closed yet.
func (k *Tracker) closeTwins(ctx context.Context, in *intent) error {
	for len(in.Close) > 0 {
		twin, err := k.issue(ctx, in.Close[0], limit.Normal)
		if err == nil && slices.Contains(twin.Fields.Labels, in.Marker) {
			err = k.retire(ctx, in, twin)
		}
		switch incidents.CodeOf(err) {
		case incidents.Invalid, incidents.Forbidden, incidents.NotFound, incidents.TooLarge:
			k.log.Error("one incident had two tickets; the younger cannot be closed and is left to a person", "tracker", k.config.Name, "ticket", in.Key, "younger", in.Close[0], "error", err)
		default:
			if err != nil {
				return err
			}
		}
		in.Close = in.Close[1:]
		if err := k.note(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// follow is the key of the ticket where the one called key was closed as a
// twin. After a second attempt it looks once, when the index must have caught
// up, whether both worked.
func (k *Tracker) follow(ctx context.Context, key, marker string) (string, error) {
	in, err := k.intent(ctx, marker)
	if err != nil || in.Rev == 0 {
		return key, err
	}
	if in.Key == key && in.Tries > 1 && !in.Looked && k.now().Sub(in.At) >= k.config.IndexTime {
		found, err := k.marked(ctx, marker)
		if err != nil {
			return key, err
		}
		in.Looked = true
		if len(found) > 1 {
			err = k.adopt(ctx, in, found)
		} else {
			err = k.note(ctx, in)
		}
		if err != nil {
			return key, err
		}
	}
	if err := k.closeTwins(ctx, in); err != nil { // whoever found them was interrupted
		return key, err
	}
	if in.Key != "" && slices.Contains(in.Twins, key) {
		return in.Key, nil
	}
	return key, nil
}
