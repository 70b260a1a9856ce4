package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// note writes something down in the timeline, in the person's own words.
func note(d Deps) bot.Command {
	return bot.Command{
		Name: "note", Aliases: []string{"notes", "メモ"}, Usage: "note text",
		Example: []string{"/inc note restarted the cache by hand"},
		Help:    "help.note", Right: bot.Respond, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Note{By: r.Person, Text: r.Rest})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.noted", "id", s.ID.String()), nil
		},
	}
}
