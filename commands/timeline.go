package commands

import (
	"context"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// How many lines of the timeline one answer shows.
const (
	shownLines = 20
	mostLines  = 100
)

// timeline tells what happened, the latest lines of it.
func timeline(d Deps) bot.Command {
	return bot.Command{
		Name: "timeline", Aliases: []string{"log", "経過"}, Usage: "timeline [lines]",
		Example: []string{"/inc timeline", "/inc timeline 50"},
		Help:    "help.timeline", Right: bot.View, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := atMost(1, "timeline", args); err != nil {
				return bot.Reply{}, err
			}
			wanted, err := wantedLines(args)
			if err != nil {
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
			lines := incidents.Timeline(s, all)
			m := bot.Message{Title: phrases.T(r.Lang, "say.timeline", "id", s.ID.String())}
			if hidden := len(lines) - wanted; hidden > 0 {
				lines = lines[hidden:]
				m.Text = phrases.T(r.Lang, "say.timeline_hidden", "n", strconv.Itoa(hidden))
			}
			for i := range lines {
				m.Fields = append(m.Fields, bot.Field{
					Name: bot.Clock(r.Lang, lines[i].At, d.Now()), Value: bot.TimelineText(r.Lang, &lines[i]),
				})
			}
			return answer(s, m), nil
		},
	}
}

func wantedLines(args []string) (int, error) {
	if len(args) == 0 {
		return shownLines, nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return 0, incidents.Fail(incidents.Invalid, "error.lines", "how many lines is said as a number", "word", bot.Line(args[0], 80)).
			WithHint("/inc timeline 50")
	}
	return min(n, mostLines), nil
}
