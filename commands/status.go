package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// status shows how the incident stands: its card.
func status(d Deps) bot.Command {
	return bot.Command{
		Name: "status", Aliases: []string{"info", "overview", "状況"}, Usage: "status",
		Example: []string{"/inc status", "/inc INC-42 status"},
		Help:    "help.status", Right: bot.View, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("status", args); err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			return answer(s, bot.Card(s, r.Lang, d.Now(), d.Links)), nil
		},
	}
}
