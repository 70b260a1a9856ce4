// Package rundeck carries out rundeck steps: it starts a job by Rundeck's API,
// looks until its execution has ended, and fetches what it said
// (https://docs.rundeck.com/docs/api/).
//
// It promises that only jobs of the configured list are started, at the configured
// address; and that a job is started at most once: where an answer leaves it open
// whether the job was started, the step says so and nothing is sent again.
//
// Start with [New].
package rundeck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Config is where Rundeck is and what may be started there.
type Config struct {
	URL   string        // https://rundeck.example.com; "": none
	Token string        // of a user who may run these jobs and nothing else
	Jobs  []string      // UUIDs
	Every time.Duration // between two looks; 0: two seconds
}

// apiVersion is the oldest that has JSON bodies with options (18) and is still
// served by Rundeck 3 to 5.
const apiVersion = "/api/18"

const system = "Rundeck"

// New makes the executor. An error is one of the configuration.
func New(c Config) (steps.Executor, error) {
	r := &rundeck{jobs: c.Jobs}
	if c.URL != "" {
		if c.Token == "" {
			return nil, errors.New("rundeck needs a token")
		}
		for _, job := range c.Jobs {
			if !uuid.MatchString(job) {
				return nil, fmt.Errorf("rundeck: the job %.100q is not a UUID", job)
			}
		}
		caller, err := steps.NewCaller(c.URL, http.Header{"X-Rundeck-Auth-Token": {c.Token}})
		if err != nil {
			return nil, fmt.Errorf("rundeck: %w", err)
		}
		r.caller = caller
	}
	return &steps.JobRunner{System: system, Jobs: r, Every: c.Every}, nil
}

var uuid = regexp.MustCompile(`\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z`)

type rundeck struct {
	caller *steps.Caller // nil: none is configured
	jobs   []string
}

// execution is what Rundeck says about a run of a job.
type execution struct {
	ID     int64  `json:"id"`
	Status string `json:"status"`
	Job    struct {
		ID string `json:"id"`
	} `json:"job"`
}

// Start implements steps.Jobs.
func (r *rundeck) Start(ctx context.Context, step incidents.Step, _ steps.Env) (string, error) {
	if r.caller == nil {
		return "", incidents.Fail(incidents.Unavailable, "runbook.job.not_configured", "no Rundeck is configured", "system", system)
	}
	if !slices.ContainsFunc(r.jobs, func(job string) bool { return strings.EqualFold(job, step.URL) }) || !uuid.MatchString(step.URL) {
		return "", incidents.Fail(incidents.Forbidden, "runbook.job.not_allowed",
			fmt.Sprintf("the job %.100q is not among those that may be started in Rundeck", step.URL), "system", system, "job", fmt.Sprintf("%.100s", step.URL))
	}
	options := map[string]string{}
	if err := json.Unmarshal([]byte(step.Query), &options); err != nil {
		return "", steps.Bad(errors.New("its options are not a JSON object of strings"))
	}
	body, err := json.Marshal(map[string]any{"options": options})
	if err != nil {
		return "", steps.Bad(err)
	}
	answer, err := r.caller.Post(ctx, apiVersion+"/job/"+step.URL+"/run", body)
	if err != nil {
		return "", refusal(err)
	}
	var e execution
	if err := json.Unmarshal(answer, &e); err != nil || e.ID <= 0 {
		return "", fmt.Errorf("%w: its answer has no execution", steps.ErrUnsure)
	}
	if e.Job.ID != "" && !strings.EqualFold(e.Job.ID, step.URL) {
		return "", fmt.Errorf("%w: it says that it started the job %.100q", steps.ErrUnsure, e.Job.ID)
	}
	return strconv.FormatInt(e.ID, 10), nil
}

// refusal puts Rundeck's own words to an error that it gave.
func refusal(err error) error {
	refused, ok := errors.AsType[*steps.StatusError](err)
	if !ok {
		return err
	}
	var said struct {
		Code    string `json:"errorCode"`
		Message string `json:"message"`
	}
	why := refused.Error()
	if json.Unmarshal(refused.Body, &said) == nil && said.Message != "" {
		why += ": " + said.Message
	}
	return incidents.Fail(incidents.Unavailable, "runbook.job.refused", "Rundeck refused to start the job: "+why, "system", system, "error", why)
}

// ended are the states in which an execution has ended.
var ended = []string{"succeeded", "failed", "aborted", "timedout", "failed-with-retry", "other", "missed"}

// Look implements steps.Jobs.
func (r *rundeck) Look(ctx context.Context, id string) (steps.JobState, error) {
	answer, err := r.caller.Get(ctx, apiVersion+"/execution/"+id, nil)
	if err != nil {
		return steps.JobState{}, err
	}
	var e execution
	if err := json.Unmarshal(answer, &e); err != nil || strconv.FormatInt(e.ID, 10) != id || e.Status == "" {
		return steps.JobState{}, errors.New("its answer is about another execution, or none")
	}
	state := steps.JobState{Done: slices.Contains(ended, e.Status), Word: e.Status}
	if state.Done && e.Status != "succeeded" {
		state.Code = 1
	}
	return state, nil
}

// lastLines is how many lines of the output are fetched; the last ones.
const lastLines = "500"

// Output implements steps.Jobs.
func (r *rundeck) Output(ctx context.Context, id string) (string, error) {
	answer, err := r.caller.Get(ctx, apiVersion+"/execution/"+id+"/output", url.Values{"format": {"json"}, "lastlines": {lastLines}})
	if err != nil {
		return "", err
	}
	var out struct {
		Entries []struct {
			Log string `json:"log"`
		} `json:"entries"`
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return "", errors.New("the output is not what Rundeck sends")
	}
	lines := make([]string, len(out.Entries))
	for i, e := range out.Entries {
		lines[i] = e.Log
	}
	return strings.Join(lines, "\n"), nil
}
