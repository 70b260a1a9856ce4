package gitlab

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// note is a comment, or what GitLab writes of a change.
type note struct {
	ID      int64     `json:"id"`
	Body    string    `json:"body"`
	Author  *user     `json:"author"`
	System  bool      `json:"system"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// happened is an event of a label or a state.
type happened struct {
	ID      int64     `json:"id"`
	User    *user     `json:"user"`
	Created time.Time `json:"created_at"`
	State   string    `json:"state"`
	Label   *struct {
		Name string `json:"name"`
	} `json:"label"`
}

// state is how far an issue is.
func (a *api) state(i *issue) bot.TicketState {
	switch {
	case i.State == "closed":
		return bot.TicketDone
	case slices.Contains(i.Labels, a.config.Transitions[bot.TicketDoing]):
		return bot.TicketDoing
	default:
		return bot.TicketTodo
	}
}

// word is GitLab's own for the state, with the label that says more.
func (a *api) word(i *issue) string {
	if l := a.config.Transitions[a.state(i)]; l != "" && slices.Contains(i.Labels, l) {
		return l
	}
	return i.State
}

// severity is the gravest that a label says.
func (a *api) severity(i *issue) incidents.Severity {
	best := incidents.SevUnknown
	for _, l := range i.Labels {
		if sev := a.config.SeverityOf(l); sev != incidents.SevUnknown && (best == incidents.SevUnknown || sev < best) {
			best = sev
		}
	}
	return best
}

func (a *api) assignee(i *issue) remote.Account {
	if len(i.Assignees) == 0 {
		return remote.Account{}
	}
	return i.Assignees[0].account()
}

// notes are the latest, the newest first; a retry comes soon.
func (a *api) notes(ctx context.Context, key string) ([]note, error) {
	var found []note
	q := url.Values{"sort": {"desc"}, "order_by": {"created_at"}, "per_page": {"100"}}
	err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: a.of(key, "notes"), Query: q}, &found)
	return found, err
}

// maxPages of events are read of one issue, a hundred on each.
const maxPages = 10

func (a *api) events(ctx context.Context, key, kind string) ([]happened, error) {
	var all []happened
	for page := 1; page <= maxPages; page++ {
		var found []happened
		q := url.Values{"per_page": {"100"}, "page": {strconv.Itoa(page)}}
		if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: a.of(key, kind), Query: q}, &found); err != nil {
			return nil, err
		}
		if all = append(all, found...); len(found) < 100 {
			break
		}
	}
	return all, nil
}

// Look reads an issue with what happened in it.
func (a *api) Look(ctx context.Context, key string) (*remote.Look, error) {
	notes, err := a.notes(ctx, key)
	if err != nil {
		return nil, err
	}
	l := &remote.Look{Key: key}
	for i := range notes {
		if e, any := told(&notes[i]); any {
			l.Entries = append(l.Entries, e)
		}
	}
	for _, of := range []struct{ kind, short string }{{"resource_state_events", "s/"}, {"resource_label_events", "l/"}} { // in one order: the first of two at the same moment counts
		events, err := a.events(ctx, key, of.kind)
		if err != nil {
			return nil, err
		}
		for _, h := range events {
			if f := a.field(&h); f != "" {
				l.Entries = append(l.Entries, remote.Entry{ID: of.short + strconv.FormatInt(h.ID, 10), At: h.Created, By: h.User.account(), Fields: []tracker.Field{f}})
			}
		}
	}
	now, err := a.issue(ctx, key, limit.Idle)
	if err != nil {
		return nil, err
	}
	l.State, l.Word, l.Severity, l.Assignee, l.Updated = a.state(now), bot.Line(a.word(now), 60), a.severity(now), a.assignee(now), now.Updated
	return l, nil
}

// field is what an event says something about; "" for what means nothing here.
func (a *api) field(h *happened) tracker.Field {
	switch {
	case h.State != "":
		return tracker.Status
	case h.Label == nil: // it was deleted
		return ""
	case a.config.SeverityOf(h.Label.Name) != incidents.SevUnknown:
		return tracker.Priority
	}
	for _, l := range a.config.Transitions {
		if l == h.Label.Name {
			return tracker.Status
		}
	}
	return ""
}

// told is what a note says: a person's comment, or that the assignee changed,
// which GitLab says in no other way.
func told(n *note) (remote.Entry, bool) {
	e := remote.Entry{ID: "n/" + strconv.FormatInt(n.ID, 10), At: n.Created, By: n.Author.account()}
	if n.System {
		if strings.HasPrefix(n.Body, "assigned to @") || strings.HasPrefix(n.Body, "unassigned @") {
			e.Fields = []tracker.Field{tracker.Assignee}
		}
		return e, e.Fields != nil
	}
	e.Edited = n.Updated
	edited := n.Updated.After(n.Created)
	if edited {
		e.ID += "/" + strconv.FormatInt(n.Updated.UnixMilli(), 10)
	}
	e.Comment = &tracker.Comment{ID: strconv.FormatInt(n.ID, 10), Text: bot.Clean(n.Body), Edited: edited}
	return e, true
}

// Changed are the issues of ours that changed since then.
func (a *api) Changed(ctx context.Context, since time.Time) ([]remote.Stub, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return nil, err
	}
	var all []remote.Stub
	for page := 1; len(all) < remote.MaxChanged; page++ {
		q := url.Values{
			"labels": {commonLabel}, "updated_after": {since.UTC().Format(time.RFC3339)}, "order_by": {"updated_at"}, "sort": {"asc"},
			"per_page": {"100"}, "page": {strconv.Itoa(page)},
		}
		var found []issue
		if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: a.at("issues"), Query: q, Class: remote.ClassSearch, Lane: limit.Idle}, &found); err != nil {
			return nil, err
		}
		for _, i := range found {
			if i.IID > 0 {
				all = append(all, remote.Stub{Key: keyOf(i.IID), Updated: i.Updated, Marker: a.markerOf(&i, me)})
			}
		}
		if len(found) < 100 {
			break
		}
	}
	return all, nil
}

// hookKeys is the issue that a webhook is about.
func hookKeys(body []byte) ([]string, bool) {
	var e struct {
		Kind  string `json:"object_kind"`
		About struct {
			IID  int64  `json:"iid"`
			Type string `json:"noteable_type"`
		} `json:"object_attributes"`
		Issue struct {
			IID int64 `json:"iid"`
		} `json:"issue"`
	}
	if json.Unmarshal(body, &e) != nil || e.Kind == "" {
		return nil, false
	}
	iid := int64(0)
	switch {
	case e.Kind == "issue":
		iid = e.About.IID
	case e.Kind == "note" && e.About.Type == "Issue":
		iid = e.Issue.IID
	}
	if iid <= 0 {
		return nil, true
	}
	return []string{keyOf(iid)}, true
}
