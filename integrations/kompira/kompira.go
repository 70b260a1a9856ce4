// Package kompira carries out kompira steps: it starts a job flow by Kompira's
// REST API, looks until its process has ended, and reports its console and result
// (the REST API reference in the manual of Kompira Enterprise 1.6).
//
// It promises that only job flows of the configured list are started, at the
// configured address; and that one is started at most once: where an answer leaves
// it open whether it was started, the step says so and nothing is sent again.
//
// Start with [New].
package kompira

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Config is where Kompira is and what may be started there.
type Config struct {
	URL   string // https://kompira.example.com; "": none
	Token string // of a user who may execute these job flows and nothing else
	Flows []string
	Every time.Duration // between two looks; 0: two seconds
}

const system = "Kompira"

// New makes the executor. An error is one of the configuration.
func New(c Config) (steps.Executor, error) {
	k := &kompira{flows: c.Flows}
	if c.URL != "" {
		if c.Token == "" {
			return nil, errors.New("kompira needs a token")
		}
		for _, flow := range c.Flows {
			if !flowPath.MatchString(flow) {
				return nil, fmt.Errorf("kompira: %.100q is not the path of a job flow", flow)
			}
		}
		// Authorization is the manual's; X-Authorization is read where another
		// server in front takes the first for itself.
		caller, err := steps.NewCaller(c.URL, http.Header{"Authorization": {"Token " + c.Token}, "X-Authorization": {"Token " + c.Token}})
		if err != nil {
			return nil, fmt.Errorf("kompira: %w", err)
		}
		k.caller = caller
	}
	return &steps.JobRunner{System: system, Jobs: k, Every: c.Every}, nil
}

var (
	flowPath    = regexp.MustCompile(`\A(?:/[\p{L}\p{N}_-]+)+\z`)
	processPath = regexp.MustCompile(`\A/process/id_[0-9]{1,18}\z`)
)

type kompira struct {
	caller *steps.Caller // nil: none is configured
	flows  []string
}

// Start implements steps.Jobs.
func (k *kompira) Start(ctx context.Context, step incidents.Step, _ steps.Env) (string, error) {
	if k.caller == nil {
		return "", incidents.Fail(incidents.Unavailable, "runbook.job.not_configured", "no Kompira is configured", "system", system)
	}
	if !slices.Contains(k.flows, step.URL) || !flowPath.MatchString(step.URL) {
		return "", incidents.Fail(incidents.Forbidden, "runbook.job.not_allowed",
			fmt.Sprintf("the job flow %.100q is not among those that may be started in Kompira", step.URL), "system", system, "job", fmt.Sprintf("%.100s", step.URL))
	}
	params := map[string]string{}
	if err := json.Unmarshal([]byte(step.Query), &params); err != nil {
		return "", steps.Bad(errors.New("its parameters are not a JSON object of strings"))
	}
	body, err := json.Marshal(map[string]any{"parameters": params})
	if err != nil {
		return "", steps.Bad(err)
	}
	answer, err := k.caller.Post(ctx, (&url.URL{Path: step.URL}).EscapedPath()+".execute", body)
	if err != nil {
		return "", refusal(err)
	}
	process, ok := started(answer)
	if !ok {
		return "", fmt.Errorf("%w: its answer is not the path of a process", steps.ErrUnsure)
	}
	return process, nil
}

// started is the process's path. The manual says that the path is returned and not
// in what form, so a string is taken, and an object in which it stands.
func started(answer []byte) (string, bool) {
	var said any
	if err := json.Unmarshal(answer, &said); err != nil {
		return "", false
	}
	values := map[string]any{"": said}
	if object, is := said.(map[string]any); is {
		values = object
	}
	found := map[string]bool{}
	for _, value := range values {
		if path, is := value.(string); is && processPath.MatchString(path) {
			found[path] = true
		}
	}
	for path := range found {
		return path, len(found) == 1
	}
	return "", false
}

func refusal(err error) error {
	refused, ok := errors.AsType[*steps.StatusError](err)
	if !ok {
		return err
	}
	var said struct {
		Detail string `json:"detail"`
	}
	why := refused.Error()
	if json.Unmarshal(refused.Body, &said) == nil && said.Detail != "" {
		why += ": " + said.Detail
	}
	return incidents.Fail(incidents.Unavailable, "runbook.job.refused", "Kompira refused to start the job flow: "+why, "system", system, "error", why)
}

// process is what Kompira says about a run of a job flow.
type process struct {
	Path    string          `json:"abspath"`
	Status  string          `json:"status"` // NEW, READY, RUNNING, WAITING, DONE, ABORTED
	Exit    *int            `json:"exit_status"`
	Result  json.RawMessage `json:"result"`
	Error   json.RawMessage `json:"error"`
	Console string          `json:"console"`
}

func (k *kompira) process(ctx context.Context, id string) (process, error) {
	answer, err := k.caller.Get(ctx, id, nil)
	if err != nil {
		return process{}, err
	}
	var p process
	if err := json.Unmarshal(answer, &p); err != nil || p.Path != id || p.Status == "" {
		return process{}, errors.New("its answer is about another process, or none")
	}
	return p, nil
}

// Look implements steps.Jobs.
func (k *kompira) Look(ctx context.Context, id string) (steps.JobState, error) {
	p, err := k.process(ctx, id)
	if err != nil {
		return steps.JobState{}, err
	}
	state := steps.JobState{Word: p.Status, Done: p.Status == "DONE" || p.Status == "ABORTED"}
	if state.Done && (p.Status == "ABORTED" || p.Exit != nil && *p.Exit != 0) {
		state.Code = 1
	}
	return state, nil
}

// Output implements steps.Jobs.
func (k *kompira) Output(ctx context.Context, id string) (string, error) {
	p, err := k.process(ctx, id)
	if err != nil {
		return "", err
	}
	parts := []string{strings.TrimRight(p.Console, "\n")}
	for _, more := range []json.RawMessage{p.Result, p.Error} {
		if text := strings.TrimSpace(string(more)); text != "" && text != "null" && text != `""` {
			parts = append(parts, text)
		}
	}
	return strings.TrimLeft(strings.Join(parts, "\n"), "\n"), nil
}
