package gitlab

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Tracker is the issues of one project.
type Tracker struct {
	*api
	remote.Adapter
}

var (
	_ tracker.Tracker  = (*Tracker)(nil)
	_ tracker.Attacher = (*Tracker)(nil)
	_ tracker.Tasker   = (*Tracker)(nil)
)

// Rates are the limits that are kept. gitlab.com takes 60 comments and 200
// issues a minute of one account, one's own GitLab 300 of each.
// https://docs.gitlab.com/user/gitlab_com/rate_limits_on_gitlab_com/
func Rates() map[string]limit.Rate {
	return map[string]limit.Rate{remote.ClassWrite: {N: 60, Per: 30 * time.Second}, limit.AllClasses: {N: 20, Per: time.Second}}
}

var project = regexp.MustCompile(`^([1-9][0-9]{0,18}|[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+)$`)

// Validate says what is wrong; Args["key"] of each is the key.
func Validate(c remote.Config) error {
	check := remote.Check{Config: c}
	check.Common()
	if !project.MatchString(c.Project) {
		check.Bad("project", "config.gitlab.project", "no path or number of a project")
	}
	for _, l := range append(words(c), c.Labels...) {
		if strings.ContainsAny(l, ",\n") || strings.TrimSpace(l) == "" || len(l) > 255 {
			check.Bad("labels", "config.gitlab.labels", "no comma in a label")
		}
	}
	for id := range c.Fields {
		if ours[id] || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz_") != "" {
			check.Bad("fields", "config.gitlab.fields", id+" cannot be set")
		}
	}
	return check.Err()
}

// words are the labels that mean a state or a severity.
func words(c remote.Config) []string {
	var all []string
	for _, w := range c.Priorities {
		all = append(all, w)
	}
	for _, w := range c.Transitions {
		all = append(all, w)
	}
	return all
}

// ours are the fields of an issue that have a key of their own, or none.
var ours = map[string]bool{
	"title": true, "description": true, "labels": true, "add_labels": true, "remove_labels": true, "state_event": true,
	"assignee_id": true, "assignee_ids": true, "id": true, "iid": true, "created_at": true,
}

// What stands for a severity and for work in progress, where nothing is configured.
var (
	usualPriorities = map[string]string{"SEV1": "severity::1", "SEV2": "severity::2", "SEV3": "severity::3", "SEV4": "severity::4", "SEV5": "severity::5"}
	usualDoing      = "doing"
)

const commonLabel = "hikeshi" // on every issue that has to do with an incident

// New makes one.
func New(o remote.Options) (*Tracker, error) {
	if err := Validate(o.Config); err != nil {
		return nil, err
	}
	c := o.Settled()
	if len(c.Priorities) == 0 {
		c.Priorities = usualPriorities
	}
	if c.Transitions[bot.TicketDoing] == "" {
		with := map[bot.TicketState]string{bot.TicketDoing: usualDoing}
		for state, label := range c.Transitions {
			with[state] = label
		}
		c.Transitions = with
	}
	system := remote.System{Name: "GitLab", Doctor: "hikeshi gitlab doctor", Words: said, Wait: wait}
	a := &api{config: c, markup: remote.Markdown("  \n"), client: o.Client(system, "/api/v4/", http.Header{"Private-Token": {c.Token}})}
	return &Tracker{api: a, Adapter: o.Adapter(&a.config, system, a, a.page)}, nil
}

// Update makes the fields say what t says. What already means that is left
// alone. The answer's key is another one where the issue was the younger of two.
func (k *Tracker) Update(ctx context.Context, key string, t bot.Ticket, due []tracker.Field) (tracker.Ref, error) {
	key, err := k.Follow(ctx, key, t.Marker)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := k.issue(ctx, key, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	body := k.edits(now, t, due)
	if len(body) == 0 {
		return k.ref(now), nil
	}
	err = remote.Edit(body, func(part map[string]any) error { return k.edit(ctx, key, part, now) })
	return k.ref(now), err
}

// Find looks an issue up, by its number or the address of its page.
func (k *Tracker) Find(ctx context.Context, key string) (tracker.Ref, error) {
	n := key[strings.LastIndexAny(key, "/#")+1:]
	if key = "#" + strings.TrimSpace(n); !issueKey.MatchString(key) {
		return tracker.Ref{}, incidents.Fail(incidents.NotFound, "error.tracker_key", "that is no number of an issue", "key", bot.Line(n, 60)).WithHint("/inc ticket link 123")
	}
	found, err := k.issue(ctx, key, limit.Urgent)
	if err != nil {
		return tracker.Ref{}, err
	}
	return k.ref(found), nil
}

// Handler takes GitLab's webhooks of issues and comments.
// https://docs.gitlab.com/user/project/integrations/webhook_events/
func (k *Tracker) Handler(to tracker.Changer) http.Handler {
	return k.Hear(remote.Hook{Given: func(r *http.Request) string { return r.Header.Get("X-Gitlab-Token") }, Keys: hookKeys}, to)
}
