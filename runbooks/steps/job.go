package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Jobs is a system that runs jobs for us, such as Rundeck.
type Jobs interface {
	// Start starts the step's job, at most once. An [ErrUnsure] says that nobody
	// knows whether it did; any other error that it did not.
	Start(ctx context.Context, step incidents.Step, env Env) (id string, err error)
	// Look says how the job that was started is.
	Look(ctx context.Context, id string) (JobState, error)
	// Output is what the job has said.
	Output(ctx context.Context, id string) (string, error)
}

// ErrUnsure wraps what left us in doubt.
var ErrUnsure = errors.New("nobody knows whether it was started")

// JobState is how a job is.
type JobState struct {
	Done bool
	Code int    // once it is done: 0 where it succeeded
	Word string // the system's own: "running", "failed"
}

// JobRunner carries out steps that are jobs of another system: it starts the job
// once, looks until it is done, and fetches what it said. It never starts a job a
// second time, whatever the answers are.
type JobRunner struct {
	System string // its name, for people
	Jobs   Jobs
	Every  time.Duration // between two looks; 0: two seconds
}

const (
	lookEvery  = 2 * time.Second
	outputTime = 10 * time.Second // to fetch the output, also when the step's time is over
)

// Execute implements Executor.
func (r *JobRunner) Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	id, err := r.Jobs.Start(ctx, step, env)
	if errors.Is(err, ErrUnsure) {
		return Unsure(r.fail("runbook.job.unsure", "no clear answer from %s, so nobody knows whether the job was started: %s", cause(err)))
	}
	if err != nil {
		if refused, ok := errors.AsType[*incidents.Error](err); ok {
			return Failed(refused)
		}
		return Failed(r.fail("runbook.job.not_started", "%s did not start the job: %s", cause(err)))
	}
	state, err := r.follow(ctx, id)
	said := &Said{}
	out, _ := said.Writers()
	_, _ = io.WriteString(out, r.output(ctx, id)) // never fails
	if err != nil {
		result := Unsure(r.unfinished(id, state, err))
		result.Output = said.Text()
		return result
	}
	result := said.Judge(expect, state.Code)
	result.Value = strings.Replace(result.Value, fmt.Sprintf("exit %d", state.Code), fmt.Sprintf("%s (%s %s)", state.Word, r.System, id), 1)
	return result
}

// cause is the error without our own words around it.
func cause(err error) string {
	return strings.TrimPrefix(err.Error(), ErrUnsure.Error()+": ")
}

func (r *JobRunner) fail(phrase, format, why string) error {
	return incidents.Fail(incidents.Unavailable, phrase, fmt.Sprintf(format, r.System, why), "system", r.System, "error", why)
}

// follow looks until the job is done. Looks that fail are made again until the
// step's time is over.
func (r *JobRunner) follow(ctx context.Context, id string) (JobState, error) {
	every := r.Every
	if every == 0 {
		every = lookEvery
	}
	var last JobState
	for {
		state, err := r.Jobs.Look(ctx, id)
		if err == nil {
			if last = state; state.Done {
				return state, nil
			}
		}
		pause := time.NewTimer(every)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			if err == nil || errors.Is(err, ctx.Err()) {
				err = context.Cause(ctx)
			}
			return last, err
		}
	}
}

// unfinished says that the job goes on, or may.
func (r *JobRunner) unfinished(id string, state JobState, err error) error {
	word := state.Word
	if word == "" {
		word = err.Error()
	}
	return incidents.Fail(incidents.Unavailable, "runbook.job.unfinished",
		fmt.Sprintf("%s has not finished %s in time (%s), and it goes on there", r.System, id, word), "system", r.System, "id", id, "state", word)
}

// output is fetched even when the step's time is over.
func (r *JobRunner) output(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), outputTime)
	defer cancel()
	text, err := r.Jobs.Output(ctx, id)
	if err != nil {
		return fmt.Sprintf("[… %v …]", err)
	}
	return text
}
