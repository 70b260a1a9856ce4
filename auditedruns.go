package main

import (
	"context"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// newRunner makes the runbooks' runner, each of whose executors records what it
// does for a run.
func (a *app) newRunner(notes runbooks.Notes, follow runbooks.Follow, still func(context.Context, incidents.Plan, string) error) (*runbooks.Runner, error) {
	executors, err := a.config.Executors(a.library.Origins)
	if err != nil {
		return nil, err
	}
	for kind, x := range executors {
		executors[kind] = auditedStep{x, a.audit}
	}
	return runbooks.NewRunner(runbooks.RunnerOptions{
		Library: a.library, Executors: executors, Secrets: a.config.Secrets(), Logger: a.log,
		Notes: notes, Keep: a.shelf().Keep, Follow: follow, Still: still,
	}), nil
}

// auditedStep records each try of each step of a run. Checks change nothing and
// are not recorded.
type auditedStep struct {
	next  steps.Executor
	audit *recorder
}

func (x auditedStep) Execute(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
	if env.Execution == "" {
		return x.next.Execute(ctx, step, env)
	}
	r := audit.Record{
		Action: audit.ActStep, By: personOf(incidents.Bot), Incident: env.Incident.String(), Run: env.Execution, Runbook: env.Runbook,
		Step: step.ID, StepKind: step.Kind,
	}
	if len(step.Argv) > 0 {
		r.ArgvMAC = x.audit.keys.Digest(step.Argv...)
		for _, arg := range step.Argv {
			r.Argv = append(r.Argv, x.audit.redact.Clean(arg))
		}
	}
	if target := strings.TrimSpace(step.Method + " " + step.URL + step.Query); target != "" {
		r.Target = x.audit.redact.Clean(target)
	}
	i, err := x.audit.log.Begin(ctx, r)
	if err != nil {
		return steps.Failed(err)
	}
	end := audit.Record{Result: audit.Unknown}
	defer func() { i.End(end) }() // after a panic too: then nobody knows
	result := x.next.Execute(ctx, step, env)
	end = audit.Record{
		Result: outcomeOf(ctx, result), Code: result.Code, Error: result.Because.Phrase,
		Output: len(result.Output), OutputMAC: x.audit.keys.Digest(result.Output),
	}
	if !result.OK && end.Error == "" {
		end.Error = x.audit.redact.Clean(result.Error)
	}
	return result
}

// outcomeOf is failed only where it was carried through, also while the process stops: of
// what was stopped in its middle nobody knows how far it got, nor of a step that cannot
// say what it did. A step's own timeout is a failure.
func outcomeOf(ctx context.Context, done ...incidents.StepResult) audit.Result {
	switch {
	case incidents.AllOK(done):
		return audit.Done
	case slices.ContainsFunc(done, func(r incidents.StepResult) bool { return !r.OK && r.Unsure }):
		return audit.Unknown
	case len(done) > 0 && done[len(done)-1].RanThrough(): // the last one that began
		return audit.Failed
	case ctx.Err() != nil && context.Cause(ctx) != steps.ErrStepTime:
		return audit.Unknown
	}
	return audit.Failed
}

// auditedRuns records remediations. It is called after the claim was committed
// and before the first step, by the only process that may run the plan; a run
// whose intent cannot be written fails with the reason, and nothing was done.
type auditedRuns struct {
	worker.Runner
	audit     *recorder
	incidents interface {
		Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	}
	gate worker.Gate
}

func (x auditedRuns) Run(ctx context.Context, plan incidents.Plan, execution string) (before, done []incidents.StepResult) {
	i, err := x.audit.log.Begin(ctx, x.record(ctx, plan, execution))
	if err != nil {
		return nil, notRun(err)
	}
	end := audit.Record{Result: audit.Unknown}
	defer func() { i.End(end) }()
	if no := x.refused(ctx, plan, execution, i); no != nil {
		end.Result, end.Error = audit.Failed, no.Phrase
		return nil, notRun(no)
	}
	before, done = x.Runner.Run(ctx, plan, execution)
	end.Result = outcomeOf(ctx, done...)
	outputs := make([]string, 0, len(done))
	for _, r := range done {
		outputs = append(outputs, r.Step, r.Output)
		end.Output += len(r.Output)
		end.Code, end.Error = r.Code, r.Because.Phrase
	}
	end.OutputMAC = x.audit.keys.Digest(outputs...)
	return before, done
}

// notRun is how people see that nothing was run.
func notRun(err error) []incidents.StepResult {
	refused := steps.Failed(err)
	refused.Step = "audit"
	refused.Title = incidents.Text{EN: phrases.T(phrases.English, "run.audit"), JA: phrases.T(phrases.Japanese, "run.audit")}
	return []incidents.StepResult{refused}
}

// refused asks the gate once more: writing the intent may have taken a while, in which
// the process may have stood still and somebody else may have given the run up as lost.
// It also asks the audit whether the run was begun before, whatever the store says of it.
func (x auditedRuns) refused(ctx context.Context, plan incidents.Plan, execution string, i *trail.Intent) *incidents.Error {
	because := incidents.Because("because.gate_unknown")
	if s, err := x.incidents.Load(ctx, plan.Incident); err == nil {
		if r := s.Run(execution); r != nil && r.State != incidents.RunApproved && r.State != incidents.RunRunning {
			because = incidents.Because("because.run_lost", "run", r.ID)
		} else if r != nil && r.Plan.Digest == plan.Digest {
			no := x.gate.Refuses(ctx, s, r)
			if no == nil {
				again, err := i.Repeats(ctx, r.ApprovedAt)
				if err == nil && !again {
					return nil
				}
				if again {
					because = incidents.Because("because.run_before", "run", r.ID)
				}
			} else {
				because = no.Because
			}
		}
	}
	return &incidents.Error{Code: incidents.Conflict, Message: "the run may not start", Phrase: because.Phrase, Args: because.Args}
}

// stopped records a run that the gate did not let begin.
func (r *recorder) stopped(ctx context.Context, s *incidents.Incident, run *incidents.Run, no *worker.Refusal) {
	rec := planRecord(audit.ActStopped, incidents.Bot, run.Plan)
	rec.Incident, rec.Run, rec.Approval = s.ID.String(), run.ID, run.Approval
	rec.Result, rec.Error, rec.Why = audit.Failed, no.Because.Phrase, no.Brake
	r.log.Note(context.WithoutCancel(ctx), rec)
}

func (x auditedRuns) record(ctx context.Context, plan incidents.Plan, execution string) audit.Record {
	r := planRecord(audit.ActRun, incidents.Bot, plan)
	r.Run = execution
	s, err := x.incidents.Load(ctx, plan.Incident)
	if err != nil {
		return r // the run's intent does not wait for who approved it: the approval has a record of its own
	}
	if run := s.Run(execution); run != nil {
		r.Approval, r.ApprovedAt = run.Approval, audit.TimeOf(run.ApprovedAt)
		if a := s.Approval(run.Approval); a != nil {
			r.By = personOf(a.Asked.By)
			for _, by := range a.Approvers() {
				r.Approvers = append(r.Approvers, personOf(by))
			}
		}
	}
	return r
}
