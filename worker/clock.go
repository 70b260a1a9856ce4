package worker

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Clock says why the clock of this machine cannot be relied on; the zero Reason: it can.
type Clock func() incidents.Reason

// Brake stops every run while the clock is wrong.
func (c Clock) Brake() Brake {
	return Brake{Name: "clock", Ask: func(context.Context, *incidents.Incident, *incidents.Run) (incidents.Reason, error) {
		return c.why(), nil
	}}
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
