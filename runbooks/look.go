package runbooks

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Looks are the checks of a runbook that changes nothing, with the given values,
// without an incident. A runbook that recovers is refused.
func (rb *Runbook) Looks(given map[string]string) ([]incidents.Step, error) {
	if rb.Changes() {
		return nil, incidents.Fail(incidents.Invalid, "runbook.changes", "runbook "+rb.ID+" changes something; only those that look run by themselves", "runbook", rb.ID)
	}
	values, err := rb.resolve(&incidents.Incident{}, given)
	if err != nil {
		return nil, err
	}
	return rb.steps(rb.Check, values)
}

// Check carries out the checks of a runbook that changes nothing, all at the same
// time.
func (r *Runner) Check(ctx context.Context, id string, given map[string]string) ([]incidents.StepResult, error) {
	rb := r.library.Get(id)
	if rb == nil {
		return nil, incidents.Fail(incidents.NotFound, "error.no_runbook", "there is no runbook "+id, "runbook", id)
	}
	looks, err := rb.Looks(given)
	if err != nil {
		return nil, err
	}
	return r.lookAt(ctx, r.checks, looks, incidents.Plan{Runbook: rb.ID}), nil
}
