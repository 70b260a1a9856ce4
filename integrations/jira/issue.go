package jira

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
)

// issue is a ticket as Jira tells it.
type issue struct {
	ID        string    `json:"id"`
	Key       string    `json:"key"`
	Fields    fields    `json:"fields"`
	Changelog changelog `json:"changelog"`

	broken bool // of what a search told, only the key can be read
}

type fields struct {
	Summary     string    `json:"summary"`
	Description string    `json:"description"`
	Status      status    `json:"status"`
	Priority    *named    `json:"priority"`
	Assignee    *user     `json:"assignee"`
	Creator     *user     `json:"creator"`
	Labels      []string  `json:"labels"`
	Created     timestamp `json:"created"`
	Updated     timestamp `json:"updated"`
}

type named struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

type status struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category struct {
		Key string `json:"key"`
	} `json:"statusCategory"`
}

// timestamp is a time as Jira writes it: "2026-03-01T12:00:00.000+0000".
type timestamp struct{ time.Time }

// UnmarshalJSON reads it; what cannot be read is no time.
func (t *timestamp) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	for _, layout := range []string{"2006-01-02T15:04:05.999-0700", time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			t.Time = at
			return nil
		}
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		t.Time = time.UnixMilli(ms)
	}
	return nil
}

// priority is the name of an issue's priority.
func (f *fields) priority() string {
	if f.Priority == nil {
		return ""
	}
	return f.Priority.Name
}

const read = "summary,description,status,priority,assignee,creator,labels,created,updated"

func (k *Tracker) issue(ctx context.Context, key string, lane limit.Lane, expand ...string) (*issue, error) {
	q := url.Values{"fields": {read}}
	if len(expand) > 0 {
		q.Set("expand", strings.Join(expand, ","))
	}
	var found issue
	if err := k.client.do(ctx, ask{method: http.MethodGet, path: "issue/" + esc(key), query: q, lane: lane}, &found); err != nil {
		return nil, err
	}
	if !issueKey.MatchString(found.Key) {
		return nil, fail("error.jira_no_json", "jira did not say which issue it is")
	}
	return &found, nil
}

func (k *Tracker) ref(i *issue) tracker.Ref {
	return tracker.Ref{Key: i.Key, URL: k.page(i.Key), Status: bot.Line(i.Fields.Status.Name, 60)}
}

// page is where people see an issue.
func (k *Tracker) page(key string) string {
	return strings.TrimRight(k.config.URL, "/") + "/browse/" + key
}

// Find looks a ticket up, by its key or the address of its page.
func (k *Tracker) Find(ctx context.Context, key string) (tracker.Ref, error) {
	if u, err := url.Parse(key); err == nil && u.Host != "" {
		key = u.Path[strings.LastIndex(u.Path, "/")+1:]
	}
	key = strings.ToUpper(strings.TrimSpace(key))
	if !issueKey.MatchString(key) {
		return tracker.Ref{}, incidents.Fail(incidents.NotFound, "error.jira_key", "that is no key of an issue", "key", bot.Line(key, 60)).WithHint("/inc ticket link " + k.config.Project + "-123")
	}
	found, err := k.issue(ctx, key, limit.Urgent)
	if err != nil {
		return tracker.Ref{}, err
	}
	return k.ref(found), nil
}

// post makes an issue; only its key is known then. Fields that it can do without
// are left out where Jira refuses them.
func (k *Tracker) post(ctx context.Context, body update, optional ...string) (string, error) {
	for {
		var made struct {
			Key string `json:"key"`
		}
		err := k.client.do(ctx, ask{method: http.MethodPost, path: "issue", body: body, key: "new", lane: limit.Urgent}, &made)
		if err == nil && !issueKey.MatchString(made.Key) {
			err = fail("error.jira_no_json", "jira did not say which issue it made")
		}
		if err == nil || !without(body.Fields, err, optional...) {
			return made.Key, err
		}
	}
}

type update struct {
	Fields     map[string]any `json:"fields,omitempty"`
	Update     map[string]any `json:"update,omitempty"`
	Properties []property     `json:"properties,omitempty"`
	Transition *named         `json:"transition,omitempty"`
}

type property struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// propertyKey is ours on issues and comments.
const propertyKey = "hikeshi"

