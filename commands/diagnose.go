package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// diagnose runs the read-only checks once more.
func diagnose(d Deps) bot.Command {
	return bot.Command{
		Name: "diagnose", Aliases: []string{"check", "調査"}, Usage: "diagnose",
		Example: []string{"/inc diagnose"},
		Help:    "help.diagnose", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("diagnose", args); err != nil {
				return bot.Reply{}, err
			}
			if err := d.Again.Again(ctx, r.Incident, incidents.DoDiagnose); err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, nil, "say.diagnose", "id", r.Incident.String()), nil
		},
	}
}
