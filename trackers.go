package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/backlog"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlab"
	"github.com/hikeshi-ops/hikeshi/integrations/jira"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/servicenow"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/manuals"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// trackers are the configured trackers of tickets, and who belongs to which.
type trackers struct {
	policy incidents.Policy
	all    []*ticketTracker
}

// ticketSystem is the adapter of one kind of tracker.
type ticketSystem interface {
	tracker.Tracker
	Poll(ctx context.Context, to tracker.Changer) error
	Handler(to tracker.Changer) http.Handler
	Examine(ctx context.Context) []tracker.Finding
	Example(t bot.Ticket) any // as it would be sent
	Stats() tracker.Stats
}

type ticketTracker struct {
	kind      string
	name      string
	language  string
	system    ticketSystem
	directory *chat.Directory
	inbox     *tracker.Inbox // made when there is somebody who decides
}

// makeTrackers puts the configured ones together.
func makeTrackers(c *config.Settled, store storage.Store, policy incidents.Policy, log *slog.Logger) (*trackers, error) {
	t := &trackers{policy: policy}
	for _, s := range c.TicketDesks.Desks {
		directory := chat.NewDirectory(store, "tracker/"+s.Name)
		k, err := ticketSystemOf(s, store, directory, log.With("tracker", s.Name))
		if err != nil {
			return nil, fmt.Errorf("set up the tracker %s: %w", s.Name, err)
		}
		t.all = append(t.all, &ticketTracker{kind: s.Kind, name: s.Name, language: s.Language, system: k, directory: directory})
	}
	return t, nil
}

// ticketSystemOf makes the adapter of the tracker's kind.
func ticketSystemOf(s config.TicketDesk, store remote.Settings, whose tracker.Owner, log *slog.Logger) (ticketSystem, error) {
	pace := func(rates map[string]limit.Rate) *limit.Limiter {
		return limit.New(limit.Options{Provider: "tracker/" + s.Name, Rates: rates, Store: store, Replica: owner(), Now: time.Now})
	}
	with := func(rates map[string]limit.Rate) remote.Options {
		return remote.Options{Config: s.Remote, Settings: store, Owner: whose, Pace: pace(rates), Now: time.Now, Log: log}
	}
	switch s.Kind {
	case config.KindBacklog:
		return backlog.New(with(backlog.Rates()))
	case config.KindServiceNow:
		return servicenow.New(with(servicenow.Rates()))
	case config.KindGitLab:
		return gitlab.New(with(gitlab.Rates()))
	}
	return jira.New(jira.Options{Config: s.Jira, Settings: store, Pace: pace(jira.Rates()), Now: time.Now, Log: log})
}

// connect says where what changes in the tickets goes.
func (t *trackers) connect(router tracker.Router, mover tracker.Mover) {
	for _, k := range t.all {
		k.inbox = &tracker.Inbox{Name: k.name, Owner: k.directory, Mover: mover, Router: router, Lang: k.language}
	}
}

// ports are how the worker keeps the tickets.
func (t *trackers) ports(links bot.Links, languages map[string]string, clean func(string) string, log tracker.Log) map[string]worker.Tickets {
	all := map[string]worker.Tickets{}
	for _, k := range t.all {
		all[k.name] = &tracker.Syncer{Name: k.name, Tracker: k.system, Directory: k.directory, Lang: k.language, Languages: languages, Clean: clean, Links: links, Log: log, Now: time.Now}
	}
	return all
}

// manuals are what those that keep wikis or files have beside the runbooks.
func (t *trackers) manuals(clean func(string) string, log *slog.Logger) *manuals.Shelf {
	sources := map[string]manuals.Source{}
	for _, k := range t.all {
		if s, ok := k.system.(manuals.Source); ok {
			sources[k.name] = s
		}
	}
	return &manuals.Shelf{Sources: sources, Clean: clean, Now: time.Now, Log: log}
}

// Tracker is where an incident's ticket belongs.
func (t *trackers) Tracker(s *incidents.Incident) string { return s.Tracker(t.policy) }

// Find looks up a ticket that somebody names.
func (t *trackers) Find(ctx context.Context, name, key string) (incidents.Ticket, error) {
	for _, k := range t.all {
		if k.name == name {
			ref, err := k.system.Find(ctx, key)
			return incidents.Ticket{Key: ref.Key, URL: ref.URL, Status: ref.Status}, err
		}
	}
	return incidents.Ticket{}, incidents.Fail(incidents.NotFound, "error.no_tracker", "tracker "+name+" is not configured", "tracker", name)
}

// Where trackers tell what changed, by their names; Backlog, which signs nothing,
// with a word behind it.
const (
	jiraHook       = "POST /v1/jira/{name}"
	gitlabHook     = "POST /v1/gitlab/{name}"
	servicenowHook = "POST /v1/servicenow/{name}"
	backlogHook    = "POST /v1/backlog/{name}/{secret}"
)

// ServeHTTP hands a webhook to the tracker that it names.
func (t *trackers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, k := range t.all {
		if k.name == r.PathValue("name") && strings.HasPrefix(r.URL.Path, "/v1/"+k.kind+"/") {
			k.system.Handler(k.inbox).ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// pollTime bounds one look at one tracker.
const pollTime = 50 * time.Second

// poll looks for what changed in the tickets, on one replica, for where no
// webhook comes through. A slow tracker holds no other one up.
func (a *app) poll(ctx context.Context) {
	var all sync.WaitGroup
	for _, k := range a.trackers.all {
		all.Go(func() { k.poll(ctx, a.store, a.log) })
	}
	all.Wait()
}

// leaser says which replica does something.
type leaser interface {
	Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error)
}

func (k *ticketTracker) poll(ctx context.Context, store leaser, log *slog.Logger) {
	held, err := store.Lease(ctx, "poll/"+k.name, owner(), 2*pollTime)
	if err != nil || !held {
		return
	}
	look, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	if err := k.system.Poll(look, k.inbox); err != nil && ctx.Err() == nil {
		log.Warn("could not look through the tracker", "tracker", k.name, "error", err)
	}
}

// overheard moves incidents for trackers; what people write there loses the
// secrets that Hikeshi knows.
type overheard struct {
	*worker.Engine
	clean func(string) string
}

func (o overheard) Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	if s, ok := cmd.(incidents.Said); ok {
		s.Text = o.clean(s.Text)
		cmd = s
	}
	return o.Engine.Do(ctx, id, once, cmd)
}
