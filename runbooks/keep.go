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
// is said. short: it shows all of what was said, and nothing is kept.
func (r *Runner) kept(ctx context.Context, execution string, step incidents.Step, env steps.Env) (result incidents.StepResult, short bool) {
	began := time.Now()
	raw := r.repeat(ctx, r.runs, step, env)
	result = r.clean(step, raw, began)
	if r.keep == nil || len(raw.Output) <= maxShown {
		return result, true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := r.keep(ctx, execution, step.ID, r.redact.Clean(raw.Output)); err != nil {
		r.log.Warn("an output was not kept", "run", execution, "step", step.ID, "error", err)
		if result.Because.Phrase == "" {
			result.Because = incidents.Because("runbook.not_kept")
		}
	}
	return result, false
}

// keepShort keeps the short outputs too of a run that was told to stop in its middle:
// nobody is told its results, so nothing else would show them.
func (r *Runner) keepShort(ctx context.Context, execution string, short []incidents.StepResult) {
	if r.keep == nil || ctx.Err() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	for i := range short {
		if said := &short[i]; said.Output != "" {
			if err := r.keep(ctx, execution, said.Step, said.Output); err != nil {
				r.log.Warn("an output was not kept", "run", execution, "step", said.Step, "error", err)
			}
		}
	}
}
