package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// diagnose investigates once more: everything, or what has the words in it.
func diagnose(d Deps) bot.Command {
	return bot.Command{
		Name: "diagnose", Aliases: []string{"check", "調査"}, Usage: "diagnose [words]",
		Example: []string{"/inc diagnose", "/inc diagnose disk", "/inc diagnose prometheus"},
		Help:    "help.diagnose", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			if straight(r.Rest) != "" {
				return d.consult(ctx, r, "diagnose", d.only(""))
			}
			if err := d.Again.Again(ctx, r.Incident, incidents.DoDiagnose); err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, nil, "say.diagnose", "id", r.Incident.String()), nil
		},
	}
}
