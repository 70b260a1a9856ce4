package commands

import (
	"context"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// help lists the verbs, or explains one of them.
func help(others []bot.Command) bot.Command {
	c := bot.Command{
		Name: "help", Aliases: []string{"?", "ヘルプ"}, Usage: "help [verb]",
		Example: []string{"/inc help", "/inc help approve"},
		Help:    "help.help", Right: bot.View,
	}
	all := append(slices.Clone(others), c)
	c.Run = func(_ context.Context, r bot.Request, args []string) (bot.Reply, error) {
		if len(args) == 0 {
			return answer(nil, verbList(r.Lang, all)), nil
		}
		if err := atMost(1, "help", args); err != nil {
			return bot.Reply{}, err
		}
		word := strings.ToLower(strings.TrimPrefix(args[0], "/"))
		for i := range all {
			if all[i].Name == word || slices.Contains(all[i].Aliases, word) {
				return answer(nil, verbPage(r.Lang, &all[i])), nil
			}
		}
		word = bot.Line(word, 40)
		return bot.Reply{}, incidents.Fail(incidents.NotFound, "error.unknown_verb", "there is no command "+word, "verb", word).WithHint("/inc help")
	}
	return c
}

func verbList(lang string, all []bot.Command) bot.Message {
	m := bot.Message{Title: phrases.T(lang, "say.help"), Text: phrases.T(lang, "say.help_how")}
	for i := range all {
		m.Fields = append(m.Fields, bot.Field{Name: all[i].Usage, Value: phrases.T(lang, all[i].Help)})
	}
	return m
}

func verbPage(lang string, c *bot.Command) bot.Message {
	m := bot.Message{Title: "/inc " + c.Usage, Text: phrases.T(lang, c.Help)}
	if len(c.Aliases) > 0 {
		m.Fields = []bot.Field{{Name: phrases.T(lang, "say.help_aliases"), Value: strings.Join(c.Aliases, ", ")}}
	}
	m.Code = []bot.Code{{Label: phrases.T(lang, "say.help_examples"), Text: strings.Join(c.Example, "\n")}}
	return m
}
