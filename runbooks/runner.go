package runbooks

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Times and sizes of executions.
const (
	DiagnoseWithin = 10 * time.Second // for all checks together; then what is not there is missing
	MaxExecutions  = 8                // steps of runs at once; as many checks again, and as many looks of runs
	maxShown       = 1000             // bytes of an output, both its ends: as many as a card shows whole
	maxLine        = 160              // bytes of a result's one line
)

// Runner carries plans out. It starts nothing by itself and remembers nothing:
// that a plan runs at most once is seen to by its caller (incidents.StartRun).
type Runner struct {
	library   *Library
	executors map[string]steps.Executor
	redact    *steps.Redactor
	log       *slog.Logger
	now       func() time.Time
	within    time.Duration
	notes     Notes
	keep      Keep
	follow    Follow
	still     func(ctx context.Context, plan incidents.Plan, run string) error
	runs      chan struct{} // places for steps of runs
	checks    chan struct{} // places for checks, so that slow ones never hold up a run
	looks     chan struct{} // places for what a run looks at before and after, which is no more to be held up
}

// RunnerOptions are the parts of a runner. Only Library and Executors are required.
type RunnerOptions struct {
	Library   *Library
	Executors map[string]steps.Executor // by kind of step, all that there are: what is not among them is not carried out
	Secrets   []string                  // struck out of all output

	Logger *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now
	Keep   Keep             // nil: outputs are kept as far as they are shown
	Notes  Notes            // nil: what runs note stands in their results only
	Follow Follow           // nil: nobody sees how a run goes before its end
	// Still is asked between a run's first look and its first step: an error is why it must
	// not begin after all. nil: nothing stops it there.
	Still  func(ctx context.Context, plan incidents.Plan, run string) error
	Within time.Duration // for Diagnose; 0: DiagnoseWithin
}

// NewRunner makes a runner. It makes no executors: whoever does has said what they may
// reach.
func NewRunner(o RunnerOptions) *Runner {
	r := &Runner{
		library: o.Library, executors: o.Executors, redact: steps.NewRedactor(o.Secrets...), log: o.Logger, now: o.Now, within: o.Within,
		notes: o.Notes, keep: o.Keep, follow: o.Follow, still: o.Still,
		runs: make(chan struct{}, MaxExecutions), checks: make(chan struct{}, MaxExecutions), looks: make(chan struct{}, MaxExecutions),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
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
// steps in order until one fails. A plan that is not sealed, whose runbook is no
// longer the one that it was made from, or whose checks now lead to another
// branch, is not run: done is then one failed result that says so.
func (r *Runner) Run(ctx context.Context, plan incidents.Plan, execution string) (before, done []incidents.StepResult) {
	if err := r.refuse(ctx, plan); err != nil {
		return nil, []incidents.StepResult{r.refused(plan, execution, err)}
	}
	before = r.Look(ctx, plan, execution)
	if r.still != nil { // looking took a while
		if err := r.still(ctx, plan, execution); err != nil {
			return before, []incidents.StepResult{r.refused(plan, execution, err)}
		}
	}
	going, over := r.followed(ctx, plan, execution)
	defer over()
	env := steps.Env{Execution: execution, Incident: plan.Incident, Runbook: plan.Runbook}
	var short []incidents.StepResult
	for _, step := range plan.Recover {
		if step.Kind == KindNote {
			done = append(done, r.note(ctx, step, plan, execution, done))
			going.moves(done, incidents.Step{})
			continue
		}
		env.Live = going.moves(done, step)
		result, whole := r.kept(ctx, execution, step, env)
		if whole {
			short = append(short, result)
		}
		r.log.Info("step done", "run", execution, "runbook", plan.Runbook, "step", step.ID, "kind", step.Kind,
			"ok", result.OK, "value", result.Value, "error", result.Error, "elapsed", result.Elapsed)
		done = append(done, result)
		if !result.OK {
			break
		}
	}
	r.keepShort(ctx, execution, short)
	return before, done
}

func (r *Runner) refused(plan incidents.Plan, execution string, err error) incidents.StepResult {
	r.log.Warn("a plan was refused", "run", execution, "runbook", plan.Runbook, "error", err)
	refused := steps.Failed(err)
	refused.Step, refused.Title = "plan", plan.Title
	return refused
}

func (r *Runner) refuse(ctx context.Context, plan incidents.Plan) error {
	if !plan.Sealed() || len(plan.Recover) == 0 || len(plan.Verify.Steps) == 0 {
		return incidents.Fail(incidents.Conflict, "because.plan_changed", "the plan is not the one that was sealed")
	}
	rb := r.library.Get(plan.Runbook)
	if file := r.library.now(plan.Runbook); rb == nil || file == nil || rb.Digest != plan.RunbookDigest || file.Digest != plan.RunbookDigest {
		return r.library.notAsPlanned(plan.Runbook, rb)
	}
	if err := r.library.called(plan); err != nil {
		return err
	}
	if err := r.library.contents(plan); err != nil || plan.Branch == nil {
		return err
	}
	return rb.stands(plan, r.lookAt(ctx, r.looks, plan.Check, plan))
}

// lookAt carries out steps that change nothing, all at the same time.
func (r *Runner) lookAt(ctx context.Context, places chan struct{}, looks []incidents.Step, plan incidents.Plan) []incidents.StepResult {
	env := steps.Env{Incident: plan.Incident, Runbook: plan.Runbook}
	results := make([]incidents.StepResult, len(looks))
	var all sync.WaitGroup
	for i, step := range looks {
		all.Go(func() { results[i] = r.caught(ctx, places, step, env) })
	}
	all.Wait()
	return results
}

// caught is execute for a goroutine of its own: that a look panics is its own trouble,
// not the process's.
func (r *Runner) caught(ctx context.Context, places chan struct{}, step incidents.Step, env steps.Env) (result incidents.StepResult) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("a look panicked", "runbook", env.Runbook, "step", step.ID, "panic", r.redact.Clean(fmt.Sprint(p)), "stack", string(debug.Stack()))
			result = r.clean(step, steps.Failed(fmt.Errorf("panic: %v", p)), began)
		}
	}()
	return r.execute(ctx, places, step, env)
}

