package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Rooms brings the incident's room in one chat up to date and returns it as it
// is then, unchanged where nothing was due. It must be idempotent: after a
// crash it is called again with the same incident.
type Rooms interface {
	Sync(ctx context.Context, s *incidents.Incident, events []incidents.Event) (incidents.Room, error)
}

// Ranker ranks the next actions; the reason says why there is none.
type Ranker interface {
	Rank(ctx context.Context, s *incidents.Incident) ([]incidents.Suggestion, incidents.Reason, error)
}

// Runner carries out approved plans.
type Runner interface {
	// Run does what the plan says, once. before is what its verify steps said
	// beforehand.
	Run(ctx context.Context, p incidents.Plan, execution string) (before, steps []incidents.StepResult)
	// Look runs the plan's verify steps, which change nothing.
	Look(ctx context.Context, p incidents.Plan, execution string) []incidents.StepResult
}

// Tickets brings the incident's ticket in one tracker up to date, opening it if
// there is none, and returns it as it is then. It must be idempotent, as Rooms.
type Tickets interface {
	Sync(ctx context.Context, s *incidents.Incident, events []incidents.Event) (incidents.Ticket, error)
}

// Ports are the ways out. Rooms has one entry for each chat of the policy,
// Tickets one for each tracker.
type Ports struct {
	Rooms    map[string]Rooms
	Tickets  map[string]Tickets
	Diagnose Diagnoser
	Rank     Ranker
	Run      Runner
	Trust    Trust // nil: nothing is trusted to run by itself
}

// carry does what the effect says and commits what came of it. A nil error
// means that the effect is acknowledged.
func (w *Worker) carry(ctx context.Context, c *incidents.Claim) error {
	h, err := w.borrow(ctx, &c.Effect)
	if err != nil {
		return err
	}
	s := h.Incident
	switch c.Effect.Kind {
	case incidents.DoSyncRoom:
		return w.syncRoom(ctx, c, h)
	case incidents.DoSyncTicket:
		return w.syncTicket(ctx, c, h)
	case incidents.DoArchive:
		return w.archive(ctx, c, h)
	case incidents.DoDiagnose:
		return w.diagnose(ctx, c, h)
	case incidents.DoRank:
		return w.rank(ctx, c, h)
	case incidents.DoAutomate:
		return w.automate(ctx, c, s)
	case incidents.DoJudge:
		return w.judge(ctx, c, s)
	case incidents.DoRun:
		return w.run(ctx, c, s)
	case incidents.DoLook:
		r := s.Run(c.Effect.Arg)
		if r == nil || r.State != incidents.RunVerifying {
			return w.ack(ctx, c)
		}
		defer w.keepLease(ctx, c)()
		return w.look(ctx, c, s, r)
	case incidents.DoTimer:
		if until := w.lapseFrom(); c.Effect.Arg == string(incidents.TimerAlerts) && w.now().Before(until) {
			return w.queue.Retry(ctx, c, until, "senders get time to repeat their alerts")
		}
		if c.Effect.Arg == string(incidents.TimerAlerts) {
			waits, err := w.folder.unfolded(ctx, heardBy(c))
			if err != nil {
				return err
			}
			if waits {
				return w.queue.Retry(ctx, c, w.now().Add(lapseRetry), "what was reported before is not folded yet")
			}
		}
		return w.finishFrom(ctx, h, c, incidents.Tick{Name: c.Effect.Arg, Policy: w.policy})
	}
	return incidents.Fail(incidents.Invalid, "error.effect", "no such kind of effect: "+string(c.Effect.Kind), "kind", string(c.Effect.Kind))
}

// borrow gets the incident of an effect as it is now, to be changed by whatever
// comes of the effect.
func (w *Worker) borrow(ctx context.Context, f *incidents.Effect) (*shelved, error) {
	h := w.engine.shelf.takeSmall(f.Incident)
	if h == nil {
		return w.engine.fresh(ctx, f.Incident)
	}
	newer, err := w.store.LoadMany(ctx, []incidents.Ref{{ID: h.ID, Shard: h.Shard, Known: h.Version}})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", h.ID, err)
	}
	if newer[0] != nil {
		return &shelved{Incident: newer[0]}, nil
	}
	return h, nil
}

// lapseRetry is when it is looked again whether what was reported is folded.
const lapseRetry = time.Second

// heardBy is until when reports count for the timer of alerts that lapse: until
// it was due, and when it is looked at again, until it was looked at before.
func heardBy(c *incidents.Claim) time.Time {
	if c.Attempt > 1 {
		return c.Effect.Due.Add(-lapseRetry)
	}
	return c.Effect.Due
}

// lapseGrace is how long after a start, or after trouble with the store, no
// alert lapses: meanwhile nobody could repeat them, or nobody folded what was
// repeated. Prometheus repeats every minute (--rules.alert.resend-delay).
const lapseGrace = 2 * time.Minute

// lapseFrom is when alerts may lapse again.
func (w *Worker) lapseFrom() time.Time {
	return time.Unix(0, w.trouble.Load()).Add(lapseGrace)
}

// commitTime bounds the commit of an outcome. It has a time of its own, so that
// an outcome that took all of its effect's time can still be told.
const commitTime = 10 * time.Second

