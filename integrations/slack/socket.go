package slack

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"sync"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// sockets is how many are open at once. Slack closes each every few hours and
// lets an app have ten; each event goes to one of them, so that with two there
// is no moment without any.
const sockets = 2

// The waits before a socket that ended for good is opened again: its token was
// revoked, say, and may be replaced.
var errNoSocket = errors.New("the socket ended")

const (
	firstWait = time.Second
	lastWait  = time.Minute
	ackSend   = 5 * time.Second
)

// keepSocket keeps one socket open until ctx ends. The library opens it again
// by itself after whatever it thinks is passing; this is for the rest.
func (c *Chat) keepSocket(ctx context.Context) {
	wait := firstWait
	for ctx.Err() == nil {
		began := c.now()
		err := c.socket(ctx)
		if ctx.Err() != nil {
			return
		}
		if c.now().Sub(began) > lastWait {
			wait = firstWait
		}
		c.log.WarnContext(ctx, "slack: a socket ended; it is opened again", "in", wait.String(), "error", explain(connectionsOpen, cmp.Or(err, errNoSocket)))
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, lastWait)
	}
}

// socket runs one until it ends for good. Its events are drained to the end:
// the library stands still otherwise.
func (c *Chat) socket(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	s := socketmode.New(c.api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ended := make(chan error, 1)
	var works sync.WaitGroup
	defer func() { cancel(); works.Wait() }()
	works.Go(func() { ended <- s.RunContext(ctx) })
	for {
		select {
		case err := <-ended:
			return err
		case e := <-s.Events:
			c.socketEvent(ctx, s, &e, &works)
		}
	}
}

func (c *Chat) socketEvent(ctx context.Context, s *socketmode.Client, e *socketmode.Event, works *sync.WaitGroup) {
	switch e.Type {
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
		if e.Request == nil {
			return
		}
		h := happening{kind: kind(e.Request.Type), payload: e.Request.Payload, retry: e.Request.RetryAttempt}
		id := e.Request.EnvelopeID
		works.Go(func() { c.acknowledge(ctx, s, id, h) })
	case socketmode.EventTypeConnectionError:
		if f, ok := e.Data.(*api.ConnectionErrorEvent); ok && ctx.Err() == nil {
			c.log.WarnContext(ctx, "slack: could not open a socket", "error", explain(connectionsOpen, f.ErrorObj))
		}
	case socketmode.EventTypeIncomingError, socketmode.EventTypeErrorBadMessage:
		c.log.DebugContext(ctx, "slack: a socket brought something unreadable or ended", "type", string(e.Type))
	case socketmode.EventTypeConnected:
		c.log.InfoContext(ctx, "slack: a socket is open")
	}
}

// acknowledge carries out what a socket brought and says so. Without the
// acknowledgement Slack brings it again, perhaps over the other socket.
func (c *Chat) acknowledge(ctx context.Context, s *socketmode.Client, envelope string, h happening) {
	ack, err := c.within(ctx, h)
	if err != nil {
		c.log.WarnContext(ctx, "slack: what a socket brought is left to come again", "kind", string(h.kind), "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ackSend)
	defer cancel()
	if err := s.AckCtx(ctx, envelope, ack); err != nil {
		c.log.WarnContext(ctx, "slack: could not acknowledge what a socket brought", "kind", string(h.kind), "error", err)
	}
}
