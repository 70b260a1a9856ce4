package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// withdraw takes back a request of one's own: the only one that waits, or a
// named one.
func withdraw(d Deps) bot.Command {
	return bot.Command{
		Name: "withdraw", Aliases: []string{"取り下げ"}, Usage: "withdraw [request]",
		Example: []string{"/inc withdraw", "/inc withdraw 1"},
		Help:    "help.withdraw", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventWithdrawn); err != nil || e != nil {
				return decided(r, s, e, "say.withdrawn"), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			id, rest := deniedRequest(args)
			if rest != "" {
				return bot.Reply{}, unexpected(rest, "/inc withdraw")
			}
			a, err := request(s, id)
			if err != nil {
				return bot.Reply{}, err
			}
			if s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Withdraw{By: r.Person, ID: a.ID}); err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.withdrawn", "id", a.ID, "action", bot.Title(r.Lang, a.Plan.Title, a.Plan.Runbook)), nil
		},
	}
}
