package backlog

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// api is Backlog's, of one project.
type api struct {
	config remote.Config
	client *remote.Client
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	self  *user
	known *project
}

var _ remote.API = (*api)(nil)

type user struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

func (u *user) account() remote.Account {
	if u == nil || u.ID == 0 {
		return remote.Account{}
	}
	return remote.Account{ID: strconv.Itoa(u.ID), Name: u.Name}
}

// issue is one as Backlog tells it.
type issue struct {
	ID          int       `json:"id"`
	Key         string    `json:"issueKey"`
	Parent      int       `json:"parentIssueId"` // null is 0
	Summary     string    `json:"summary"`
	Description string    `json:"description"`
	Status      named     `json:"status"`
	Priority    named     `json:"priority"`
	Assignee    *user     `json:"assignee"`
	Author      *user     `json:"createdUser"`
	Updated     time.Time `json:"updated"`
}

func (a *api) page(key string) string { return a.config.URL + "/view/" + key }

func (a *api) ref(i *issue) tracker.Ref {
	return tracker.Ref{Key: i.Key, URL: a.page(i.Key), Status: bot.Line(i.Status.Name, 60)}
}

// Me is the account that the key belongs to, asked for once.
func (a *api) Me(ctx context.Context) (remote.Account, error) {
	a.mu.Lock()
	self := a.self
	a.mu.Unlock()
	if self != nil {
		return self.account(), nil
	}
	var found user
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "users/myself"}, &found); err != nil {
		return remote.Account{}, err
	}
	if found.ID == 0 {
		return remote.Account{}, a.client.NotThem("it does not say who asks")
	}
	a.mu.Lock()
	a.self = &found
	a.mu.Unlock()
	return found.account(), nil
}

func (a *api) issue(ctx context.Context, key string, lane limit.Lane) (*issue, error) {
	var found issue
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "issues/" + url.PathEscape(key), Lane: lane}, &found); err != nil {
		return nil, err
	}
	if !issueKey.MatchString(found.Key) {
		return nil, a.client.NotThem("it does not say which issue it is")
	}
	return &found, nil
}

// Create makes an issue.
func (a *api) Create(ctx context.Context, t bot.Ticket) (string, error) {
	p, err := a.project(ctx)
	if err != nil {
		return "", remote.NotSent(err)
	}
	form, err := a.newIssue(p, t)
	if err != nil {
		return "", remote.NotSent(err)
	}
	return a.post(ctx, form)
}

func (a *api) post(ctx context.Context, form url.Values) (string, error) {
	var made issue
	err := a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: "issues", Form: form, Lane: limit.Urgent}, &made)
	if err == nil && !issueKey.MatchString(made.Key) {
		err = a.client.NotThem("it does not say which issue it made")
	}
	return made.Key, err
}

func (a *api) newIssue(p *project, t bot.Ticket) (url.Values, error) {
	return a.form(p, t.Summary, describe(p, t.Body, t.Marker), t.Severity)
}

// form is a new issue with what the project and its configuration want of each.
func (a *api) form(p *project, summary, description string, sev incidents.Severity) (url.Values, error) {
	kind, ok := byName(p.types, a.config.Type)
	if !ok {
		return nil, a.client.Fail(incidents.Invalid, "backlog.doctor.no_type", "no issues of type "+a.config.Type, "type", a.config.Type)
	}
	form := url.Values{}
	for id, v := range a.config.Fields {
		if many, ok := v.([]any); ok {
			for _, one := range many {
				form.Add(id, fmt.Sprint(one))
			}
			continue
		}
		form.Set(id, fmt.Sprint(v))
	}
	priority := p.priority(sev)
	if priority == "" { // there must be one
		priority = strconv.Itoa(usualPriority[incidents.Sev3])
	}
	form.Set("projectId", strconv.Itoa(p.ID))
	form.Set("issueTypeId", strconv.Itoa(kind.ID))
	form.Set("priorityId", priority)
	form.Set("summary", bot.Line(summary, remote.MaxSummary))
	form.Set("description", description)
	return form, nil
}

func describe(p *project, body []bot.Message, marker string) string {
	return p.markup.Describe(body, " "+marker)
}

// Example is an issue as it would be sent, for people to look at; what it says
// of the project is known after Examine.
func (a *api) Example(t bot.Ticket) any {
	a.mu.Lock()
	p := a.known
	a.mu.Unlock()
	if p == nil {
		return map[string]string{"summary": bot.Line(t.Summary, remote.MaxSummary)}
	}
	form, err := a.newIssue(p, t)
	if err != nil {
		return err.Error()
	}
	flat := map[string]string{}
	for k := range form {
		flat[k] = strings.Join(form[k], ", ")
	}
	return flat
}

