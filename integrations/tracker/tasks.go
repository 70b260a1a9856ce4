package tracker

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Tasker is a Tracker whose tickets have tasks: an incident's follow-ups.
type Tasker interface {
	// Task makes the task with the marker for the ticket called key, or finds the
	// one that an earlier attempt made, as Open does, and makes it done or not.
	// One whose Key is known is never made again.
	Task(ctx context.Context, key string, t bot.TicketTask) (Ref, error)
}

// tasks keeps the follow-ups in the tracker. One that is refused is no reason
// not to tell the others.
func (y *Syncer) tasks(ctx context.Context, t *incidents.Ticket, s *incidents.Incident) error {
	to, takes := y.Tracker.(Tasker)
	if !takes {
		return nil
	}
	var first error
	for _, want := range bot.TasksOf(s, y.lang(s), y.Links) {
		i := slices.IndexFunc(t.Tasks, func(k incidents.TicketTask) bool { return k.N == want.N })
		if i >= 0 && t.Tasks[i].Done == want.Done {
			continue
		}
		if i >= 0 {
			want.Key = t.Tasks[i].Key
		}
		if y.Clean != nil {
			want.Redact(y.Clean)
		}
		ref, err := to.Task(ctx, t.Key, want)
		if err != nil && !refused(err) {
			return err
		}
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if err := y.Directory.Put(ctx, ref.Key, s.ID); err != nil {
			return fmt.Errorf("note whose task %s is: %w", ref.Key, err)
		}
		t.Tasks = slices.Clone(t.Tasks) // states share it
		made := incidents.TicketTask{N: want.N, Key: ref.Key, URL: ref.URL, Done: want.Done}
		if i >= 0 {
			t.Tasks[i] = made
		} else {
			t.Tasks = append(t.Tasks, made)
		}
	}
	return first
}

// ticked carries what somebody did to a task into the incident: it is done, or
// open again. What else changes in it stays there.
func (in *Inbox) ticked(ctx context.Context, s *incidents.Incident, c Change) error {
	t := s.Tickets[in.Name]
	i := slices.IndexFunc(t.Tasks, func(k incidents.TicketTask) bool { return k.Key == c.Key })
	if i < 0 || c.State == "" {
		return nil
	}
	n, done := t.Tasks[i].N, c.State == bot.TicketDone
	if !slices.ContainsFunc(s.Todos, func(d incidents.Todo) bool { return d.N == n && (d.Done != nil) != done }) {
		return nil
	}
	word := "open"
	if done {
		word = "done"
	}
	q := bot.Request{Person: c.By, Chat: in.Name, Incident: s.ID, Line: "todo " + word + " " + strconv.Itoa(n), Lang: in.Lang, Once: in.Name + "/" + c.ID + "/task"}
	if _, err := in.Router.Handle(ctx, q); err != nil {
		return fmt.Errorf("carry the change of %s into %s: %w", c.Key, s.ID, err)
	}
	return nil
}
