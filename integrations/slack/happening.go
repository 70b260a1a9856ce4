package slack

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What comes in is carried out before it is acknowledged, where that takes less
// than ackTime. What takes longer goes on; then
//
//   - an event is not acknowledged: Slack delivers it again, three times within
//     minutes, and Request.Once finds that it was done. An acknowledged event
//     is therefore one whose effect is durable;
//   - a command, a press or a modal is, because Slack shows the person an error
//     otherwise and never sends it again. That acknowledgement says only that
//     it arrived: what became of it is what the room, or a private answer,
//     shows. Of a process that dies in between, neither does, and pressing
//     again is safe.

const (
	ackTime  = 2400 * time.Millisecond // of Slack's three seconds
	workTime = time.Minute             // for one happening, its answer included
)

// kind is what came in, in the words of Socket Mode's envelopes.
type kind string

const (
	kindEvent   kind = "events_api"
	kindPress   kind = "interactive"
	kindCommand kind = "slash_commands"
)

// happening is one thing that came in, over whichever way.
type happening struct {
	kind    kind
	payload []byte // JSON
	retry   int    // how many deliveries of it failed before
}

// lastRetry is Slack's last attempt to deliver an event.
const lastRetry = 3

// outcome is what became of it.
type outcome struct {
	ack  any                       // what the acknowledgement carries; nil: nothing
	then func(ctx context.Context) // what may follow the acknowledgement; nil: nothing
}

var (
	errBusy    = errors.New("too much is under way")
	errTooSlow = errors.New("it is still under way")
)

// within carries something out, for at most ackTime as far as the caller is
// concerned. Its error says that it must come again.
func (c *Chat) within(ctx context.Context, h happening) (ack any, err error) {
	select {
	case c.works <- struct{}{}:
	default:
		return nil, errBusy
	}
	type result struct {
		ack any
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-c.works }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime)
		defer cancel()
		out, err := c.guarded(ctx, h)
		done <- result{out.ack, err}
		if out.then != nil {
			defer c.caught(ctx, h.kind)
			out.then(ctx)
		}
	}()
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.ack, r.err
	case <-timer.C:
		if h.kind == kindEvent {
			return nil, errTooSlow
		}
		return nil, nil
	}
}

// guarded keeps what came from outside from taking the process down.
func (c *Chat) guarded(ctx context.Context, h happening) (out outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked(ctx, h.kind, p)
			out, err = outcome{}, nil // it would panic again
		}
	}()
	switch h.kind {
	case kindEvent:
		return c.event(ctx, h)
	case kindPress:
		return c.interaction(ctx, h)
	case kindCommand:
		return c.command(ctx, h)
	}
	return outcome{}, nil
}

// caught is deferred around what follows an acknowledgement.
func (c *Chat) caught(ctx context.Context, k kind) {
	if p := recover(); p != nil {
		c.panicked(ctx, k, p)
	}
}

func (c *Chat) panicked(ctx context.Context, k kind, p any) {
	c.tally.Panics.Add(1)
	c.log.ErrorContext(ctx, "slack: a happening panicked", "kind", string(k), "panic", p, "stack", string(debug.Stack()))
}

// read decodes a payload; what does not decode is dropped and said.
func (c *Chat) read(ctx context.Context, h happening, into any) bool {
	if err := json.Unmarshal(h.payload, into); err != nil {
		c.log.WarnContext(ctx, "slack: could not read what came in", "kind", string(h.kind), "error", err)
		return false
	}
	return true
}

// ours says whether it is from our workspace and for our app. Another one's is
// not answered.
func (c *Chat) ours(ctx context.Context, team, app string) bool {
	if team == c.config.Team && app == c.config.App {
		return true
	}
	c.log.WarnContext(ctx, "slack: refused what is from another workspace or for another app", "team", clip(team), "app", clip(app))
	return false
}

// passing says that trying again may help.
func passing(err error) bool {
	switch incidents.CodeOf(err) {
	case incidents.Unavailable, incidents.Overloaded, incidents.Internal:
		return true
	}
	return false
}
