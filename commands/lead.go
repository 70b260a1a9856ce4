package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// lead makes somebody the commander: whoever says it, or whom they name.
func lead(d Deps) bot.Command {
	return bot.Command{
		Name: "lead", Aliases: []string{"commander", "指揮"}, Usage: "lead [@name|me]",
		Example: []string{"/inc lead", "/inc lead @bea"},
		Help:    "help.lead", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := atMost(1, "lead", args); err != nil {
				return bot.Reply{}, err
			}
			who, err := d.named(ctx, r, args, "me")
			if err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Lead{By: r.Person, Who: who})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.lead", "id", s.ID.String(), "who", bot.Who(who)), nil
		},
	}
}
