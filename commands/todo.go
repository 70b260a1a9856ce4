package commands

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// todo writes down what is left to do, ticks it off, or lists it.
func todo(d Deps) bot.Command {
	return bot.Command{
		Name: "todo", Aliases: []string{"todos", "followup", "フォローアップ"}, Usage: "todo [text | done N | open N]",
		Example: []string{"/inc todo raise the pool's limit", "/inc todo done 1", "/inc 42 todo"},
		Help:    "help.todo", Right: bot.Respond, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			before, err := d.Incidents.Load(ctx, r.Incident)
			if err != nil {
				return bot.Reply{}, err
			}
			text := strings.TrimSpace(r.Rest)
			if text == "" {
				return answer(before, d.todos(r.Lang, before)), nil
			}
			n, known := len(before.Todos)+1, len(before.Todos)
			cmd, said := incidents.Command(incidents.AddTodo{By: r.Person, Text: text}), "say.todo"
			ticked, open, ok, err := ticks(text)
			if err != nil {
				return bot.Reply{}, err
			}
			if ok {
				n, cmd, said = ticked, incidents.EndTodo{By: r.Person, N: ticked, Open: open}, "say.todo_done"
				if open {
					said = "say.todo_open"
				}
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, cmd)
			if err != nil {
				return bot.Reply{}, err
			}
			if said == "say.todo" && len(s.Todos) == known {
				said = "say.todo_again"
			}
			return confirm(r, s, said, todoArgs(s, n)...), nil
		},
	}
}

func todoArgs(s *incidents.Incident, n int) []string {
	return []string{"id", s.ID.String(), "number", strconv.FormatInt(int64(s.ID), 10), "n", strconv.Itoa(n)}
}

// ticks reads "done 2" and "open 2". In more words it is a follow-up of somebody's
// own: "done with the old pool". What looks like ticking off and names none is
// refused, so that it does not become one by mistake.
func ticks(text string) (n int, open, ok bool, err error) {
	words := strings.Fields(text)
	switch strings.ToLower(words[0]) {
	case "done", "完了":
	case "open", "reopen", "未完了":
		open = true
	default:
		return 0, false, false, nil
	}
	if len(words) > 2 && slices.ContainsFunc(words[1:], func(w string) bool { return !isNumber(w) }) {
		return 0, false, false, nil
	}
	if len(words) == 2 {
		if n, err = strconv.Atoi(narrowed(words[1])); err == nil {
			return n, open, true, nil
		}
	}
	hint := "/inc todo done 1"
	if open {
		hint = "/inc todo open 1"
	}
	return 0, open, false, incidents.Fail(incidents.Invalid, "error.todo_which", "say the number of one follow-up").WithHint(hint)
}

func isNumber(word string) bool {
	return strings.Trim(narrowed(word), "0123456789") == ""
}

// narrowed is a number as a Japanese keyboard may write it, in the digits of all others.
func narrowed(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			return r - '０' + '0'
		}
		return r
	}, word)
}

// todos lists them all, with who wrote them down and who did them.
func (d Deps) todos(lang string, s *incidents.Incident) bot.Message {
	if len(s.Todos) == 0 {
		return bot.Message{Tone: bot.ToneInfo, Text: phrases.T(lang, "say.todo_none", todoArgs(s, 0)...)}
	}
	m := bot.Message{Tone: bot.ToneInfo, Title: phrases.T(lang, "say.todo_list", todoArgs(s, 0)...)}
	for i := range s.Todos {
		t := &s.Todos[i]
		phrase, mark := "say.todo_by", &t.Added
		if t.Done != nil {
			phrase, mark = "say.todo_done_by", t.Done
		}
		m.Fields = append(m.Fields, bot.Field{
			Name:  bot.TodoLine(lang, t),
			Value: phrases.T(lang, phrase, "by", bot.Who(mark.By), "at", bot.Clock(lang, mark.At, d.Now())),
		})
	}
	return m
}
