package bot

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// An edit that a chat has not answered may be made by it later, when the run's outcome
// stands there already. Nothing would ever edit the message again, since what was
// written down of it is the outcome's; so the outcome is sent once more.

// Paces of that.
const (
	// rightAfter is when it is sent again, after the run's end: later than a chat carries
	// out what it has taken. Each try that fails is followed by one after twice as long.
	rightAfter  = 20 * time.Second
	rightTries  = 6 // the last 21 minutes after
	rightWithin = 10 * time.Second
)

// putRightLater does not wait. A process that ends meanwhile leaves the message as it is.
func (l *Live) putRightLater(c *liveChat, id incidents.ID, run string, try int) {
	time.AfterFunc(rightAfter<<(try-1), func() {
		ctx := l.app // the run is over, and its context with it
		if ctx.Err() != nil {
			return // so is the store
		}
		defer func() {
			if p := recover(); p != nil {
				l.log.ErrorContext(ctx, "showing a run's outcome again panicked", "chat", c.name, "run", run, "panic", p, "stack", string(debug.Stack()))
			}
		}()
		if !l.putRight(ctx, c, id, run) && try < rightTries {
			l.putRightLater(c, id, run, try+1)
		}
	})
}

// putRight edits the run's message to what it says now, and once more where that has
// changed meanwhile: a sync may have been faster. It is false where it must be tried again.
func (l *Live) putRight(ctx context.Context, c *liveChat, id incidents.ID, run string) bool {
	ctx, cancel := context.WithTimeout(ctx, rightWithin)
	defer cancel()
	for shown := ""; ; {
		s, err := l.incidents.Load(ctx, id)
		if err != nil || s == nil {
			return false
		}
		r, room := s.Run(run), s.Rooms[c.name]
		if r == nil {
			return true
		}
		posted, stands := room.Posted[runKey(run)]
		if !stands || room.Row != 0 {
			return true
		}
		if r.State == incidents.RunRunning {
			return false
		}
		m := l.message(c, s, func(v *view) Message { return v.run(r) })
		if m.hash() == shown {
			return true
		}
		if !c.put(ctx, room, run, m, posted) {
			return false
		}
		shown = m.hash()
	}
}

// put makes one edit in the chat's turn, as what is shown while a run goes.
func (c *liveChat) put(ctx context.Context, room incidents.Room, run string, m LocalMessage, posted incidents.Posted) bool {
	if !c.wait(ctx) {
		return false
	}
	defer c.rest()
	_, err := c.poster.Post(ctx, room, runKey(run), m, posted)
	return err == nil
}
