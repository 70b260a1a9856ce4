package steps

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The kinds of steps.
const (
	KindCommand = "command"
	KindHTTP    = "http"
	KindPromQL  = "promql"
	KindSSH     = "ssh"     // package integrations/ssh
	KindAnsible = "ansible" // carried out as a command
	KindRundeck = "rundeck" // package integrations/rundeck
	KindKompira = "kompira" // package integrations/kompira
	KindLog     = "log"

	KindInfluxQL = "influxql"
)

// Executor carries out one kind of step. It returns soon after the context ends
// and leaves nothing running. Its result may hold secrets and control
// characters; the caller takes them out, with a [Redactor].
type Executor interface {
	Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult
}

// Env is what a step is part of. Commands get it as RB_ variables, HTTP requests
// as headers, so that the other side can recognise a repetition.
type Env struct {
	Execution string // the run, "INC-42/1"; "" for a check
	Incident  incidents.ID
	Runbook   string
	Live      *Tail // hears what the step says while it says it; nil: nobody does
}

// Failed is the result of a step that could not be carried out to its end.
func Failed(err error) incidents.StepResult {
	r := incidents.StepResult{Error: err.Error()}
	if e, ok := errors.AsType[*incidents.Error](err); ok {
		r.Because = incidents.Reason{Phrase: e.Phrase, Args: e.Args}
	}
	return r
}

// Unsure is the result of a step of which nobody knows what it did, or whether it
// goes on. A run with one is not a failed one: its outcome is unknown.
func Unsure(err error) incidents.StepResult {
	r := Failed(err)
	r.Unsure = true
	return r
}

// Bad: a plan holds something that no runbook of ours puts there.
func Bad(err error) error {
	return incidents.Fail(incidents.Invalid, "runbook.bad_step", "the step cannot be understood: "+err.Error(), "error", err.Error())
}

// Stopped says why a step was ended before its time.
func Stopped(ctx context.Context, step incidents.Step) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, ErrStepTime):
		return incidents.Fail(incidents.Unavailable, "runbook.timeout",
			fmt.Sprintf("not finished within %s", step.Timeout), "within", step.Timeout.String())
	case errors.Is(cause, ErrAllTime), errors.Is(cause, context.DeadlineExceeded):
		return incidents.Fail(incidents.Unavailable, "runbook.no_time", "there was no time left for it")
	default:
		return incidents.Fail(incidents.Unavailable, "runbook.interrupted", "interrupted, because Hikeshi is stopping")
	}
}

// Causes of the end of a context, by which Stopped says more.
var (
	ErrStepTime = errors.New("the step's timeout")
	ErrAllTime  = errors.New("the time for all checks together")
)

// Config is what can be configured.
type Config struct {
	HTTPHosts  []string        // scheme://host[:port] that http steps may talk to; none: Origins decides
	Origins    func() []string // scheme://host:port that http steps may talk to otherwise, see Origin; may be nil
	Addresses  []string        // CIDRs that may be called although they are link-local, or this machine under another name
	Prometheus string          // base URL for promql steps: http://prometheus:9090
	Path       string          // PATH of commands; "": the usual directories
	Env        []string        // names of our environment variables that commands get
	Logs       []string        // files that log steps may read, absolute; a star stands for part of a name
	Ansible    AnsibleConfig
	InfluxDB   InfluxConfig
}

var envName = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]*\z`)

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	_, err := newPromQL(c) // also checks hosts and addresses, if there is a Prometheus
	if err == nil {
		_, err = newInfluxQL(c)
	}
	if err == nil {
		_, err = newGate(c)
	}
	problems := []error{err}
	for _, dir := range filepath.SplitList(c.Path) {
		if !filepath.IsAbs(dir) {
			problems = append(problems, fmt.Errorf("path %q: %q is not an absolute directory", c.Path, dir))
		}
	}
	for _, name := range c.Logs {
		if _, err := filepath.Match(name, ""); err != nil || !filepath.IsAbs(name) || filepath.Clean(name) != name {
			problems = append(problems, fmt.Errorf("logs: %q is not the absolute path of a file", name))
		}
	}
	for _, name := range []string{c.Ansible.Playbooks, c.Ansible.Inventory} {
		if (c.Ansible.Playbooks != "" || c.Ansible.Inventory != "") && !filepath.IsAbs(name) {
			problems = append(problems, fmt.Errorf("ansible: playbooks and inventory belong together, and %q is not an absolute path", name))
		}
	}
	for _, name := range c.Env {
		switch {
		case !envName.MatchString(name):
			problems = append(problems, fmt.Errorf("env %.100q is not the name of a variable", name))
		case strings.HasPrefix(name, "HIKESHI_"), strings.HasPrefix(name, "RB_"), slices.Contains([]string{"PATH", "HOME", "TMPDIR", "LANG"}, name):
			problems = append(problems, fmt.Errorf("env %s: commands have one of their own, or must not have it", name))
		}
	}
	return errors.Join(problems...)
}

// New makes the executors by kind. An error is one of the configuration.
func New(c Config) (map[string]Executor, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g, err := newGate(c)
	if err != nil {
		return nil, err
	}
	prom, err := newPromQL(c)
	if err != nil {
		return nil, err
	}
	influx, err := newInfluxQL(c)
	if err != nil {
		return nil, err
	}
	return map[string]Executor{
		KindCommand: newCommand(c), KindHTTP: &HTTP{gate: g, client: g.client()}, KindPromQL: prom,
		KindAnsible: &Ansible{command: newCommand(c), config: c.Ansible}, KindLog: &Log{allowed: c.Logs}, KindInfluxQL: influx,
	}, nil
}
