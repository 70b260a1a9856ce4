package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// reopen says that it is not over after all.
func reopen(d Deps) bot.Command {
	return bot.Command{
		Name: "reopen", Aliases: []string{"再開"}, Usage: "reopen [reason]",
		Example: []string{"/inc reopen", "/inc reopen it is slow again"},
		Help:    "help.reopen", Right: bot.Respond, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Reopen{By: r.Person, Text: r.Rest})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.reopened", "id", s.ID.String()), nil
		},
	}
}
