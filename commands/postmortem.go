package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// maxPostmortem is how much of a postmortem one answer shows, in bytes.
const maxPostmortem = 12_000

// postmortem writes the postmortem from the log, as Markdown.
func postmortem(d Deps) bot.Command {
	return bot.Command{
		Name: "postmortem", Aliases: []string{"retro", "pm", "ポストモーテム"}, Usage: "postmortem",
		Example: []string{"/inc postmortem", "/inc 42 postmortem"},
		Help:    "help.postmortem", Right: bot.View, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := alone("postmortem", args); err != nil {
				return bot.Reply{}, err
			}
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			all, err := events(ctx, d.Incidents, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			text := bot.Story{Links: d.Links, Now: d.Now}.Postmortem(r.Lang, s, all)
			m := bot.Message{Title: phrases.T(r.Lang, "say.postmortem", "id", s.ID.String())}
			if u := d.Links.Postmortem(s.ID); u != "" {
				m.Links = []bot.Link{{Label: phrases.T(r.Lang, "link.postmortem"), URL: u}}
			}
			if len(text) > maxPostmortem {
				m.Text = phrases.T(r.Lang, "say.postmortem_cut")
			}
			m.Code = []bot.Code{{Label: "Markdown", Text: bot.Cut(text, maxPostmortem)}}
			return answer(s, m), nil
		},
	}
}
