package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// changes asks what was changed before it began.
func changes(d Deps) bot.Command {
	return bot.Command{
		Name: "changes", Aliases: []string{"deploys", "変更"}, Usage: "changes [words]",
		Example: []string{"/inc changes", "/inc changes payment"},
		Help:    "help.changes", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			return d.consult(ctx, r, "changes", d.only(incidents.ClueChange))
		},
	}
}
