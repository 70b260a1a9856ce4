package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// chatParts is what an outside chat is put together from.
type chatParts struct {
	config *config.Settled
	store  storage.Store // its settings: a chat.Directory, a limit.Limiter
	desk   chat.Desk     // where commands, buttons and reactions go; audited
	talk   chat.Talk     // where what people say to each other goes
	links  bot.Links
	now    func() time.Time
	log    *slog.Logger
	free   bool // keep to no rates: for measuring
	drawn  chat.Pictures
	tally  *chat.Tally // the chat's own
}

// limits are those of one chat's requests.
func (p chatParts) limits(provider string, rates map[string]limit.Rate) *limit.Limiter {
	if p.free {
		rates = nil
	}
	return limit.New(limit.Options{Provider: provider, Rates: rates, Store: p.store, Replica: owner(), Now: p.now})
}

// outside is an outside chat as the rest knows it.
type outside struct {
	name   string
	poster bot.Poster
	run    func(ctx context.Context) error // until ctx ends: sockets; nil: nothing runs. What it returns before is logged, and it is run again
	routes map[string]http.Handler         // by pattern, each with its line in needs
	tally  *chat.Tally
}

// outsideKind is one kind of outside chat. Its block of the configuration is
// the way it is switched on.
type outsideKind struct {
	name       string
	configured func(c *config.Settled) bool
	make       func(p chatParts) (outside, error)
}

// outsideKinds is the one table of outside chats.
func outsideKinds() []outsideKind {
	return []outsideKind{slackKind(), discordKind()}
}

// chatNames are the configured chats, the console first.
func chatNames(s *config.Settled) []string {
	names := []string{consoleChat}
	for _, k := range outsideKinds() {
		if k.configured(s) {
			names = append(names, k.name)
		}
	}
	return names
}

// makeChats puts the configured outside chats together.
func makeChats(p chatParts) ([]outside, error) {
	var all []outside
	for _, k := range outsideKinds() {
		if !k.configured(p.config) {
			continue
		}
		p := p
		p.log, p.tally = p.log.With("chat", k.name), chat.NewTally(k.name)
		c, err := k.make(p)
		if err != nil {
			return nil, fmt.Errorf("set up %s: %w", k.name, err)
		}
		c.name, c.tally = k.name, p.tally
		all = append(all, c)
	}
	return all, nil
}

// The pauses before a chat that ended is run again.
const (
	leastChatPause = time.Second
	mostChatPause  = time.Minute
)

// runChats keeps each chat running until ctx ends: one that fails disturbs no
// other one.
func runChats(ctx context.Context, chats []outside, log *slog.Logger, parts *sync.WaitGroup) {
	for _, c := range chats {
		if c.run == nil {
			continue
		}
		parts.Go(func() {
			pause := leastChatPause
			for ctx.Err() == nil {
				began := time.Now()
				err := c.run(ctx)
				if ctx.Err() != nil {
					return
				}
				if time.Since(began) > mostChatPause {
					pause = leastChatPause
				}
				log.Warn("a chat ended and is started again", "chat", c.name, "error", err, "in", pause)
				select {
				case <-ctx.Done():
				case <-time.After(pause + rand.N(pause/2)):
				}
				pause = min(2*pause, mostChatPause)
			}
		})
	}
}

// chatRoutes are the addresses that chats call.
func chatRoutes(chats []outside) map[string]http.Handler {
	all := map[string]http.Handler{}
	for _, c := range chats {
		maps.Copy(all, c.routes)
	}
	return all
}

// posters are the chats that rooms are kept in, by name. Outside, a storm does
// not make more rooms than people can read.
func posters(c *config.Settled, store chat.Settings, console bot.Poster, chats []outside) map[string]bot.Poster {
	all := map[string]bot.Poster{consoleChat: console}
	for _, o := range chats {
		all[o.name] = chat.NewStorm(chat.StormOptions{
			Chat: o.name, Poster: o.poster, Store: store, PerMinute: c.Chats.Storm.PerMinute, PerHour: c.Chats.Storm.PerHour, Now: time.Now,
		})
	}
	return all
}

// live shows in them what runs say. The console takes more than a provider does.
func (a *app) live(ctx context.Context, rooms map[string]bot.Poster, links bot.Links) *bot.Live {
	languages := map[string]map[string]string{}
	for _, c := range a.chats {
		languages[c.name] = a.config.CustomerLanguages
	}
	return bot.NewLive(bot.LiveOptions{
		App: ctx, Incidents: a.store, Posters: rooms, Every: map[string]time.Duration{consoleChat: time.Second}, Languages: languages, Links: links, Now: time.Now, Logger: a.log,
	})
}

// talk tells incidents what people say in their rooms, and so the other rooms.
// Secrets that Hikeshi knows are struck out on the way.
type talk struct {
	incidents hearer
	several   bool // there is more than one chat: with one, nobody needs to be told
	clean     func(string) string
}

type hearer interface {
	Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error)
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
}

// Said is a chat.Talk. Who may put something on the timeline is asked where
// that is wished for: see bot.Router.React.
func (t talk) Said(ctx context.Context, id incidents.ID, s incidents.Said) error {
	if !t.several && len(incidents.ByHand(s.Text)) == 0 { // what somebody ran by hand may become a runbook
		now, err := t.incidents.Load(ctx, id)
		if err != nil {
			return err
		}
		if _, known := now.Said[s.Key()]; !known { // else it may be on the timeline
			return nil
		}
	}
	s.Text, s.Pinned = t.clean(s.Text), false
	_, err := t.incidents.Do(ctx, id, "", s)
	return err
}
