package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// similar asks whether this has happened before, and what helped then.
func similar(d Deps) bot.Command {
	return bot.Command{
		Name: "similar", Aliases: []string{"past", "類似"}, Usage: "similar [words]",
		Example: []string{"/inc similar", "/inc 42 similar"},
		Help:    "help.similar", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			return d.consult(ctx, r, "similar", d.only(incidents.CluePast))
		},
	}
}
