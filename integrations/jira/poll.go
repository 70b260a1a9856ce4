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
	maxFound = 200 // issues of one look; the others come with the next one
)

// cursor is up to when the tracker was looked through.
type cursor struct {
	Since time.Time `json:"since"`
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
	from := cur.Since.Add(-overlap)
	if limit := now.Add(-farthest); from.Before(limit) {
		from = limit
	}
	cur.Since = now
	if err := k.lookThrough(ctx, from, &cur, to); err != nil {
		return err
	}
	body, err := json.Marshal(cur)
	if err != nil {
		return fmt.Errorf("note up to when %s was looked through: %w", k.config.Name, err)
	}
	if err := k.settings.PutSetting(ctx, name, doc.Version, body); err != nil && !errors.Is(err, incidents.ErrConflict) {
		return fmt.Errorf("note up to when %s was looked through: %w", k.config.Name, err)
	}
	return nil
}

func (k *Tracker) lookThrough(ctx context.Context, from time.Time, cur *cursor, to tracker.Changer) error {
	me, err := k.client.me(ctx)
	if err != nil {
		return err
	}
	minutes := int(k.now().Sub(from)/time.Minute) + 1 // an age, because a time would be read in the account's zone
	found, err := k.search(ctx, "labels = "+quote(commonLabel)+" AND updated >= -"+strconv.Itoa(minutes)+"m ORDER BY updated ASC", maxFound, limit.Idle)
	if err != nil {
		return err
	}
	if n := len(found); n >= maxFound {
		cur.Since = found[n-1].Fields.Updated.Time
	}
	if err := k.twins(ctx, found, me); err != nil {
		return err
	}
	for i := range found {
		f := &found[i]
		if !issueKey.MatchString(f.Key) || k.seenAt(f.Key).Equal(f.Fields.Updated.Time) {
			continue
		}
		full, err := k.issue(ctx, f.Key, limit.Idle, "changelog")
		if incidents.CodeOf(err) == incidents.NotFound {
			continue // deleted since
		}
		if err != nil {
			return err
		}
		comments, err := k.recentComments(ctx, f.Key)
		if err != nil {
			return err
		}
		for _, c := range k.since(full, comments, me, from) {
			if err := k.tell(ctx, c, to); err != nil {
				return err
			}
		}
		k.sawAt(f.Key, full.Fields.Updated.Time)
	}
	return nil
}

// twins closes the younger of two open tickets with one marker.
func (k *Tracker) twins(ctx context.Context, found []issue, me *user) error {
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
		all, err := k.marked(ctx, marker)
		if err != nil {
			return err
		}
		in, err := k.intent(ctx, marker)
		if err != nil || len(all) < 2 || in.version == 0 {
			return err
		}
		if err := k.adopt(ctx, in, all); err != nil {
			return err
		}
	}
	return nil
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
