package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// reopen says that it is not over after all.
func reopen(d Deps) bot.Command {
	return bot.Command{
		Name: "reopen", Aliases: []string{"再開"}, Usage: "reopen [reason]",
		Example: []string{"/inc reopen", "/inc reopen it is slow again"},
		Help:    "help.reopen", Right: bot.Lead, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			if reply, already, err := d.notOverAlready(ctx, r); already || err != nil {
				return reply, err
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Reopen{By: r.Person, Text: r.Rest})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.reopened", "id", s.ID.String()), nil
		},
	}
}

// notOverAlready says that there is nothing to reopen, to somebody who did not
// reopen it with this very wish.
func (d Deps) notOverAlready(ctx context.Context, r bot.Request) (reply bot.Reply, already bool, err error) {
	s, err := d.Incidents.Load(ctx, r.Incident)
	if err != nil || !s.Status().Open() {
		return bot.Reply{}, false, err
	}
	if happened, err := d.Wishes.Happened(ctx, r.Incident, r.Once); happened || err != nil {
		return bot.Reply{}, false, err
	}
	return answer(s, bot.Message{Tone: bot.ToneInfo, Text: phrases.T(r.Lang, "say.open_already",
		"id", s.ID.String(), "status", bot.StatusWord(r.Lang, s.Status()))}), true, nil
}
