package backlog

import (
	"context"
	"net/http"
	"net/url"
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

// Rates are the limits that are kept. Backlog counts each minute of one
// account: 600 reads, 150 changes and 150 searches on paid plans.
// https://developer.nulab.com/docs/backlog/rate-limit/
func Rates() map[string]limit.Rate {
	return map[string]limit.Rate{
		remote.ClassRead: {N: 540, Per: time.Minute}, remote.ClassWrite: {N: 135, Per: time.Minute}, remote.ClassSearch: {N: 135, Per: time.Minute},
	}
}

var (
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,24}$`)
	issueKey   = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,24}-[1-9][0-9]{0,9}$`)
	fieldID    = regexp.MustCompile(`^(customField_[0-9]+(_otherValue)?|(category|version|milestone|notifiedUser)Id\[\]|startDate|dueDate|estimatedHours|actualHours|parentIssueId)$`)
)

// Validate says what is wrong; Args["key"] of each is the key.
func Validate(c remote.Config) error {
	check := remote.Check{Config: c}
	check.Common()
	if !projectKey.MatchString(c.Project) {
		check.Bad("project", "config.backlog.project", "no key of a project")
	}
	if strings.TrimSpace(c.Type) == "" {
		check.Bad("type", "config.backlog.type", "which kind of issue?")
	}
	for id := range c.Fields {
		if !fieldID.MatchString(id) {
			check.Bad("fields", "config.backlog.fields", id+" cannot be set")
		}
	}
	return check.Err()
}

// New makes one.
func New(o remote.Options) (*Tracker, error) {
	if err := Validate(o.Config); err != nil {
		return nil, err
	}
	c := o.Settled()
	system := remote.System{Name: "Backlog", Doctor: "hikeshi backlog doctor", Words: said, Wait: wait}
	a := &api{config: c, now: o.Now, log: o.Log, client: o.Client(system, "/api/v2/", http.Header{"Backlog-Api-Key": {c.Token}})}
	return &Tracker{api: a, Adapter: o.Adapter(&a.config, system, a, a.page)}, nil
}

// Update makes the fields say what t says. What already means that is left
// alone. The answer's key is another one where the issue was the younger of two.
func (k *Tracker) Update(ctx context.Context, key string, t bot.Ticket, due []tracker.Field) (tracker.Ref, error) {
	key, err := k.Follow(ctx, key, t.Marker)
	if err != nil {
		return tracker.Ref{}, err
	}
	p, err := k.project(ctx)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := k.issue(ctx, key, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	form := k.edits(p, now, t, due)
	if len(form) == 0 {
		return k.ref(now), nil
	}
	err = remote.Edit(form, func(part url.Values) error { return k.edit(ctx, key, part, now) })
	return k.ref(now), err
}

// Find looks an issue up, by its key or the address of its page.
func (k *Tracker) Find(ctx context.Context, key string) (tracker.Ref, error) {
	key = strings.ToUpper(strings.TrimSpace(key[strings.LastIndexByte(key, '/')+1:]))
	if !issueKey.MatchString(key) {
		return tracker.Ref{}, incidents.Fail(incidents.NotFound, "error.tracker_key", "that is no key of an issue", "key", bot.Line(key, 60)).WithHint("/inc ticket link " + k.config.Project + "-123")
	}
	found, err := k.issue(ctx, key, limit.Urgent)
	if err != nil {
		return tracker.Ref{}, err
	}
	return k.ref(found), nil
}

// Handler takes Backlog's webhooks, whose address ends with the secret word.
func (k *Tracker) Handler(to tracker.Changer) http.Handler {
	return k.Hear(remote.Hook{Given: func(r *http.Request) string { return r.PathValue("secret") }, Keys: k.hookKeys}, to)
}
