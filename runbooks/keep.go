package runbooks

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Keep keeps all that a run's step said, without its secrets.
type Keep func(ctx context.Context, run, step, text string) error

// keepTime bounds the keeping: the steps that follow do not wait for a store that is away.
const keepTime = 5 * time.Second

// kept carries out a step of a run. Where it said more than is shown, all of it is kept,
// also of a step that failed or was cut off. That it could not be kept stops no remedy, and
// is said.
func (r *Runner) kept(ctx context.Context, execution string, step incidents.Step, env steps.Env) incidents.StepResult {
	began := time.Now()
	raw := r.repeat(ctx, r.runs, step, env)
	result := r.clean(step, raw, began)
	if r.keep == nil || len(raw.Output) <= maxShown {
		return result
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := r.keep(ctx, execution, step.ID, r.redact.Clean(raw.Output)); err != nil {
		r.log.Warn("an output was not kept", "run", execution, "step", step.ID, "error", err)
		if result.Because.Phrase == "" {
			result.Because = incidents.Because("runbook.not_kept")
		}
	}
	return result
}
