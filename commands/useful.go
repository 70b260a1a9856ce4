package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// judgements are the words for whether something was useful.
var judgements = map[string]int{
	"yes": 1, "up": 1, "+1": 1, "👍": 1, "はい": 1,
	"no": -1, "down": -1, "-1": -1, "👎": -1, "いいえ": -1,
	"none": 0, "back": 0, "取消": 0,
}

// useful is a word on one item of the first investigation, or the list of them.
// The word is kept as a fact; the order of the items does not follow it yet.
func useful(d Deps) bot.Command {
	return bot.Command{
		Name: "useful", Aliases: []string{"helpful", "役に立った"}, Usage: "useful [item yes|no|none]",
		Example: []string{"/inc useful", "/inc useful 2 no"},
		Help:    "help.useful", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			s, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			if len(args) == 0 {
				return answer(s, bot.UsefulList(s, r.Lang, d.Now())), nil
			}
			if err := atMost(2, "useful", args); err != nil {
				return bot.Reply{}, err
			}
			item := bot.UsefulItem(s, args[0])
			if item == "" {
				word := bot.Line(args[0], 80)
				return bot.Reply{}, incidents.Fail(incidents.NotFound, "error.no_item", "the investigation has no item "+word, "item", word).WithHint("/inc useful")
			}
			value, known := judgements[strings.ToLower(args[len(args)-1])]
			if !known || len(args) < 2 {
				return bot.Reply{}, incidents.Fail(incidents.Invalid, "error.useful", "useful is yes or no").WithHint("/inc useful 1 yes")
			}
			s, err = d.Incidents.Do(ctx, r.Incident, r.Once, incidents.Useful{By: r.Person, Item: item, Value: value})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.useful", "item", bot.ItemName(s, r.Lang, item)), nil
		},
	}
}