func (k *Tracker) newIssue(t bot.Ticket) update {
	c := k.config
	f := map[string]any{}
	for id, v := range c.Fields {
		f[id] = v
	}
	f["project"], f["issuetype"] = map[string]any{"key": c.Project}, map[string]any{"name": c.Type}
	f["summary"], f["description"] = bot.Line(t.Summary, maxSummary), describe(t.Body)
	f["labels"] = append([]string{commonLabel, t.Marker}, c.Labels...)
	if p := c.priorityOf(t.Severity); p != "" {
		f["priority"] = named{Name: p}
	}
	if len(c.Components) > 0 {
		var all []named
		for _, name := range c.Components {
			all = append(all, named{Name: name})
		}
		f["components"] = all
	}
	return update{Fields: f, Properties: []property{k.property(map[string]any{"incident": t.Incident.String(), "marker": t.Marker})}}
}

// without takes out the fields that Jira refuses and that a ticket can do
// without; false where that leaves nothing to try again.
func without(f map[string]any, err error, optional ...string) bool {
	r, ok := errors.AsType[*refusal](err)
	if !ok || r.status != http.StatusBadRequest || len(r.fields) == 0 {
		return false
	}
	for name := range r.fields {
		if _, sent := f[name]; !sent || !slices.Contains(optional, name) {
			return false
		}
	}
	for name := range r.fields {
		delete(f, name)
	}
	return len(f) > 0
}

// search finds issues by a query whose strings are quoted by quote.
func (k *Tracker) search(ctx context.Context, jql string, most int, lane limit.Lane) ([]issue, error) {
	want := strings.Split(read, ",")
	var found []issue
	a := ask{method: http.MethodPost, path: "search", lane: lane}
	body := map[string]any{"jql": jql, "fields": want, "maxResults": 50}
	if k.config.Flavour == Cloud { // the other address is gone there, and Data Center has only that
		a.path = "search/jql"
	}
	for len(found) < most {
		var page struct {
			Issues []json.RawMessage `json:"issues"`
			Next   string            `json:"nextPageToken"`
			Total  int               `json:"total"`
		}
		a.body = body
		if err := k.client.do(ctx, a, &page); err != nil {
			return nil, err
		}
		for _, raw := range page.Issues {
			found = append(found, told(raw))
		}
		switch {
		case len(page.Issues) == 0, k.config.Flavour == Cloud && page.Next == "", k.config.Flavour == DataCenter && len(found) >= page.Total:
			return found, nil
		case k.config.Flavour == Cloud:
			body["nextPageToken"] = page.Next
		default:
			body["startAt"] = len(found)
		}
	}
	return found, nil
}

// told is one issue of a page. One that cannot be read keeps nobody from the others.
func told(raw json.RawMessage) issue {
	var i issue
	if json.Unmarshal(raw, &i) == nil {
		return i
	}
	var stub struct {
		Key string `json:"key"`
	}
	_ = json.Unmarshal(raw, &stub) // without a key there is nothing to read again
	return issue{Key: stub.Key, broken: true}
}

// quote makes a string of JQL.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(bot.Line(s, 255)) + `"`
}

// marked are the issues that carry the marker and that we made, the oldest
// first. A copy that a person made has the label too, and is theirs.
func (k *Tracker) marked(ctx context.Context, marker string) ([]issue, error) {
	me, err := k.client.me(ctx)
	if err != nil {
		return nil, err
	}
	found, err := k.search(ctx, "labels = "+quote(marker), 50, limit.Urgent)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(found, func(i issue) bool { return i.broken }) { // one of ours, perhaps: not to be taken for none
		return nil, fail("error.jira_no_json", "jira told an issue that cannot be read")
	}
	found = slices.DeleteFunc(found, func(i issue) bool {
		return !issueKey.MatchString(i.Key) || !slices.Contains(i.Fields.Labels, marker) || i.Fields.Creator.account() != me.account()
	})
	slices.SortFunc(found, func(a, b issue) int {
		return cmp.Or(a.Fields.Created.Compare(b.Fields.Created.Time), cmp.Compare(number(a.ID), number(b.ID)))
	})
	return found, nil
}

func number(id string) int {
	n, _ := strconv.Atoi(id)
	return n
}
