package remote

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Options is what an adapter is made of.
type Options struct {
	Config    Config
	Settings  Settings
	Owner     tracker.Owner
	Pace      Limiter
	Transport http.RoundTripper // nil: the default one
	Now       func() time.Time
	Log       *slog.Logger
}

// Settled is the configuration with what is usual where nothing is said.
func (o Options) Settled() Config {
	c := o.Config
	c.URL = strings.TrimRight(c.URL, "/")
	if c.IndexTime <= 0 {
		c.IndexTime = DefaultIndexTime // also where there is no index: a request that was given up may still be carried out
	}
	return c
}

// Client asks the system's API below that path.
func (o Options) Client(s System, path string, who http.Header) *Client {
	return &Client{System: s, Base: strings.TrimRight(o.Config.URL, "/") + path, Header: who, Pace: o.Pace, Transport: o.Transport, Now: o.Now}
}

// API is what a system must be able to do for an Adapter.
type API interface {
	Maker
	Reader
	Shelf
	Tasker
}

// Adapter is what the adapters of all systems do alike; each embeds one.
type Adapter struct {
	once  *Once
	watch *Watch
	shelf Shelf
	tasks Tasker
	page  func(key string) string
}

// Adapter makes one of what the system can do; page is where people see a ticket.
func (o Options) Adapter(c *Config, s System, api API, page func(key string) string) Adapter {
	once := &Once{System: s, Name: c.Name, Maker: api, Settings: o.Settings, IndexTime: c.IndexTime, Now: o.Now, Log: o.Log}
	watch := &Watch{Config: c, System: s, Reader: api, Once: once, Owner: o.Owner, Settings: o.Settings, Now: o.Now, Log: o.Log}
	return Adapter{once, watch, api, api, page}
}

// Stats tells what happened in this process.
func (a *Adapter) Stats() tracker.Stats { return a.once.Stats() }

// Open makes the ticket with the marker, or finds the one that an earlier attempt made.
func (a *Adapter) Open(ctx context.Context, t bot.Ticket) (tracker.Ref, error) {
	key, err := a.once.Open(ctx, t)
	if err != nil {
		return tracker.Ref{}, err
	}
	return tracker.Ref{Key: key, URL: a.page(key)}, nil
}

// Follow is the key of the ticket where the one called key was the younger of two.
func (a *Adapter) Follow(ctx context.Context, key, marker string) (string, error) {
	return a.once.Follow(ctx, key, marker)
}

// Poll looks for what changed since the last look.
func (a *Adapter) Poll(ctx context.Context, to tracker.Changer) error { return a.watch.Poll(ctx, to) }

// Hear takes the webhooks of such a form.
func (a *Adapter) Hear(h Hook, to tracker.Changer) http.Handler { return a.watch.Handler(h, to) }

// Edit writes all parts at once; where the system refuses that, each by itself,
// so that the other parts are told all the same.
func Edit[M ~map[string]V, V any](parts M, write func(M) error) error {
	err := write(parts)
	if incidents.CodeOf(err) != incidents.Invalid || len(parts) < 2 {
		return err
	}
	var refused []error
	for name, value := range parts {
		err := write(M{name: value})
		if err != nil && incidents.CodeOf(err) != incidents.Invalid {
			return err
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}
