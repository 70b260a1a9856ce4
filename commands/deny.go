package commands

import (
	"context"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// deny refuses a request: the only one that waits, or a named one.
func deny(d Deps) bot.Command {
	return bot.Command{
		Name: "deny", Aliases: []string{"reject", "却下"}, Usage: "deny [request] [reason]",
		Example: []string{"/inc deny", "/inc deny 1 not during the sale"},
		Help:    "help.deny", Right: bot.ApproveRuns, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if s, e, err := d.before(ctx, r, incidents.EventDenied); err != nil || e != nil {
				return decided(r, s, e, "say.denied"), err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			id, reason := deniedRequest(args)
			a, err := request(s, id)
			if err != nil {
				return bot.Reply{}, err
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Deny{By: r.Person, ID: a.ID, Text: reason})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.denied", "id", a.ID, "action", bot.Title(r.Lang, a.Plan.Title, a.Plan.Runbook)), nil
		},
	}
}

// deniedRequest reads "1 because", "request:1 because" or "because".
func deniedRequest(args []string) (id, reason string) {
	if len(args) > 0 {
		word := strings.TrimPrefix(args[0], "request:")
		if _, err := strconv.Atoi(word); err == nil || word != args[0] {
			id, args = word, args[1:]
		}
	}
	return id, strings.Join(args, " ")
}
