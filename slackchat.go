package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
)

// slackKind is Slack, for the table of outside chats.
func slackKind() outsideKind {
	return outsideKind{name: slack.Name, configured: func(c *config.Settled) bool { return c.Workspace.On }, make: makeSlack}
}

func makeSlack(p chatParts) (outside, error) {
	c, err := slack.New(slack.Options{
		Config: p.config.Workspace.Config, Limits: p.limits(slack.Name, slack.Rates()),
		Directory: chat.NewDirectory(p.store, slack.Name), Incidents: p.store, Rights: p.config.Rights, Links: p.links, Pictures: p.drawn, Tally: p.tally, Now: p.now, Logger: p.log,
	})
	if err != nil {
		return outside{}, err
	}
	c.Connect(p.desk, p.talk)
	out := outside{poster: c, run: func(ctx context.Context) error { c.Run(ctx); return nil }}
	if !p.config.Workspace.Config.Sockets() {
		handler := c.Handler()
		out.routes = map[string]http.Handler{"POST " + slack.EventsPath: handler, "POST " + slack.InteractionsPath: handler, "POST " + slack.CommandsPath: handler}
	}
	return out, nil
}

// examineSlack makes a Chat that only looks.
func examineSlack(c *config.Settled) (*slack.Chat, error) {
	return slack.New(slack.Options{
		Config: c.Workspace.Config, Limits: limit.New(limit.Options{Provider: slack.Name, Rates: slack.Rates(), Now: time.Now}),
		Directory: nowhere{}, Incidents: nowhere{}, Rights: bot.Open{}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
}

// nowhere has no incidents: whoever only looks needs none, and no store.
type nowhere struct{}

func (nowhere) Put(context.Context, string, incidents.ID) error { return noStore() }

func (nowhere) Incident(context.Context, string) (incidents.ID, bool, error) { return 0, false, nil }

func (nowhere) Load(context.Context, incidents.ID) (*incidents.Incident, error) {
	return nil, noStore()
}

func (nowhere) List(context.Context, incidents.Query) (incidents.Page, error) {
	return incidents.Page{}, nil
}

func noStore() error {
	return incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
}
