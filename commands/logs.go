package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// logs asks what is new, came in a burst or fell silent in the logs.
func logs(d Deps) bot.Command {
	return bot.Command{
		Name: "logs", Aliases: []string{"ログ"}, Usage: "logs [words]",
		Example: []string{"/inc logs", "/inc logs timeout"},
		Help:    "help.logs", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			return d.consult(ctx, r, "logs", d.only(incidents.ClueLog))
		},
	}
}
