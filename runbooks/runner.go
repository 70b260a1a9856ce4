package runbooks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Runner carries plans out. It starts nothing by itself and remembers nothing:
// that a plan runs at most once is seen to by its caller (incidents.StartRun).
type Runner struct {
	library   *Library
	executors map[string]Executor
	redact    *Redactor
	now       func() time.Time
	within    time.Duration
	runs      chan struct{} // places for steps of runs
	checks    chan struct{} // places for checks, so that a slow one never holds up a run
}

// RunnerOptions are the parts of a runner.
type RunnerOptions struct {
	Library   *Library            // required
	Executors map[string]Executor // by kind; see NewExecutors
	Redact    *Redactor           // nil: patterns only
	Now       func() time.Time    // nil: time.Now
	Within    time.Duration       // for Diagnose; 0: DiagnoseWithin
}

// NewRunner makes a runner.
func NewRunner(o RunnerOptions) *Runner {
	r := &Runner{
		library: o.Library, executors: o.Executors, redact: o.Redact, now: o.Now, within: o.Within,
		runs: make(chan struct{}, MaxExecutions), checks: make(chan struct{}, MaxExecutions),
	}
	if r.redact == nil {
		r.redact = NewRedactor()
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.within == 0 {
		r.within = DiagnoseWithin
	}
	return r
}

// Run looks with the verify steps (before), and then carries out the recover
// steps in order until one fails. A plan that is not sealed, or whose runbook is
// no longer the one that it was made from, is not run: its steps are then one
// failed result that says so.
func (r *Runner) Run(ctx context.Context, plan incidents.Plan, execution string) (before, steps []incidents.StepResult) {
	if refused := r.refuse(plan); refused != nil {
		return nil, []incidents.StepResult{*refused}
	}
	before = r.Look(ctx, plan)
	env := Env{Execution: execution, Incident: plan.Incident, Runbook: plan.Runbook}
	for _, step := range plan.Recover {
		result := r.execute(ctx, r.runs, step, env)
		steps = append(steps, result)
		if !result.OK {
			break
		}
	}
	return before, steps
}

func (r *Runner) refuse(plan incidents.Plan) *incidents.StepResult {
	step := incidents.Step{ID: "plan", Title: plan.Title}
	if !plan.Sealed() || len(plan.Recover) == 0 {
		res := failed(step, incidents.Reason{Phrase: "because.plan_changed"}, "the plan is not the one that was sealed")
		return &res
	}
	if rb := r.library.Get(plan.Runbook); rb == nil || rb.Digest != plan.RunbookDigest {
		res := failed(step, incidents.Because("runbook.changed", "runbook", plan.Runbook),
			fmt.Sprintf("runbook %s has changed since this plan was made", plan.Runbook))
		return &res
	}
	return nil
}

// Look carries out the verify steps once, all at the same time.
func (r *Runner) Look(ctx context.Context, plan incidents.Plan) []incidents.StepResult {
	env := Env{Incident: plan.Incident, Runbook: plan.Runbook}
	results := make([]incidents.StepResult, len(plan.Verify.Steps))
	var all sync.WaitGroup
	for i, step := range plan.Verify.Steps {
		all.Go(func() { results[i] = r.execute(ctx, r.checks, step, env) })
	}
	all.Wait()
	return results
}

// execute waits for a place, carries the step out within its timeout and cleans
// what came of it.
func (r *Runner) execute(ctx context.Context, places chan struct{}, step incidents.Step, env Env) incidents.StepResult {
	began := time.Now()
	result := r.carryOut(ctx, places, step, env)
	result.Step, result.Title, result.Elapsed = step.ID, step.Title, time.Since(began)
	result.Value = cutLine(r.redact.Clean(result.Value), maxLine)
	result.Error = cutLine(r.redact.Clean(result.Error), maxLine)
	result.Output = headAndTail(r.redact.Clean(result.Output), maxShown)
	return result
}

func (r *Runner) carryOut(ctx context.Context, places chan struct{}, step incidents.Step, env Env) (result incidents.StepResult) {
	executor := r.executors[step.Kind]
	if executor == nil {
		return failed(step, incidents.Because("runbook.no_executor", "kind", step.Kind), "nothing here can carry out a step of kind "+step.Kind)
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		return failed(step, incidents.Reason{Phrase: "runbook.no_place"}, "there was no time left for it: too many others were under way")
	}
	timeout := step.Timeout
	if timeout <= 0 || timeout > MaxTimeout {
		timeout = MaxTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return executor.Execute(ctx, step, env)
}
