package backlog

import (
	"context"
	"errors"
	"log/slog"
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

// Options is what a Tracker needs.
type Options struct {
	Config    remote.Config
	Settings  remote.Settings
	Owner     tracker.Owner
	Pace      remote.Limiter
	Transport http.RoundTripper // nil: the default one
	Now       func() time.Time
	Log       *slog.Logger
}

// Tracker is the issues of one project.
type Tracker struct {
	*api
	once  *remote.Once
	watch *remote.Watch
}

var _ tracker.Tracker = (*Tracker)(nil)

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
func New(o Options) (*Tracker, error) {
	if err := Validate(o.Config); err != nil {
		return nil, err
	}
	c := o.Config
	c.URL = strings.TrimRight(c.URL, "/")
	if c.IndexTime <= 0 {
		c.IndexTime = remote.DefaultIndexTime
	}
	system := remote.System{Name: "Backlog", Doctor: "hikeshi backlog doctor", Words: said, Wait: wait}
	a := &api{config: c, now: o.Now, log: o.Log, client: &remote.Client{
		System: system, Base: c.URL + "/api/v2/", Header: http.Header{"Backlog-Api-Key": {c.Token}}, Pace: o.Pace, Transport: o.Transport, Now: o.Now,
	}}
	k := &Tracker{api: a}
	k.once = &remote.Once{System: system, Name: c.Name, Maker: a, Settings: o.Settings, IndexTime: c.IndexTime, Now: o.Now, Log: o.Log}
	k.watch = &remote.Watch{Config: &a.config, System: system, Reader: a, Once: k.once, Owner: o.Owner, Settings: o.Settings, Now: o.Now, Log: o.Log}
	return k, nil
}

// Stats tells what happened in this process.
func (k *Tracker) Stats() tracker.Stats { return k.once.Stats() }

// Open makes the issue with the marker, or finds the one that an earlier attempt made.
func (k *Tracker) Open(ctx context.Context, t bot.Ticket) (tracker.Ref, error) {
	key, err := k.once.Open(ctx, t)
	if err != nil {
		return tracker.Ref{}, err
	}
	return tracker.Ref{Key: key, URL: k.page(key)}, nil
}

// Update makes the fields say what t says. What already means that is left
// alone. The answer's key is another one where the issue was the younger of two.
func (k *Tracker) Update(ctx context.Context, key string, t bot.Ticket, due []tracker.Field) (tracker.Ref, error) {
	key, err := k.once.Follow(ctx, key, t.Marker)
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
	err = k.edit(ctx, key, form, now)
	if incidents.CodeOf(err) != incidents.Invalid || len(form) < 2 {
		return k.ref(now), err
	}
	var refused []error // the other parts are still told
	for name, value := range form {
		err := k.edit(ctx, key, url.Values{name: value}, now)
		if incidents.CodeOf(err) != incidents.Invalid && err != nil {
			return k.ref(now), err
		}
		refused = append(refused, err)
	}
	return k.ref(now), errors.Join(refused...)
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

// Poll looks for what changed since the last look.
func (k *Tracker) Poll(ctx context.Context, to tracker.Changer) error { return k.watch.Poll(ctx, to) }

// Handler takes Backlog's webhooks, whose address ends with the secret word.
func (k *Tracker) Handler(to tracker.Changer) http.Handler {
	return k.watch.Handler(remote.Hook{Given: func(r *http.Request) string { return r.PathValue("secret") }, Keys: k.hookKeys}, to)
}
