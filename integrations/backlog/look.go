package backlog

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// comment is what somebody wrote, what they changed with it, or both.
type comment struct {
	ID      int64     `json:"id"`
	Content string    `json:"content"`
	Author  *user     `json:"createdUser"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Changes []struct {
		Field string `json:"field"`
	} `json:"changeLog"`
}

// comments are the latest, the newest first; a retry comes soon.
func (a *api) comments(ctx context.Context, key string) ([]comment, error) {
	var found []comment
	q := url.Values{"order": {"desc"}, "count": {"100"}}
	err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "issues/" + url.PathEscape(key) + "/comments", Query: q}, &found)
	return found, err
}

// fields are Backlog's words for those that are followed.
var fields = map[string]tracker.Field{"status": tracker.Status, "priority": tracker.Priority, "assigner": tracker.Assignee, "assignee": tracker.Assignee}

// Look reads an issue with what happened in it.
func (a *api) Look(ctx context.Context, key string) (*remote.Look, error) {
	p, err := a.project(ctx)
	if err != nil {
		return nil, err
	}
	all, err := a.comments(ctx, key)
	if err != nil {
		return nil, err
	}
	now, err := a.issue(ctx, key, limit.Idle)
	if err != nil {
		return nil, err
	}
	l := &remote.Look{
		Key: now.Key, State: p.state(now.Status), Word: bot.Line(now.Status.Name, 60), Severity: p.config.SeverityOf(now.Priority.Name),
		Assignee: now.Assignee.account(), Updated: now.Updated,
	}
	for i := range all {
		l.Entries = append(l.Entries, entries(&all[i])...)
	}
	return l, nil
}

// entries are what one comment says. Backlog's times have no fractions: a change
// was made at the latest at the end of its second.
func entries(c *comment) []remote.Entry {
	var both []remote.Entry
	id := strconv.FormatInt(c.ID, 10)
	change := remote.Entry{ID: "h/" + id, At: c.Created.Add(time.Second - time.Millisecond), By: c.Author.account()}
	for _, x := range c.Changes {
		if f, ok := fields[x.Field]; ok {
			change.Fields = append(change.Fields, f)
		}
	}
	if change.Fields != nil {
		both = append(both, change)
	}
	if c.Content == "" {
		return both
	}
	edited := c.Updated.After(c.Created)
	e := remote.Entry{ID: "c/" + id, At: c.Created, Edited: c.Updated, By: c.Author.account(), Comment: &tracker.Comment{ID: id, Text: bot.Clean(c.Content), Edited: edited}}
	if edited {
		e.ID += "/" + strconv.FormatInt(c.Updated.Unix(), 10)
	}
	return append(both, e)
}

// maxPages of changed issues are looked through, a hundred on each.
const maxPages = 10

// Changed are the project's issues that changed since then. Backlog takes days
// there, in the account's time zone: it is asked for the latest, until they are
// older.
func (a *api) Changed(ctx context.Context, since time.Time) ([]remote.Stub, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return nil, err
	}
	p, err := a.project(ctx)
	if err != nil {
		return nil, err
	}
	var all []remote.Stub
	for page := range maxPages {
		q := url.Values{"projectId[]": {strconv.Itoa(p.ID)}, "sort": {"updated"}, "order": {"desc"}, "count": {"100"}, "offset": {strconv.Itoa(page * 100)}}
		var found []issue
		if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "issues", Query: q, Class: remote.ClassSearch, Lane: limit.Idle}, &found); err != nil {
			return nil, err
		}
		older := len(found) < 100
		for _, i := range found {
			if older = older || i.Updated.Before(since.Truncate(time.Second)); i.Updated.Before(since.Truncate(time.Second)) {
				break
			}
			if issueKey.MatchString(i.Key) {
				all = append(all, remote.Stub{Key: i.Key, Updated: i.Updated, Marker: markerOf(&i, me)})
			}
		}
		if older {
			break
		}
		if page == maxPages-1 {
			a.log.Warn("more issues changed than are looked through; webhooks tell of all", "tracker", a.config.Name, "looked", len(all))
		}
	}
	slices.Reverse(all)
	return all[:min(len(all), remote.MaxChanged)], nil
}

// hookKeys are the issues that a webhook is about.
// https://developer.nulab.com/docs/backlog/api/2/get-recent-updates/
func (a *api) hookKeys(body []byte) ([]string, bool) {
	var e struct {
		Type    int `json:"type"`
		Project struct {
			Key string `json:"projectKey"`
		} `json:"project"`
		Content struct {
			Number int `json:"key_id"`
			Link   []struct {
				Number int `json:"key_id"`
			} `json:"link"` // of several that were changed at once
		} `json:"content"`
	}
	if json.Unmarshal(body, &e) != nil || e.Type == 0 {
		return nil, false
	}
	if e.Project.Key != a.config.Project {
		return nil, true
	}
	numbers := []int{e.Content.Number}
	for _, l := range e.Content.Link[:min(len(e.Content.Link), 100)] {
		numbers = append(numbers, l.Number)
	}
	var keys []string
	for _, n := range numbers {
		if n > 0 {
			keys = append(keys, a.config.Project+"-"+strconv.Itoa(n))
		}
	}
	return keys, true
}
