package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// room opens a room for an incident that shares one with others since a storm.
func room(d Deps) bot.Command {
	return bot.Command{
		Name: "room", Aliases: []string{"ルーム"}, Usage: "room INC-42",
		Example: []string{"/inc room INC-42"},
		Help:    "help.room", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.WantRoom{By: r.Person})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.room", "id", s.ID.String()), nil
		},
	}
}
