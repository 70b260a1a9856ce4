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

// todo writes down what is left to do, ticks it off, takes it back, or lists it.
func todo(d Deps) bot.Command {
	return bot.Command{
		Name: "todo", Aliases: []string{"todos", "followup", "フォローアップ"}, Usage: "todo [text | done N | open N | drop N [reason]]",
		Example: []string{"/inc todo raise the pool's limit", "/inc todo done 1", "/inc todo drop 2 the old pool goes", "/inc 42 todo"},
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
			cmd, n, err := asks(r.Person, text)
			if err != nil {
				return bot.Reply{}, err
			}
			was := slices.Clone(before.Todos)
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, cmd)
			if err != nil {
				return bot.Reply{}, err
			}
			said, n := todoSaid(cmd, was, s.Todos, n)
			return confirm(r, s, said, todoArgs(s, n)...), nil
		},
	}
}

// asks is what the words after the verb ask for, and of which follow-up; 0: a new one.
func asks(by incidents.Actor, text string) (cmd incidents.Command, n int, err error) {
	n, why, ok, err := drops(text)
	if err != nil || ok {
		return incidents.DropTodo{By: by, N: n, Why: why}, n, err
	}
	n, open, ok, err := ticks(text)
	if err != nil || ok {
		return incidents.EndTodo{By: by, N: n, Open: open}, n, err
	}
	return incidents.AddTodo{By: by, Text: text}, 0, nil
}

// todoSaid is the sentence about what was done, and the follow-up that it is about.
func todoSaid(cmd incidents.Command, was, is []incidents.Todo, n int) (string, int) {
	switch cmd := cmd.(type) {
	case incidents.DropTodo:
		return "say.todo_dropped", n
	case incidents.EndTodo:
		if cmd.Open {
			return "say.todo_open", n
		}
		return "say.todo_done", n
	}
	if len(is) > len(was) {
		return "say.todo", len(is)
	}
	for i := range was { // its words are those of one that had been dropped
		if was[i].Dropped != nil && is[i].Dropped == nil {
			return "say.todo_open", is[i].N
		}
	}
	return "say.todo_again", n
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
		if n, ok = number(words[1]); ok {
			return n, open, true, nil
		}
	}
	hint := "/inc todo done 1"
	if open {
		hint = "/inc todo open 1"
	}
	return 0, open, false, incidents.Fail(incidents.Invalid, "error.todo_which", "say the number of one follow-up").WithHint(hint)
}

// drops reads "drop 2" and "drop 2 the old pool goes". In more words without a number
// it is a follow-up of somebody's own: "drop the old pool". Where only numbers follow it
// may mean several follow-ups, and is refused.
func drops(text string) (n int, why string, ok bool, err error) {
	words := strings.Fields(text)
	if !slices.Contains([]string{"drop", "取り下げ", "取下げ"}, strings.ToLower(words[0])) || len(words) > 2 && !isNumber(words[1]) {
		return 0, "", false, nil
	}
	if len(words) == 2 || len(words) > 2 && slices.ContainsFunc(words[2:], func(w string) bool { return !isNumber(w) }) {
		if n, ok = number(words[1]); ok {
			return n, strings.Join(words[2:], " "), true, nil
		}
	}
	return 0, "", false, incidents.Fail(incidents.Invalid, "error.todo_which", "say the number of one follow-up").WithHint("/inc todo drop 1")
}

// isNumber says that the word is meant as one, be it none that a follow-up can have.
func isNumber(word string) bool {
	return strings.Trim(strings.TrimLeft(narrowed(word), "#-+"), "0123456789") == ""
}

// number reads "2" and "#2".
func number(word string) (n int, ok bool) {
	digits, err := strconv.ParseUint(strings.TrimPrefix(narrowed(word), "#"), 10, 31)
	return int(digits), err == nil
}

// narrowed is a number as a Japanese keyboard may write it, in the letters of all others.
func narrowed(word string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '＃':
			return '#'
		case r == '－' || r == '−':
			return '-'
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
		switch {
		case t.Done != nil:
			phrase, mark = "say.todo_done_by", t.Done
		case t.Dropped != nil && t.Why != "":
			phrase, mark = "say.todo_dropped_why", t.Dropped
		case t.Dropped != nil:
			phrase, mark = "say.todo_dropped_by", t.Dropped
		}
		m.Fields = append(m.Fields, bot.Field{
			Name:  bot.TodoLine(lang, t),
			Value: phrases.T(lang, phrase, "by", bot.Who(mark.By), "at", bot.Clock(lang, mark.At, d.Now()), "why", bot.Line(t.Why, incidents.MaxTodo)),
		})
	}
	return m
}