// Look carries out the verify steps once, all at the same time. They change
// nothing.
func (r *Runner) Look(ctx context.Context, plan incidents.Plan, _ string) []incidents.StepResult {
	return r.lookAt(ctx, r.looks, plan.Verify.Steps, plan)
}

// execute waits for a place, carries the step out within its timeout and cleans
// what came of it.
func (r *Runner) execute(ctx context.Context, places chan struct{}, step incidents.Step, env steps.Env) incidents.StepResult {
	began := time.Now()
	return r.clean(step, r.repeat(ctx, places, step, env), began)
}

func (r *Runner) clean(step incidents.Step, result incidents.StepResult, began time.Time) incidents.StepResult {
	result.Step, result.Title, result.Elapsed = step.ID, step.Title, time.Since(began)
	result.Value = steps.CutLine(r.redact.Clean(result.Value), maxLine)
	result.Error = steps.CutLine(r.redact.Clean(result.Error), maxLine)
	result.Because = r.cleanReason(result.Because)
	result.Output = r.redact.Excerpt(result.Output, maxShown)
	return result
}

// repeat carries the step out, again and again where its plan says so, until it
// passes. What is told is the last time.
func (r *Runner) repeat(ctx context.Context, places chan struct{}, step incidents.Step, env steps.Env) incidents.StepResult {
	result := r.carryOut(ctx, places, step, env)
	unsure := result.Unsure
	for try := 1; step.Retry != nil && !steps.Starts(step.Kind) && try < min(step.Retry.Times, maxTries) && !result.OK; try++ {
		pause := time.NewTimer(step.Retry.Every)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return result
		}
		result = r.carryOut(ctx, places, step, env)
		unsure = unsure || result.Unsure
	}
	result.Unsure = unsure && !result.OK // an earlier try may have done it all the same
	return result
}

func (r *Runner) cleanReason(because incidents.Reason) incidents.Reason {
	if len(because.Args) == 0 {
		return because
	}
	clean := incidents.Reason{Phrase: because.Phrase, Args: make(map[string]string, len(because.Args))}
	for name, value := range because.Args {
		clean.Args[name] = steps.CutLine(r.redact.Clean(value), maxLine)
	}
	return clean
}

func (r *Runner) carryOut(ctx context.Context, places chan struct{}, step incidents.Step, env steps.Env) incidents.StepResult {
	executor := r.executors[step.Kind]
	if executor == nil {
		return steps.Failed(steps.Bad(fmt.Errorf("nothing here carries out steps of kind %q", step.Kind)))
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-ctx.Done():
		return steps.Failed(steps.Stopped(ctx, step))
	}
	if step.Timeout <= 0 || step.Timeout > MaxTimeout {
		return steps.Failed(steps.Bad(fmt.Errorf("its timeout is %s", step.Timeout)))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, step.Timeout, steps.ErrStepTime)
	defer cancel()
	return executor.Execute(ctx, step, env)
}