// finish commits what came of an effect. Of one that was stopped in its middle
// nothing came.
func (w *Worker) finish(ctx context.Context, c *incidents.Claim, cmd incidents.Command) error {
	return w.finishFrom(ctx, nil, c, cmd)
}

// finishFrom is finish with the state that cmd was made from, which is the
// engine's afterwards; nil where it is somebody else's.
func (w *Worker) finishFrom(ctx context.Context, h *shelved, c *incidents.Claim, cmd incidents.Command) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	failpoint.Hit("worker." + string(c.Effect.Kind) + ".before_finish")
	if failpoint.Planted("ack-first") {
		_, err := w.engine.Do(ctx, c.Effect.Incident, "", cmd)
		return err
	}
	var err error
	if h != nil {
		err = w.engine.finishFrom(ctx, h, c, cmd)
	} else {
		err = w.engine.Finish(ctx, c, cmd)
	}
	failpoint.Hit("worker." + string(c.Effect.Kind) + ".after_finish")
	return err
}

// notePart commits what an effect did before it failed, so that the next try goes on
// from there, and returns why it failed. That its time was over, or that the worker
// stops, undoes nothing of it: what was said was said.
func (w *Worker) notePart(ctx context.Context, id incidents.ID, part incidents.Command, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	if _, err := w.engine.Do(ctx, id, "", part); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

// ack acknowledges an effect that is no longer wanted.
func (w *Worker) ack(ctx context.Context, c *incidents.Claim) error {
	return w.store.Commit(ctx, &incidents.Commit{Shard: c.Effect.Shard, Done: c})
}

// syncEvents is how many events a room sync looks at; more than that are
// folded into one line anyway.
const syncEvents = 500

func (w *Worker) syncRoom(ctx context.Context, c *incidents.Claim, h *shelved) error {
	s := h.Incident
	port, ok := w.ports.Rooms[c.Effect.Arg]
	if !ok { // the chat was taken out of the configuration
		return incidents.Fail(incidents.NotFound, "error.no_chat", "chat "+c.Effect.Arg+" is not configured", "chat", c.Effect.Arg)
	}
	old, had := s.Rooms[c.Effect.Arg]
	events, known := h.after(old.LastSeq)
	if !known {
		var err error
		if events, err = w.store.Events(ctx, s.ID, max(old.LastSeq, s.Version-syncEvents), syncEvents); err != nil {
			return fmt.Errorf("read the events of %s: %w", s.ID, err)
		}
	}
	room, err := port.Sync(ctx, s, events)
	if err != nil {
		if room.ID != "" && !sameRoom(old, room) { // part of it stands: the next try goes on from there
			err = w.notePart(ctx, s.ID, incidents.RoomSynced{Chat: c.Effect.Arg, Room: room}, err)
		}
		return err
	}
	failpoint.Hit("worker.room.synced")
	if had && sameRoom(old, room) {
		w.engine.shelf.put(h)
		return w.ack(ctx, c)
	}
	return w.finishFrom(ctx, h, c, incidents.RoomSynced{Chat: c.Effect.Arg, Room: room})
}

// archiver is Rooms of a chat that puts rooms away.
type archiver interface {
	Archive(ctx context.Context, room incidents.Room) (did bool, err error)
}

// archive puts a room away once: that it was done is an event of the incident.
func (w *Worker) archive(ctx context.Context, c *incidents.Claim, h *shelved) error {
	room, has := h.Rooms[c.Effect.Arg]
	port, can := w.ports.Rooms[c.Effect.Arg].(archiver)
	if !has || !can || room.Row != 0 || !room.ArchivedAt.IsZero() || h.Status() != incidents.Closed {
		return w.ack(ctx, c)
	}
	did, err := port.Archive(ctx, room)
	if err != nil {
		return fmt.Errorf("archive the room of %s in %s: %w", h.ID, c.Effect.Arg, err)
	}
	if !did {
		return w.ack(ctx, c)
	}
	return w.finishFrom(ctx, h, c, incidents.RoomArchived{Chat: c.Effect.Arg})
}

func sameRoom(a, b incidents.Room) bool {
	if a.Row != b.Row || a.Wanted != b.Wanted || a.ID != b.ID || a.Name != b.Name || a.URL != b.URL || a.LastSeq != b.LastSeq || len(a.Posted) != len(b.Posted) {
		return false
	}
	for key, p := range a.Posted {
		if b.Posted[key] != p {
			return false
		}
	}
	return true
}

// keepLease extends the claim until the function that it returns is called. A
// store that is away for a while does not stop what is running.
func (w *Worker) keepLease(ctx context.Context, c *incidents.Claim) (stop func()) {
	return w.keepLeaseOr(ctx, c, func() {})
}

// keepLeaseOr is keepLease that calls lost when somebody else has the claim: they
// have told people that nobody knows how far it got, so nothing more may begin.
func (w *Worker) keepLeaseOr(ctx context.Context, c *incidents.Claim, lost func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(w.lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				err := w.queue.Extend(ctx, c, w.lease)
				if err == nil || ctx.Err() != nil {
					continue
				}
				w.complain("extend a claim", err, "effect", c.Effect.Key)
				if errors.Is(err, incidents.ErrClaimLost) {
					lost()
					return
				}
			}
		}
	}()
	return func() { cancel(); <-stopped }
}
