package gitlab

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// api is GitLab's, of one project.
type api struct {
	config remote.Config
	client *remote.Client
	markup remote.Markup

	mu   sync.Mutex
	self *user
}

var _ remote.API = (*api)(nil)

type user struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
}

func (u *user) account() remote.Account {
	if u == nil || u.ID == 0 {
		return remote.Account{}
	}
	return remote.Account{ID: strconv.FormatInt(u.ID, 10), Name: u.Name}
}

// issue is one as GitLab tells it.
type issue struct {
	IID         int64     `json:"iid"`
	Project     int64     `json:"project_id"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	State       string    `json:"state"` // opened, closed
	Labels      []string  `json:"labels"`
	Author      *user     `json:"author"`
	Assignees   []*user   `json:"assignees"`
	Updated     time.Time `json:"updated_at"`
	WebURL      string    `json:"web_url"`
}

var (
	issueKey = regexp.MustCompile(`^#[1-9][0-9]{0,9}$`)
	marked   = regexp.MustCompile(`<!-- (hikeshi-inc-[0-9]+-[0-9a-f]+(?:-t[0-9]+)?) -->`)
)

func keyOf(iid int64) string { return "#" + strconv.FormatInt(iid, 10) }

// at is a path below the project.
func (a *api) at(parts ...string) string {
	return "projects/" + url.PathEscape(a.config.Project) + "/" + strings.Join(parts, "/")
}

func (a *api) of(key string, parts ...string) string {
	return a.at(append([]string{"issues", strings.TrimPrefix(key, "#")}, parts...)...)
}

func (a *api) page(key string) string {
	if a.config.Project[0] >= '0' && a.config.Project[0] <= '9' && !strings.Contains(a.config.Project, "/") {
		return "" // GitLab says it itself, with the next answer
	}
	return a.config.URL + "/" + a.config.Project + "/-/issues/" + strings.TrimPrefix(key, "#")
}

func (a *api) ref(i *issue) tracker.Ref {
	key := keyOf(i.IID)
	page := a.page(key)
	if page == "" && strings.HasPrefix(i.WebURL, a.config.URL+"/") {
		page = i.WebURL
	}
	return tracker.Ref{Key: key, URL: page, Status: bot.Line(a.word(i), 60)}
}

// Me is the account that the token belongs to, asked for once.
func (a *api) Me(ctx context.Context) (remote.Account, error) {
	a.mu.Lock()
	self := a.self
	a.mu.Unlock()
	if self != nil {
		return self.account(), nil
	}
	var found user
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "user"}, &found); err != nil {
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
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: a.of(key), Lane: lane}, &found); err != nil {
		return nil, err
	}
	if found.IID <= 0 {
		return nil, a.client.NotThem("it does not say which issue it is")
	}
	return &found, nil
}

// Create makes an issue.
func (a *api) Create(ctx context.Context, t bot.Ticket) (string, error) {
	return a.post(ctx, a.newIssue(t))
}

func (a *api) post(ctx context.Context, body map[string]any) (string, error) {
	var made issue
	err := a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: a.at("issues"), JSON: body, Lane: limit.Urgent}, &made)
	if err == nil && made.IID <= 0 {
		err = a.client.NotThem("it does not say which issue it made")
	}
	if err != nil {
		return "", err
	}
	return keyOf(made.IID), nil
}

func (a *api) newIssue(t bot.Ticket) map[string]any {
	return a.fields(t.Summary, a.describe(t.Body, t.Marker), a.config.PriorityOf(t.Severity), a.config.Transitions[t.State])
}

// fields are those of a new issue, with the labels that each has.
func (a *api) fields(summary, description string, more ...string) map[string]any {
	body := map[string]any{}
	for id, v := range a.config.Fields {
		body[id] = v
	}
	labels := append([]string{commonLabel}, a.config.Labels...)
	for _, l := range more {
		if l != "" && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	body["title"], body["description"], body["labels"] = remote.Parted(summary, remote.MaxSummary), description, strings.Join(labels, ",")
	return body
}

func (a *api) describe(body []bot.Message, marker string) string {
	return a.markup.Describe(body, " <!-- "+marker+" -->")
}

// Example is an issue as it would be sent, for people to look at.
func (a *api) Example(t bot.Ticket) any { return a.newIssue(t) }

// Marked are ours with the marker.
func (a *api) Marked(ctx context.Context, marker string) ([]string, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return nil, err
	}
	q := url.Values{"labels": {commonLabel}, "search": {marker}, "in": {"description"}, "author_id": {me.ID}, "order_by": {"created_at"}, "sort": {"asc"}, "per_page": {"100"}}
	var found []issue
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: a.at("issues"), Query: q, Class: remote.ClassSearch, Lane: limit.Urgent}, &found); err != nil {
		return nil, err
	}
	var keys []string
	for _, i := range found {
		if a.markerOf(&i, me) == marker {
			keys = append(keys, keyOf(i.IID))
		}
	}
	return keys, nil
}

// markerOf is whose ticket it is, where we made it: a copy that a person made
// has the marker too, and is theirs.
func (a *api) markerOf(i *issue, me remote.Account) string {
	m := marked.FindAllStringSubmatch(i.Description, -1)
	if len(m) == 0 || i.Author.account().ID != me.ID {
		return ""
	}
	return m[len(m)-1][1]
}

