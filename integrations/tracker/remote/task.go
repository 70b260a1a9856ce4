package remote

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Tasker makes follow-ups and ticks them off. They carry their marker as tickets
// do, so that a Maker finds them and makes one of two.
type Tasker interface {
	// CreateTask makes one below the ticket, as far as the system has such a
	// thing; it returns its key.
	CreateTask(ctx context.Context, ticket string, t bot.TicketTask) (string, error)
	// Tick makes it done or not, where it is not that already.
	Tick(ctx context.Context, task string, t bot.TicketTask) (tracker.Ref, error)
}

// Relater is a Tasker whose tasks do not say themselves whose they are.
type Relater interface {
	// Relate links a task to its ticket; where it is linked, it is done.
	Relate(ctx context.Context, task, ticket string) error
}

// Task makes the task with the marker for the ticket, or finds the one that an
// earlier attempt made, and makes it done or not.
func (a *Adapter) Task(ctx context.Context, ticket string, t bot.TicketTask) (tracker.Ref, error) {
	key, err := a.once.task(ctx, a.tasks, ticket, t)
	if err != nil {
		return tracker.Ref{}, err
	}
	return a.tasks.Tick(ctx, key, t)
}

// Turn is the state that a task has to be brought to, if any: one that is begun
// is as open as one that is not.
func Turn(now bot.TicketState, done bool) (to bot.TicketState, turn bool) {
	if done {
		return bot.TicketDone, now != bot.TicketDone
	}
	return bot.TicketTodo, now == bot.TicketDone
}

// task is the key of the task, which is made where there is none. What was noted of
// an old one may have been dropped for newer ones: then only its incident and the
// tracker's search still know it.
func (o *Once) task(ctx context.Context, to Tasker, ticket string, t bot.TicketTask) (string, error) {
	if t.Key != "" {
		return o.Follow(ctx, t.Key, t.Marker)
	}
	in, err := o.find(ctx, t.Marker)
	if err != nil {
		return "", err
	}
	if in.Rev == 0 {
		found, err := o.Maker.Marked(ctx, t.Marker)
		if err == nil && len(found) > 0 {
			err = o.adopt(ctx, in, found)
		}
		if err != nil {
			return "", err
		}
	}
	relater, relates := to.(Relater)
	if in.Key == "" {
		if relates {
			in.Link = ticket
		}
		if err := o.attempt(ctx, in, func() (string, error) { return to.CreateTask(ctx, ticket, t) }); err != nil {
			return "", err
		}
	}
	if relates && in.Link != "" {
		if err := o.relate(ctx, relater, in); err != nil {
			return "", err
		}
	}
	return in.Key, o.close(ctx, in)
}

// relate links a task to its ticket. Whoever is interrupted does it again.
func (o *Once) relate(ctx context.Context, to Relater, in *intent) error {
	failpoint.Hit("tracker.task.made")
	err := to.Relate(ctx, in.Key, in.Link)
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden:
		o.Log.Error("a follow-up could not be linked to its ticket; its text names the incident", "tracker", o.Name, "task", in.Key, "ticket", in.Link, "error", err)
	default:
		if err != nil {
			return err
		}
	}
	in.Link = ""
	return o.note(ctx, in)
}
