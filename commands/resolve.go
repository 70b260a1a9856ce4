package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// resolve says that it is over.
func resolve(d Deps) bot.Command {
	return bot.Command{
		Name: "resolve", Aliases: []string{"close", "解決"}, Usage: "resolve [reason]",
		Example: []string{"/inc resolve", "/inc resolve rolled back the deployment"},
		Help:    "help.resolve", Right: bot.Respond, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Resolve{By: r.Person, Text: r.Rest})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.resolved", "id", s.ID.String()), nil
		},
	}
}
