package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// ack says that somebody looks at it.
func ack(d Deps) bot.Command {
	return bot.Command{
		Name: "ack", Aliases: []string{"acknowledge", "対応"}, Usage: "ack",
		Example: []string{"/inc ack"},
		Help:    "help.ack", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("ack", args); err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Ack{By: r.Person})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.acked", "id", s.ID.String()), nil
		},
	}
}
