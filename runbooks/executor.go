package runbooks

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Executor carries out one kind of step. It returns soon after the context ends
// or the step's timeout is over, and leaves nothing running. Its result may hold
// secrets and control characters; the [Runner] takes them out.
type Executor interface {
	Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult
}

// Env is what a step is part of. Commands get it as RB_ variables, HTTP requests
// as headers, so that the other side can recognise a repetition.
type Env struct {
	Execution string // "INC-42/1"; "" for a check
	Incident  incidents.ID
	Runbook   string
}

// failed makes the result of a step that could not be asked or carried out.
func failed(step incidents.Step, because incidents.Reason, message string) incidents.StepResult {
	return incidents.StepResult{Step: step.ID, Title: step.Title, Error: message}
}
