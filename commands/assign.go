package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// assign makes somebody a responder.
func assign(d Deps) bot.Command {
	return bot.Command{
		Name: "assign", Aliases: []string{"role", "担当"}, Usage: "assign @name|me",
		Example: []string{"/inc assign @bea", "/inc assign me"},
		Help:    "help.assign", Right: bot.Lead, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := atMost(1, "assign", args); err != nil {
				return bot.Reply{}, err
			}
			who, err := d.named(ctx, r, args, "")
			if err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Assign{By: r.Person, Who: who})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.assigned", "id", s.ID.String(), "who", bot.Who(who)), nil
		},
	}
}

// named is the person that the words name, or who is meant without any.
func (d Deps) named(ctx context.Context, r bot.Request, args []string, without string) (incidents.Actor, error) {
	if len(args) > 0 {
		without = args[0]
	}
	s, err := d.Incidents.Load(ctx, r.Incident)
	if err != nil {
		return incidents.Actor{}, err
	}
	return d.person(ctx, r, s, without)
}
