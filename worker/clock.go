package worker

import (
	"context"
	"errors"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Clock says why the clock of this machine cannot be relied on; the zero Reason: it can.
type Clock func() incidents.Reason

// clockRetry is how soon what a machine with a wrong clock may not begin is offered
// again, so that one whose clock is right finds it.
const clockRetry = 2 * time.Second

// clockTries is how often a start by itself is offered before it is taken that no
// machine's clock is right, which the room is told.
const clockTries = 10

var errClockOff = errors.New("the clock here cannot be relied on")

// Brake keeps every run from starting on a machine whose clock is wrong. That says
// nothing of the run, whose approval stands: it waits for another machine.
func (c Clock) Brake() Brake {
	return Brake{Name: "clock", Ask: func(context.Context, *incidents.Incident, *incidents.Run) (incidents.Reason, error) {
		return c.why(), c.waits()
	}}
}

// waits is why something must wait for a machine whose clock is right; nil: it need not.
func (c Clock) waits() error {
	if c.why().Phrase == "" {
		return nil
	}
	return &incidents.Later{After: clockRetry, Err: errClockOff, Alone: true}
}

// refusal is the same of an approval; nil: it may be given.
func (c Clock) refusal() error {
	because := c.why()
	if because.Phrase == "" {
		return nil
	}
	return &incidents.Error{Code: incidents.Conflict, Message: "the clock here is " + because.Args["by"] + " from the store's, so nothing is approved", Phrase: because.Phrase, Args: because.Args}
}

func (c Clock) why() incidents.Reason {
	if c == nil {
		return incidents.Reason{}
	}
	return c()
}
