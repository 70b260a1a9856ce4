package jira

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// changelog is what changed: one history in a webhook, all of them in an issue.
type changelog struct {
	ID        json.Number `json:"id"`
	Items     []item      `json:"items"`
	Histories []history   `json:"histories"`
}

type history struct {
	ID      json.Number `json:"id"`
	Author  *user       `json:"author"`
	Created timestamp   `json:"created"`
	Items   []item      `json:"items"`
}

type item struct {
	Field string `json:"field"`
}

// event is a webhook.
type event struct {
	Kind      string     `json:"webhookEvent"`
	Timestamp timestamp  `json:"timestamp"`
	User      *user      `json:"user"`
	Issue     issue      `json:"issue"`
	Changelog *changelog `json:"changelog"`
	Comment   *said      `json:"comment"`
}

// changes are what the webhook tells, without what our own account did.
func (k *Tracker) changes(e *event, me *user, redelivery string) []tracker.Change {
	var all []tracker.Change
	if e.Changelog != nil && len(e.Changelog.Items) > 0 && !mine(e.User, me) {
		id := e.Changelog.ID.String()
		if id == "" {
			id = cmp.Or(redelivery, strconv.FormatInt(e.Timestamp.UnixMilli(), 10))
		}
		h := history{ID: json.Number(id), Author: e.User, Created: e.Timestamp, Items: e.Changelog.Items}
		if c, any := k.change(&e.Issue, &h, e.Changelog.Items); any {
			all = append(all, c)
		}
	}
	if e.Comment != nil && e.Comment.ID != "" {
		if c, any := k.commented(e.Issue.Key, e.Comment, me, e.Kind == "comment_deleted"); any {
			if c.Comment.Deleted && e.User != nil {
				c.By = k.actor(e.User)
			}
			all = append(all, c)
		}
	}
	return all
}

func mine(u, me *user) bool { return u.account() != "" && u.account() == me.account() }

// change is one entry of a changelog; what the issue says stands for the items.
func (k *Tracker) change(i *issue, h *history, items []item) (tracker.Change, bool) {
	c := tracker.Change{Key: i.Key, ID: "cl/" + h.ID.String(), By: k.actor(h.Author), At: h.Created.Time}
	any := false
	for _, it := range items {
		switch it.Field {
		case "status":
			c.State, c.StatusWord = stateOf(i.Fields.Status.Category.Key), bot.Line(i.Fields.Status.Name, 60)
			any = any || c.State != ""
		case "priority":
			c.Severity = k.config.severityOf(i.Fields.priority())
			any = any || c.Severity != incidents.SevUnknown
		case "assignee":
			c.Assignee = k.config.nameOf(i.Fields.Assignee)
			any = any || c.Assignee != ""
		}
	}
	return c, any
}

func (k *Tracker) actor(u *user) incidents.Actor {
	account := bot.Line(u.account(), 200)
	return incidents.Actor{ID: k.config.Name + ":" + cmp.Or(account, "unknown"), Name: cmp.Or(k.config.nameOf(u), account, "Jira")}
}

func (k *Tracker) commented(key string, s *said, me *user, deleted bool) (tracker.Change, bool) {
	if mine(s.Author, me) || s.key() != "" {
		return tracker.Change{}, false
	}
	at := s.Updated.Time
	if at.IsZero() {
		at = s.Created.Time
	}
	id := "c/" + s.ID + "/" + strconv.FormatInt(at.UnixMilli(), 10)
	if deleted {
		id += "/gone"
	}
	return tracker.Change{Key: key, ID: id, By: k.actor(s.Author), At: s.Created.Time, Comment: &tracker.Comment{
		ID: s.ID, Text: bot.Clean(s.Body), Deleted: deleted, Edited: !deleted && at.After(s.Created.Time),
	}}, true
}

// history of one issue since then: of each field only the latest change counts,
// and only if it was not ours.
func (k *Tracker) since(i *issue, comments []said, me *user, from time.Time) []tracker.Change {
	histories := slices.Clone(i.Changelog.Histories)
	slices.SortFunc(histories, func(a, b history) int {
		return cmp.Or(b.Created.Compare(a.Created.Time), cmp.Compare(number(b.ID.String()), number(a.ID.String())))
	})
	done := map[string]bool{}
	var all []tracker.Change
	for n := range histories {
		h := &histories[n]
		var latest []item
		for _, it := range h.Items {
			if !done[it.Field] {
				latest = append(latest, it)
			}
			done[it.Field] = true
		}
		if mine(h.Author, me) || h.Created.Before(from) {
			continue
		}
		if c, any := k.change(i, h, latest); any {
			all = append(all, c)
		}
	}
	for n := range comments {
		if s := &comments[n]; !s.Created.Before(from) || s.Updated.After(from) {
			if c, any := k.commented(i.Key, s, me, false); any {
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b tracker.Change) int { return a.At.Compare(b.At) })
	return all
}
