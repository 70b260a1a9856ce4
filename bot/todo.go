package bot

import (
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// todos are the follow-ups on the card: what is open, and how much is done.
func (v *view) todos(m *Message) {
	const most = 5
	open, done, dropped := 0, 0, 0
	for i := range v.s.Todos {
		t := &v.s.Todos[i]
		switch {
		case t.Done != nil:
			done++
			continue
		case t.Dropped != nil:
			dropped++
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
	if dropped > 0 {
		v.field(m, "todo", count(v.lang, "card.todo_dropped_n", dropped))
	}
}

// TodoLine is one follow-up, with a box that is ticked, crossed out, or neither.
func TodoLine(lang string, t *incidents.Todo) string {
	phrase := "card.todo_open"
	switch {
	case t.Done != nil:
		phrase = "card.todo_done"
	case t.Dropped != nil:
		phrase = "card.todo_dropped"
	}
	return phrases.T(lang, phrase, "n", strconv.Itoa(t.N), "text", Line(t.Text, incidents.MaxTodo))
}

// TicketTask is a follow-up as a tracker should have it, below the incident's
// ticket. Every string is plain text.
type TicketTask struct {
	Incident incidents.ID
	N        int
	Marker   string // a label by which it is found again, as a ticket's
	Key      string // in the tracker, where it is known to be there
	Summary  string // one line
	Body     []Message
	Done     bool // or dropped: nothing is left to do
}

// TasksOf are the follow-ups of s for trackers.
func TasksOf(s *incidents.Incident, lang string, links Links) []TicketTask {
	var all []TicketTask
	for i := range s.Todos {
		t := &s.Todos[i]
		about := Message{Text: t.Text + "\n\n" + phrases.T(lang, "ticket.task", "n", strconv.Itoa(t.N), "incident", s.ID.String(), "by", Who(t.Added.By))}
		if u := links.Incident(s.ID); u != "" {
			about.Links = []Link{{Label: s.ID.String(), URL: u}}
		}
		all = append(all, TicketTask{
			Incident: s.ID, N: t.N, Marker: TicketMarker(s) + "-t" + strconv.Itoa(t.N), Summary: Line(t.Text, incidents.MaxTitle),
			Body: []Message{about}, Done: t.Ended(),
		})
	}
	return all
}

// Redact is Ticket.Redact for a task.
func (t *TicketTask) Redact(clean func(string) string) {
	t.Summary, t.Body = clean(t.Summary), redacted(t.Body, clean)
}
