package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// resolve says that it is over.
func resolve(d Deps) bot.Command {
	return bot.Command{
		Name: "resolve", Aliases: []string{"close", "解決"}, Usage: "resolve [reason]",
		Example: []string{"/inc resolve", "/inc resolve rolled back the deployment"},
		Help:    "help.resolve", Right: bot.Lead, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			if reply, already, err := d.overAlready(ctx, r); already || err != nil {
				return reply, err
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Resolve{By: r.Person, Text: r.Rest})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.resolved", "id", s.ID.String()), nil
		},
	}
}

// overAlready says that there is nothing to resolve, to somebody who did not
// resolve it with this very wish. What is closed refuses by itself.
func (d Deps) overAlready(ctx context.Context, r bot.Request) (reply bot.Reply, already bool, err error) {
	s, err := d.Incidents.Load(ctx, r.Incident)
	if err != nil || s.Status() != incidents.Resolved {
		return bot.Reply{}, false, err
	}
	if happened, err := d.Wishes.Happened(ctx, r.Incident, r.Once); happened || err != nil {
		return bot.Reply{}, false, err
	}
	return answer(s, bot.Message{Tone: bot.ToneInfo, Text: phrases.T(r.Lang, "say.resolved_already",
		"id", s.ID.String(), "by", bot.Who(s.Resolved.By), "at", bot.Clock(r.Lang, s.Resolved.At, d.Now()))}), true, nil
}
