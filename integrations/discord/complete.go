package discord

import (
	"context"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// complete offers what could be meant: the room's suggested actions, which
// stand in the room anyway, and the verbs for help.
func (in *Inbox) complete(ctx context.Context, i *interaction, q bot.Request) answer {
	choices := []choice{}
	verb, options := chosen(i.Data.Options)
	begun := ""
	for _, o := range options {
		if s, ok := o.Value.(string); ok && o.Focused {
			begun = strings.ToLower(s)
		}
	}
	offer := func(name, value string) {
		if len(choices) < maxChoices && value != "" && units(value) <= maxOption && strings.Contains(strings.ToLower(name), begun) {
			choices = append(choices, choice{cut(bot.Line(name, 300), maxOption), value})
		}
	}
	switch {
	case verb == "help":
		for j := range in.Commands {
			offer(in.Commands[j].Name, in.Commands[j].Name)
		}
	case q.Incident != 0:
		s, err := in.Incidents.Load(ctx, q.Incident)
		if err != nil || s == nil {
			break
		}
		for j := range s.Suggestions {
			g := &s.Suggestions[j]
			offer(strconv.Itoa(g.Rank)+" · "+g.Title.In(q.Lang), strconv.Itoa(g.Rank))
		}
	}
	return answer{Type: answerChoices, Data: &answerData{Choices: &choices}}
}
