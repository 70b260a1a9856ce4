package jira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

const (
	overlap  = 10 * time.Minute // what Jira's search may lag, and clocks may differ
	farthest = 7 * 24 * time.Hour
	maxFound = 1000 // issues that are told of in one look
	maxLooks = 200  // of these, the ones that are read; the others in the next look
)

// cursor is up to when the tracker was looked through.
type cursor struct {
	Since time.Time `json:"since"`
	// Behind is from when on changes are told while more issues changed than are
	// told of at once: then Since goes on page by page.
	Behind time.Time   `json:"behind,omitzero"`
	Bad    tracker.Ill `json:"bad,omitempty"`
}

// Poll looks for what changed since the last look, for where no webhook comes
// through. Hearing the same twice does nothing, so it may run beside them; one
// replica is enough. It also finds second tickets of one incident.
func (k *Tracker) Poll(ctx context.Context, to tracker.Changer) error {
	name, now := "tracker/"+k.config.Name+"/poll", k.now()
	doc, err := k.settings.Setting(ctx, name)
	if err != nil {
		return fmt.Errorf("read up to when %s was looked through: %w", k.config.Name, err)
	}
	cur := cursor{Since: now}
	if doc.Version > 0 {
		if err := json.Unmarshal(doc.Body, &cur); err != nil {
			return fmt.Errorf("read up to when %s was looked through: %w", k.config.Name, err)
		}
	}
	if cur.Bad == nil {
		cur.Bad = tracker.Ill{}
	}
	looked := k.lookThrough(ctx, &cur, to)
	body, err := json.Marshal(cur) // also after a failure: what could not be read is known
	if err == nil {
		err = k.settings.PutSetting(ctx, name, doc.Version, body)
	}
	if err != nil && !errors.Is(err, incidents.ErrConflict) {
		return errors.Join(looked, fmt.Errorf("note up to when %s was looked through: %w", k.config.Name, err))
	}
	return looked
}

// lookThrough moves the cursor to where everything was told.
func (k *Tracker) lookThrough(ctx context.Context, cur *cursor, to tracker.Changer) error {
	now := k.now()
	from, tell := cur.Since.Add(-overlap), cur.Behind
	if tell.IsZero() {
		tell = from
	} else {
		from = cur.Since
	}
	if limit := now.Add(-farthest); from.Before(limit) {
		from = limit
	}
	me, err := k.client.me(ctx)
	if err != nil {
		return err
	}
	k.again(ctx, cur, me, to)
	minutes := int(now.Sub(from)/time.Minute) + 1 // an age, because a time would be read in the account's zone
	found, err := k.search(ctx, "labels = "+quote(commonLabel)+" AND updated >= -"+strconv.Itoa(minutes)+"m ORDER BY updated ASC", maxFound, limit.Idle)
	if err != nil {
		return err
	}
	k.twins(ctx, found, me)
	if all, err := k.lookAt(ctx, found, tell, cur, me, to); err != nil || !all {
		return err
	}
	if len(found) < maxFound {
		cur.Since, cur.Behind = now, time.Time{}
		return nil
	}
	next := found[len(found)-1].Fields.Updated.Time
	if !next.After(from) { // they changed at the same time, and no search tells of the others
		next = from.Add(time.Minute)
		k.log.Error("more tickets changed at once than Jira tells of; what changed in some is not heard", "tracker", k.config.Name, "at", from)
	}
	cur.Since, cur.Behind = next, tell
	k.log.Warn("more tickets changed than are told of at once; the next look goes on there", "tracker", k.config.Name, "from", next)
	return nil
}

// lookAt says whether all of found were looked at.
func (k *Tracker) lookAt(ctx context.Context, found []issue, tell time.Time, cur *cursor, me *user, to tracker.Changer) (bool, error) {
	looks, row := 0, 0
	for i := range found {
		f := &found[i]
		if _, known := cur.Bad[f.Key]; known || !issueKey.MatchString(f.Key) || !f.broken && !f.Fields.Updated.After(k.seenAt(f.Key)) {
			continue
		}
		if looks++; looks > maxLooks {
			k.log.Warn("more tickets changed than are read at once; the next look goes on there", "tracker", k.config.Name, "from", f.Fields.Updated.Time)
			return false, nil
		}
		err := k.look(ctx, f.Key, tell, me, to)
		switch {
		case err == nil:
			row = 0
		case incidents.CodeOf(err) == incidents.NotFound: // deleted since
		case tooEarly(err), ctx.Err() != nil, row+1 >= tracker.MaxInARow, len(cur.Bad) >= tracker.MaxIll:
			return false, err
		default:
			row++
			k.log.Warn("a ticket could not be read; it is tried again", "tracker", k.config.Name, "ticket", f.Key, "error", err)
			cur.Bad.Failed(f.Key, tell, k.now())
		}
	}
	return true, nil
}

// again tries what could not be read.
func (k *Tracker) again(ctx context.Context, cur *cursor, me *user, to tracker.Changer) {
	row := 0
	for _, key := range cur.Bad.Due(k.now()) {
		err := k.look(ctx, key, cur.Bad[key].From, me, to)
		switch {
		case err == nil, incidents.CodeOf(err) == incidents.NotFound:
			delete(cur.Bad, key)
			continue
		case tooEarly(err), ctx.Err() != nil:
			return
		case cur.Bad.Failed(key, cur.Bad[key].From, k.now()):
			k.log.Error("a ticket could not be read for days; what changed in it is not heard", "tracker", k.config.Name, "ticket", key, "error", err)
		}
		if row++; row >= tracker.MaxInARow {
			return
		}
	}
}

// tooEarly says that Jira wants to be asked later, whatever the ticket.
func tooEarly(err error) bool { return incidents.CodeOf(err) == incidents.Overloaded }

// look tells what happened in an issue since then.
func (k *Tracker) look(ctx context.Context, key string, from time.Time, me *user, to tracker.Changer) error {
	full, err := k.issue(ctx, key, limit.Idle, "changelog")
	if err != nil {
		return err
	}
	comments, err := k.recentComments(ctx, key)
	if err != nil {
		return err
	}
	for _, c := range k.since(full, comments, me, from) {
		if err := k.tell(ctx, c, to); err != nil {
			return err
		}
	}
	k.sawAt(key, full.Fields.Updated.Time)
	return nil
}

// twins heals where two open tickets have one marker. What cannot be healed now
// is found again for as long as the looks overlap, and by whoever keeps the ticket.
func (k *Tracker) twins(ctx context.Context, found []issue, me *user) {
	have := map[string]int{}
	for i := range found {
		if found[i].Fields.Creator.account() != me.account() {
			continue
		}
		for _, l := range found[i].Fields.Labels {
			if strings.HasPrefix(l, commonLabel+"-") {
				have[l]++
			}
		}
	}
	for marker, n := range have {
		if n < 2 {
			continue
		}
		if err := k.heal(ctx, marker); err != nil {
			k.log.Warn("two tickets of one incident could not be made one yet", "tracker", k.config.Name, "marker", marker, "error", err)
		}
	}
}

// heal closes the younger of two open tickets with the marker.
func (k *Tracker) heal(ctx context.Context, marker string) error {
	all, err := k.marked(ctx, marker)
	if err != nil {
		return err
	}
	in, err := k.intent(ctx, marker)
	if err != nil || len(all) < 2 || in.Rev == 0 {
		return err
	}
	return k.adopt(ctx, in, all)
}

func (k *Tracker) seenAt(key string) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen[key]
}

func (k *Tracker) sawAt(key string, at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen) >= maxKnown {
		clear(k.seen)
	}
	k.seen[key] = at
}
