package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Brake is one thing that can keep an approved run from starting.
type Brake struct {
	Name  string // for the log and the audit
	Looks bool   // it is asked before each look of a verification too
	// Ask says why the run must not start; the zero Reason: it may. With an error
	// nobody knows, which stops it too, and the Reason says what nobody knows.
	Ask func(ctx context.Context, s *incidents.Incident, r *incidents.Run) (incidents.Reason, error)
}

// Gate is what every run passes, whoever approved it: the brakes, in this order,
// each of which can stop it. It is asked before the claim, so that what must not
// run is not claimed; after the claim, because a brake may have been pulled
// meanwhile; and once more by whoever lets time pass before the first step. A new
// reason not to run is a new brake, and nothing else.
type Gate []Brake

// Refusal is that a run must not start.
type Refusal struct {
	Brake   string
	Because incidents.Reason
	Unsure  error // set where nobody knows whether it may
}

var errNoGate = errors.New("there is no gate that a run could pass")

// Looks are the brakes that are asked before a look: it changes nothing, but it too
// does what the store says.
func (g Gate) Looks() Gate {
	return slices.DeleteFunc(slices.Clone(g), func(b Brake) bool { return !b.Looks })
}

// Refuses asks the brakes until one holds. nil: the run may start.
func (g Gate) Refuses(ctx context.Context, s *incidents.Incident, r *incidents.Run) *Refusal {
	if len(g) == 0 {
		return &Refusal{Because: incidents.Because("because.gate_unknown"), Unsure: errNoGate}
	}
	for _, b := range g {
		because, err := b.Ask(ctx, s, r)
		if err != nil && because.Phrase == "" {
			because = incidents.Because("because.gate_unknown")
		}
		if because.Phrase != "" {
			return &Refusal{Brake: b.Name, Because: because, Unsure: err}
		}
	}
	return nil
}

// Approved stops what was not approved as it is, by as many as must, or too long ago.
func Approved(now func() time.Time) Brake {
	return Brake{Name: "approval", Ask: func(_ context.Context, s *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
		return s.MayStart(r, now()), nil
	}}
}

// Brake stops everything while it is frozen, and while nobody can say whether it is.
func (f *Freezer) Brake() Brake {
	return Brake{Name: "freeze", Ask: func(ctx context.Context, _ *incidents.Incident, _ *incidents.Run) (incidents.Reason, error) {
		frozen, err := f.Holding(ctx)
		switch {
		case err != nil:
			return incidents.Because("because.freeze_unknown"), err
		case frozen != nil:
			return frozen.Because(), nil
		}
		return incidents.Reason{}, nil
	}}
}

// stopped tells of a run that the gate refused.
func (w *Worker) stopped(ctx context.Context, s *incidents.Incident, r *incidents.Run, no *Refusal) {
	if no.Unsure != nil {
		w.warn("ask whether a run may start", no.Unsure, "brake", no.Brake, "run", r.ID)
	}
	w.logger.Warn("a run was refused", "run", r.ID, "brake", no.Brake, "because", no.Because.Phrase)
	if w.refused != nil {
		w.refused(ctx, s, r, no)
	}
}
