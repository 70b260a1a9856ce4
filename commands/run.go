package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// run asks for an action to be run: somebody has to approve it.
func run(d Deps) bot.Command {
	return bot.Command{
		Name: "run", Aliases: []string{"request", "実行"}, Usage: "run rank|action",
		Example: []string{"/inc run 1", "/inc run restart-web"},
		Help:    "help.run", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			target, _ := bot.ParseTarget(args)
			g, err := d.suggested(s, target, args, "run")
			if err != nil {
				return bot.Reply{}, err
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Request{By: r.Person, Plan: g.Plan})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.requested", "action", bot.Line(g.Action, 80)), nil
		},
	}
}
