package bot

import (
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// todos are the follow-ups on the card: what is open, and how much is done.
func (v *view) todos(m *Message) {
	const most = 5
	open, done := 0, 0
	for i := range v.s.Todos {
		t := &v.s.Todos[i]
		if t.Done != nil {
			done++
			continue
		}
		if open++; open <= most {
			v.field(m, "todo", TodoLine(v.lang, t))
		}
	}
	if open > most {
		v.field(m, "todo", count(v.lang, "card.more", open-most))
	}
	if done > 0 {
		v.field(m, "todo", count(v.lang, "card.todo_done_n", done))
	}
}

// TodoLine is one follow-up, with a box that is ticked or not.
func TodoLine(lang string, t *incidents.Todo) string {
	phrase := "card.todo_open"
	if t.Done != nil {
		phrase = "card.todo_done"
	}
	return phrases.T(lang, phrase, "n", strconv.Itoa(t.N), "text", Line(t.Text, incidents.MaxTodo))
}
