package runbooks

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Executor carries out one kind of step. It returns soon after the context ends
// and leaves nothing running. Its result may hold secrets and control
// characters; the [Runner] takes them out.
type Executor interface {
	Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult
}

// Env is what a step is part of. Commands get it as RB_ variables, HTTP requests
// as headers, so that the other side can recognise a repetition.
type Env struct {
	Execution string // the run, "INC-42/1"; "" for a check
	Incident  incidents.ID
	Runbook   string
}

// failed is the result of a step that could not be carried out to its end.
func failed(err error) incidents.StepResult {
	r := incidents.StepResult{Error: err.Error()}
	if e, ok := errors.AsType[*incidents.Error](err); ok {
		r.Because = incidents.Reason{Phrase: e.Phrase, Args: e.Args}
	}
	return r
}

// badStep: a plan holds something that no runbook of ours puts there.
func badStep(err error) error {
	return incidents.Fail(incidents.Invalid, "runbook.bad_step", "the step cannot be understood: "+err.Error(), "error", err.Error())
}

// stopped says why a step was ended before its time.
func stopped(ctx context.Context, step incidents.Step) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errStepTime):
		return incidents.Fail(incidents.Unavailable, "runbook.timeout",
			fmt.Sprintf("not finished within %s", step.Timeout), "within", step.Timeout.String())
	case errors.Is(cause, errAllTime), errors.Is(cause, context.DeadlineExceeded):
		return incidents.Fail(incidents.Unavailable, "runbook.no_time", "there was no time left for it")
	default:
		return incidents.Fail(incidents.Unavailable, "runbook.interrupted", "interrupted, because Hikeshi is stopping")
	}
}

// Causes of the end of a context.
var (
	errStepTime = errors.New("the step's timeout")
	errAllTime  = errors.New("the time for all checks together")
)

// newExecutors makes the executors of all kinds of steps.
func newExecutors(o RunnerOptions) (map[string]Executor, error) {
	g, err := newGate(o)
	if err != nil {
		return nil, err
	}
	prom, err := newPromQL(o)
	if err != nil {
		return nil, err
	}
	all := map[string]Executor{
		KindCommand: newCommand(o),
		KindHTTP:    &HTTP{gate: g, client: g.client()},
		KindPromQL:  prom,
	}
	maps.Copy(all, o.Executors)
	return all, nil
}
