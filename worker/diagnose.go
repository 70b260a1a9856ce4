package worker

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Diagnoser investigates an incident without changing anything: the checks that
// fit it, and what other sources know.
type Diagnoser interface {
	// Diagnose may tell what is there so far, before it returns all of it.
	Diagnose(ctx context.Context, s *incidents.Incident, sofar func(incidents.Diagnosed)) incidents.Diagnosed
}

// diagnose tells what is there so far, where that is worth it, and then all. That
// a part could not be told delays nobody: the whole comes anyway.
func (w *Worker) diagnose(ctx context.Context, c *incidents.Claim, h *shelved) error {
	base := h
	found := w.ports.Diagnose.Diagnose(ctx, h.Incident, func(part incidents.Diagnosed) {
		part.Partly, base = true, nil
		if _, err := w.engine.Do(ctx, c.Effect.Incident, "", part); err != nil {
			w.warn("tell a part of the investigation", err, "incident", c.Effect.Incident)
		}
	})
	return w.finishFrom(ctx, base, c, found)
}
