package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

const (
	overlap  = 10 * time.Minute // what a search may lag, and clocks may differ
	farthest = 7 * 24 * time.Hour
	maxKnown = 8192 // what is remembered; beyond it, it is asked for or told again

	// MaxChanged is how many tickets a Reader tells of in one look, at most.
	MaxChanged = 1000
	maxLooks   = 200 // tickets that are read in one look; the others in the next
)

// cursor is up to when the tracker was looked through.
type cursor struct {
	Since time.Time `json:"since"`
	// Behind is from when on changes are told while more tickets changed than are
	// told of at once: then Since goes on page by page.
	Behind time.Time   `json:"behind,omitzero"`
	Bad    tracker.Ill `json:"bad,omitempty"`
}

// Poll looks for what changed since the last look, for where no webhook comes
// through. Hearing the same twice does nothing, so it may run beside them; one
// replica is enough. It also finds second tickets of one incident.
func (w *Watch) Poll(ctx context.Context, to tracker.Changer) error {
	name := "tracker/" + w.Config.Name + "/poll"
	doc, err := w.Settings.Setting(ctx, name)
	cur := cursor{Since: w.Now()}
	if err == nil && doc.Version > 0 {
		err = json.Unmarshal(doc.Body, &cur)
	}
	if err != nil {
		return fmt.Errorf("read up to when %s was looked through: %w", w.Config.Name, err)
	}
	if cur.Bad == nil {
		cur.Bad = tracker.Ill{}
	}
	w.again(ctx, &cur, to)
	looked := w.lookThrough(ctx, &cur, to)
	body, err := json.Marshal(cur) // also after a failure: what could not be read is known
	if err == nil {
		err = w.Settings.PutSetting(ctx, name, doc.Version, body)
	}
	if err != nil && !errors.Is(err, incidents.ErrConflict) {
		err = fmt.Errorf("note up to when %s was looked through: %w", w.Config.Name, err)
		return errors.Join(looked, err)
	}
	return looked
}

// lookThrough moves the cursor to where everything was told.
func (w *Watch) lookThrough(ctx context.Context, cur *cursor, to tracker.Changer) error {
	now := w.Now()
	from, tell := cur.Since.Add(-overlap), cur.Behind
	if tell.IsZero() {
		tell = from
	} else {
		from = cur.Since
	}
	if limit := now.Add(-farthest); from.Before(limit) {
		from = limit
	}
	found, err := w.Reader.Changed(ctx, from)
	if err != nil {
		return err
	}
	w.twins(ctx, found)
	if all, err := w.lookAt(ctx, found, tell, cur, to); err != nil || !all {
		return err
	}
	if len(found) < MaxChanged {
		cur.Since, cur.Behind = now, time.Time{}
		return nil
	}
	next := found[len(found)-1].Updated
	if !next.After(from) { // they changed at the same time, and no search tells of the others
		next = from.Add(time.Minute)
		w.Log.Error("more tickets changed at once than the tracker tells of; what changed in some is not heard", "tracker", w.Config.Name, "at", from)
	}
	cur.Since, cur.Behind = next, tell
	w.Log.Warn("more tickets changed than are told of at once; the next look goes on there", "tracker", w.Config.Name, "from", next)
	return nil
}

// lookAt says whether all of found were looked at.
func (w *Watch) lookAt(ctx context.Context, found []Stub, tell time.Time, cur *cursor, to tracker.Changer) (bool, error) {
	looks, row := 0, 0
	for _, f := range found {
		if _, known := cur.Bad[f.Key]; known || !f.Updated.After(w.seenAt(f.Key)) {
			continue
		}
		if looks >= maxLooks {
			w.Log.Warn("more tickets changed than are read at once; the next look goes on there", "tracker", w.Config.Name, "from", f.Updated)
			return false, nil
		}
		updated, err := w.look(ctx, f.Key, tell, to)
		switch {
		case err == nil && updated.IsZero(), incidents.CodeOf(err) == incidents.NotFound: // nobody's, or deleted since
		case err == nil:
			w.sawAt(f.Key, updated)
			looks, row = looks+1, 0
		case ctx.Err() != nil, row+1 >= tracker.MaxInARow, len(cur.Bad) >= tracker.MaxIll:
			return false, err
		default:
			looks, row = looks+1, row+1
			w.Log.Warn("a ticket could not be read; it is tried again", "tracker", w.Config.Name, "ticket", f.Key, "error", err)
			cur.Bad.Failed(f.Key, tell, w.Now())
		}
	}
	return true, nil
}

// again tries what could not be read.
func (w *Watch) again(ctx context.Context, cur *cursor, to tracker.Changer) {
	failed := 0
	for _, key := range cur.Bad.Due(w.Now()) {
		from := cur.Bad[key].From
		updated, err := w.look(ctx, key, from, to)
		switch {
		case err == nil, incidents.CodeOf(err) == incidents.NotFound:
			delete(cur.Bad, key)
			if !updated.IsZero() {
				w.sawAt(key, updated)
			}
			continue
		case ctx.Err() != nil:
			return
		case cur.Bad.Failed(key, from, w.Now()):
			w.Log.Error("a ticket could not be read for days; what changed in it is not heard", "tracker", w.Config.Name, "ticket", key, "error", err)
		}
		if failed++; failed >= tracker.MaxInARow {
			return
		}
	}
}

// twins heals what can be; what cannot is found again for as long as the looks
// overlap, and by whoever keeps the ticket.
func (w *Watch) twins(ctx context.Context, found []Stub) {
	have := map[string]int{}
	for _, f := range found {
		if f.Marker != "" {
			have[f.Marker]++
		}
	}
	for marker, n := range have {
		if n < 2 {
			continue
		}
		if err := w.Once.Heal(ctx, marker); err != nil {
			w.Log.Warn("two tickets of one incident could not be made one yet", "tracker", w.Config.Name, "marker", marker, "error", err)
		}
	}
}