var marked = regexp.MustCompile(`Hikeshi ⬆ (hikeshi-inc-[0-9]+-[0-9a-f]+(?:-t[0-9]+)?)`)

// Marked are ours with the marker. Backlog looks for words: what it finds is
// held against the whole marker here.
func (a *api) Marked(ctx context.Context, marker string) ([]string, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return nil, err
	}
	p, err := a.project(ctx)
	if err != nil {
		return nil, err
	}
	q := url.Values{"projectId[]": {strconv.Itoa(p.ID)}, "createdUserId[]": {me.ID}, "keyword": {marker}, "sort": {"created"}, "order": {"asc"}, "count": {"100"}}
	var found []issue
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "issues", Query: q, Class: remote.ClassSearch, Lane: limit.Urgent}, &found); err != nil {
		return nil, err
	}
	var keys []string
	for _, i := range found {
		if markerOf(&i, me) == marker && issueKey.MatchString(i.Key) {
			keys = append(keys, i.Key)
		}
	}
	return keys, nil
}

func markerOf(i *issue, me remote.Account) string {
	m := marked.FindAllStringSubmatch(i.Description, -1)
	if len(m) == 0 || i.Author.account().ID != me.ID {
		return ""
	}
	return m[len(m)-1][1]
}

// Retire closes the younger of two issues, in one request.
func (a *api) Retire(ctx context.Context, younger, older, marker string) error {
	now, err := a.issue(ctx, younger, limit.Normal)
	if err != nil || !strings.Contains(now.Description, marker) {
		return err
	}
	return a.edit(ctx, younger, url.Values{
		"statusId": {strconv.Itoa(statusClosed)}, "resolutionId": {strconv.Itoa(twinResolution)}, "comment": {"Duplicate: " + older},
		"description": {strings.ReplaceAll(now.Description, marker, "")},
	}, now)
}

// edits are what has to be written for the issue to say what t says.
func (a *api) edits(p *project, now *issue, t bot.Ticket, due []tracker.Field) url.Values {
	form := url.Values{}
	if slices.Contains(due, tracker.Text) {
		if s := bot.Line(t.Summary, remote.MaxSummary); s != now.Summary {
			form.Set("summary", s)
		}
		if d := remote.Keep(describe(p, t.Body, t.Marker), now.Description, maxDescription); d != "" && !remote.Same(d, now.Description) {
			form.Set("description", d)
		}
	}
	if slices.Contains(due, tracker.Status) && p.state(now.Status) != t.State {
		form.Set("statusId", strconv.Itoa(p.status(t.State)))
	}
	if id := p.priority(t.Severity); slices.Contains(due, tracker.Priority) && id != "" && id != strconv.Itoa(now.Priority.ID) {
		form.Set("priorityId", id)
	}
	if id := a.config.AccountOf(t.Assignee); slices.Contains(due, tracker.Assignee) && id != "" && id != now.Assignee.account().ID {
		form.Set("assigneeId", id)
	}
	return form
}

// maxDescription is Backlog's own bound, in characters.
const maxDescription = 100_000

func (a *api) edit(ctx context.Context, key string, form url.Values, now *issue) error {
	return a.client.Do(ctx, remote.Ask{Method: http.MethodPatch, Path: "issues/" + url.PathEscape(key), Form: form}, now)
}

// Comment writes one below the issue, unless it stands there already.
func (a *api) Comment(ctx context.Context, key string, c bot.TicketComment) error {
	me, err := a.Me(ctx)
	if err != nil {
		return err
	}
	p, err := a.project(ctx)
	if err != nil {
		return err
	}
	there, err := a.comments(ctx, key)
	if err != nil {
		return err
	}
	sign := "Hikeshi · " + c.Key
	for i := range there {
		if there[i].Author.account().ID == me.ID && strings.HasSuffix(strings.TrimSpace(there[i].Content), sign) {
			return nil
		}
	}
	return a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: "issues/" + url.PathEscape(key) + "/comments", Form: url.Values{"content": {p.markup.Comment(c, sign)}}}, nil)
}

// said is what Backlog says in a refusal.
func said(body []byte) string {
	var e struct {
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	var all []string
	for _, x := range e.Errors {
		all = append(all, x.Message)
	}
	return strings.Join(all, " ")
}

// wait is how long a 429 asks to wait.
func wait(h http.Header, now time.Time) time.Duration {
	if d := remote.Until(now, h.Get("X-RateLimit-Reset")); d > 0 {
		return d
	}
	return limit.RetryAfter(now, h.Get("Retry-After"))
}