// Retire closes the younger of two issues.
func (a *api) Retire(ctx context.Context, younger, older, marker string) error {
	now, err := a.issue(ctx, younger, limit.Normal)
	if err != nil || !strings.Contains(now.Description, "<!-- "+marker+" -->") {
		return err
	}
	if err := a.comment(ctx, younger, "Duplicate of "+older+".", "twin"); err != nil {
		return err
	}
	return a.edit(ctx, younger, map[string]any{"state_event": "close", "description": strings.ReplaceAll(now.Description, "<!-- "+marker+" -->", "")}, now)
}

// edits are what has to be written for the issue to say what t says.
func (a *api) edits(now *issue, t bot.Ticket, due []tracker.Field) map[string]any {
	body := map[string]any{}
	var on, off []string
	if slices.Contains(due, tracker.Text) {
		if s := remote.Parted(t.Summary, remote.MaxSummary); s != now.Title {
			body["title"] = s
		}
		if d := remote.Keep(a.describe(t.Body, t.Marker), now.Description, maxDescription); d != "" && !remote.Same(d, now.Description) {
			body["description"] = d
		}
	}
	if p := a.config.PriorityOf(t.Severity); slices.Contains(due, tracker.Priority) && p != "" && a.severity(now) != t.Severity {
		on, off = append(on, p), append(off, without(a.config.Priorities, now.Labels, p)...)
	}
	if slices.Contains(due, tracker.Status) && a.state(now) != t.State {
		if l := a.config.Transitions[t.State]; l != "" {
			on = append(on, l)
		}
		off = append(off, without(a.config.Transitions, now.Labels, a.config.Transitions[t.State])...)
		if done := t.State == bot.TicketDone; done != (now.State == "closed") {
			body["state_event"] = map[bool]string{true: "close", false: "reopen"}[done]
		}
	}
	if !slices.Contains(now.Labels, commonLabel) { // one that a person chose: now it is found by those who look for all of ours
		on = append(on, commonLabel)
	}
	if len(on) > 0 {
		body["add_labels"] = strings.Join(on, ",")
	}
	if len(off) > 0 {
		body["remove_labels"] = strings.Join(off, ",")
	}
	if id, err := strconv.ParseInt(a.config.AccountOf(t.Assignee), 10, 64); err == nil && slices.Contains(due, tracker.Assignee) && strconv.FormatInt(id, 10) != a.assignee(now).ID {
		body["assignee_ids"] = []int64{id}
	}
	return body
}

// maxDescription is GitLab's own bound, in characters.
const maxDescription = 1_000_000

// without are the labels of the issue that mean something in all, but the one.
func without[K comparable](all map[K]string, labels []string, one string) []string {
	var off []string
	for _, l := range all {
		if l != one && slices.Contains(labels, l) && !slices.Contains(off, l) {
			off = append(off, l)
		}
	}
	slices.Sort(off)
	return off
}

func (a *api) edit(ctx context.Context, key string, body map[string]any, now *issue) error {
	return a.client.Do(ctx, remote.Ask{Method: http.MethodPut, Path: a.of(key), JSON: body}, now)
}

// Comment writes one below the issue, unless it stands there already.
func (a *api) Comment(ctx context.Context, key string, c bot.TicketComment) error {
	return a.comment(ctx, key, a.markup.Comment(c, ""), c.Key)
}

// sign is what a comment of that name ends with. It does not show.
func sign(name string) string { return "<!-- hikeshi " + name + " -->" }

// comment writes text with a sign in it by which it is found again.
func (a *api) comment(ctx context.Context, key, text, name string) error {
	there, err := a.stands(ctx, key, sign(name))
	if err != nil || there {
		return err
	}
	return a.say(ctx, key, text, sign(name))
}

// stands says whether a comment of ours has the sign.
func (a *api) stands(ctx context.Context, key, sign string) (bool, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return false, err
	}
	there, err := a.notes(ctx, key)
	return slices.ContainsFunc(there, func(n note) bool {
		return n.Author.account().ID == me.ID && strings.HasSuffix(strings.TrimSpace(n.Body), sign)
	}), err
}

func (a *api) say(ctx context.Context, key, text, sign string) error {
	return a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: a.of(key, "notes"), JSON: map[string]any{"body": strings.TrimSpace(text) + "\n\n" + sign}}, nil)
}

// said is what GitLab says in a refusal: a sentence, or one for each field.
func said(body []byte) string {
	var e struct {
		Message any    `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	if s, ok := e.Message.(string); ok {
		return s
	}
	if e.Message != nil {
		if b, err := json.Marshal(e.Message); err == nil {
			return strings.NewReplacer(`{`, "", `}`, "", `[`, "", `]`, "", `"`, "").Replace(string(b))
		}
	}
	return e.Error
}

// wait is how long a 429 asks to wait.
func wait(h http.Header, now time.Time) time.Duration {
	if h.Get("Retry-After") == "" {
		if d := remote.Until(now, h.Get("RateLimit-Reset")); d > 0 {
			return d
		}
	}
	return limit.RetryAfter(now, h.Get("Retry-After"))
}
