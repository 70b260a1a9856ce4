package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// suggest ranks the next actions once more, and shows them as they stand.
func suggest(d Deps) bot.Command {
	return bot.Command{
		Name: "suggest", Aliases: []string{"suggestions", "actions", "提案"}, Usage: "suggest",
		Example: []string{"/inc suggest"},
		Help:    "help.suggest", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("suggest", args); err != nil {
				return bot.Reply{}, err
			}
			if err := d.Again.Again(ctx, r.Incident, incidents.DoRank); err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			return answer(s, bot.Suggestions(s, r.Lang, d.Now())), nil
		},
	}
}
