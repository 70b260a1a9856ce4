package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Settings is where it is noted what is about to be created, and up to when the
// tracker was looked through.
type Settings = tracker.Settings

type intent = tracker.Intent

// Maker makes tickets and finds them again.
type Maker interface {
	// Create makes one that carries the marker; it returns its key.
	Create(ctx context.Context, t bot.Ticket) (string, error)
	// Marked are the keys of those that carry the marker and that we made, the
	// oldest first, as far as the tracker's search knows.
	Marked(ctx context.Context, marker string) ([]string, error)
	// Retire closes the younger of two, says which is the older one, and takes
	// the marker from it last, so that whoever is interrupted does it again. Where
	// the younger one has no marker any more, it is done.
	Retire(ctx context.Context, younger, older, marker string) error
}

// Once makes exactly one ticket for each marker.
type Once struct {
	System    System
	Name      string // of the tracker in the configuration
	Maker     Maker
	Settings  Settings
	IndexTime time.Duration // after which the tracker's search must have caught up
	Now       func() time.Time
	Log       *slog.Logger

	unsure, healed atomic.Int64
}

// Stats is what happened in this process.
func (o *Once) Stats() tracker.Stats {
	return tracker.Stats{Unsure: o.unsure.Load(), Healed: o.healed.Load()}
}

func (o *Once) intents() *tracker.Intents {
	return &tracker.Intents{Name: o.Name, Settings: o.Settings, Now: o.Now, Busy: o.later(lookAgain, "another replica is creating the ticket"), Was: o.was}
}

// was is where the release before kept an intent.
func (o *Once) was(marker string) string {
	sum := sha256.Sum256([]byte(marker))
	return "tracker/" + o.Name + "/intent/" + hex.EncodeToString(sum[:16])
}

func (o *Once) note(ctx context.Context, in *intent) error { return o.intents().Note(ctx, in) }

const lookAgain = 15 * time.Second // between two looks whether the ticket is in the index

func (o *Once) later(after time.Duration, message string) error {
	return &incidents.Later{After: after, Alone: true, Err: o.System.passing("error.tracker_unsure", message)}
}

// Open makes the ticket with the marker, or finds the one that an earlier
// attempt made, and returns its key.
func (o *Once) Open(ctx context.Context, t bot.Ticket) (string, error) {
	in, err := o.find(ctx, t.Marker)
	if err != nil {
		return "", err
	}
	if in.Key == "" {
		if err := o.attempt(ctx, in, func() (string, error) { return o.Maker.Create(ctx, t) }); err != nil {
			return "", err
		}
	}
	return in.Key, o.close(ctx, in)
}

// find is what is known of the marker's ticket; without a key there is none.
func (o *Once) find(ctx context.Context, marker string) (*intent, error) {
	in, err := o.intents().Find(ctx, marker)
	if err == nil && in.Key == "" && in.Rev > 0 && !in.Clear {
		err = o.recover(ctx, in)
	}
	return in, err
}

// recover looks for what an attempt with an unknown end may have made. Searches
// lag: that nothing is found means something only after a while.
func (o *Once) recover(ctx context.Context, in *intent) error {
	found, err := o.Maker.Marked(ctx, in.Marker)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return o.adopt(ctx, in, found)
	}
	if wait := o.IndexTime - o.Now().Sub(in.At); wait > 0 {
		return o.later(min(wait, lookAgain), "whether the ticket was made is not known yet")
	}
	return nil
}

// attempt notes what it is about to do, and does it.
func (o *Once) attempt(ctx context.Context, in *intent, create func() (string, error)) error {
	in.At, in.Clear, in.Looked = o.Now(), false, false
	in.Tries++
	failpoint.Hit("tracker.create.before")
	if err := o.note(ctx, in); err != nil {
		return err
	}
	failpoint.Hit("tracker.create.noted")
	key, err := create()
	failpoint.Hit("tracker.create.asked")
	switch {
	case Undone(err):
		in.Clear = true
		return errors.Join(err, o.note(ctx, in))
	case err != nil:
		o.unsure.Add(1)
		return err
	}
	in.Key = key
	if err := o.note(ctx, in); err != nil { // the incident will know the key, and if not, the search
		o.Log.Warn("could not note which ticket was made", "tracker", o.Name, "ticket", key, "error", err)
	}
	failpoint.Hit("tracker.create.known")
	return nil
}

// adopt makes the oldest of found the ticket, and closes the others. Which is
// which is noted first: a closed one is not found by its marker any more, and
// nobody must follow it.
func (o *Once) adopt(ctx context.Context, in *intent, found []string) error {
	in.Key = found[0]
	for _, twin := range found[1:] {
		if !slices.Contains(in.Twins, twin) {
			in.Twins = append(in.Twins, twin)
		}
		if !slices.Contains(in.Close, twin) {
			in.Close = append(in.Close, twin)
		}
	}
	if err := o.note(ctx, in); err != nil {
		return err
	}
	return o.close(ctx, in)
}

// close closes the younger ones that are not closed yet.
func (o *Once) close(ctx context.Context, in *intent) error {
	for len(in.Close) > 0 {
		twin := in.Close[0]
		log := o.Log.With("tracker", o.Name, "ticket", in.Key, "younger", twin)
		err := o.Maker.Retire(ctx, twin, in.Key, in.Marker)
		switch incidents.CodeOf(err) {
		case incidents.Invalid, incidents.Forbidden, incidents.NotFound, incidents.TooLarge:
			log.Error("one incident had two tickets; the younger cannot be closed and is left to a person", "error", err)
		default:
			if err != nil {
				return err
			}
			log.Warn("one incident had two tickets; the younger is closed")
			o.healed.Add(1)
		}
		in.Close = in.Close[1:]
		if err := o.note(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// Follow is the key of the ticket where the one called key was closed as a
// twin. After a second attempt it looks once, when the index must have caught
// up, whether both worked.
func (o *Once) Follow(ctx context.Context, key, marker string) (string, error) {
	in, err := o.intents().Find(ctx, marker)
	if err != nil || in.Rev == 0 {
		return key, err
	}
	if in.Key == key && in.Tries > 1 && !in.Looked && o.Now().Sub(in.At) >= o.IndexTime {
		found, err := o.Maker.Marked(ctx, marker)
		if err != nil {
			return key, err
		}
		in.Looked = true
		if len(found) > 1 {
			err = o.adopt(ctx, in, found)
		} else {
			err = o.note(ctx, in)
		}
		if err != nil {
			return key, err
		}
	}
	if err := o.close(ctx, in); err != nil { // whoever found them was interrupted
		return key, err
	}
	if in.Key != "" && slices.Contains(in.Twins, key) {
		return in.Key, nil
	}
	return key, nil
}

// Heal makes one of several tickets with one marker.
func (o *Once) Heal(ctx context.Context, marker string) error {
	found, err := o.Maker.Marked(ctx, marker)
	if err != nil || len(found) < 2 {
		return err
	}
	in, err := o.intents().Find(ctx, marker)
	if err != nil || in.Rev == 0 { // not ours: another installation's
		return err
	}
	return o.adopt(ctx, in, found)
}
