package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// pin keeps something that was said on the timeline. It is wished for by a
// reaction; typed, by the key that the API names the message with.
func pin(d Deps) bot.Command {
	return bot.Command{
		Name: "pin", Usage: "pin message [off]",
		Example: []string{"/inc pin said-0123456789abcdef off"},
		Help:    "help.pin", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			off := len(args) == 2 && args[1] == "off"
			if len(args) == 0 {
				return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.pin", "react with 📌 to the message that belongs on the timeline").WithHint("/inc note …")
			}
			if r.Said == nil && !strings.HasPrefix(args[0], "said-") {
				word := bot.Line(args[0], 80)
				return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.pin_word", word+" names no message; react with 📌 to the one that belongs on the timeline", "word", word).
					WithHint("/inc note …")
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Pin{By: r.Person, Key: args[0], Message: r.Said, Off: off})
			if err != nil {
				return bot.Reply{}, err
			}
			say := map[bool]string{false: "say.pinned", true: "say.unpinned"}[off]
			return confirm(r, s, say), nil
		},
	}
}
