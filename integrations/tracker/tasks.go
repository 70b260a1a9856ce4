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
		earlier := i >= 0 && t.Tasks[i].At.Before(t.OpenedAt) // it was made for another ticket
		if i >= 0 && !earlier && t.Tasks[i].Done == want.Done && !t.There[string(task(want.N))].After(t.Tasks[i].At) {
			continue
		}
		if !y.mayTell(s, t, task(want.N)) {
			continue // told when their time is over
		}
		if i >= 0 {
			want.Key = t.Tasks[i].Key
		}
		if y.Clean != nil {
			want.Redact(y.Clean)
		}
		ref, err := to.Task(ctx, t.Key, want)
		if earlier && incidents.CodeOf(err) == incidents.NotFound { // it went with that ticket
			want.Key = ""
			ref, err = to.Task(ctx, t.Key, want)
		}
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
		made := incidents.TicketTask{N: want.N, Key: ref.Key, URL: ref.URL, Done: want.Done, At: y.Now()}
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
	w := wish{field: task(n)}
	switch d := todo(s, w.field); {
	case d == nil:
		return nil
	case d.Ended() == done, in.stale(s, w.field, c.At): // noted only, so that the task is told again what it should be
	case done:
		w.line = "todo done " + strconv.Itoa(n)
	default:
		w.line = "todo open " + strconv.Itoa(n)
	}
	return in.carry(ctx, s.ID, c, w)
}

// task is the field that says whether a follow-up is done.
func task(n int) Field { return Field("task/" + strconv.Itoa(n)) }

// todo is the follow-up that a field is of; nil where it is none's.
func todo(s *incidents.Incident, f Field) *incidents.Todo {
	i := slices.IndexFunc(s.Todos, func(d incidents.Todo) bool { return task(d.N) == f })
	if i < 0 {
		return nil
	}
	return &s.Todos[i]
}
