package runbooks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// TestSuffix is how the names of files with tests of runbooks end. They stand
// beside the runbooks and are none.
const TestSuffix = ".test.yaml"

// A rehearsal is a file of tests: what checks find in, what would be done out.
// Nothing is carried out.
type rehearsal struct {
	Runbook string            `yaml:"runbook"` // a file in the same directory
	Vars    map[string]string `yaml:"vars"`
	Cases   []rehearsalCase   `yaml:"cases"`
}

type rehearsalCase struct {
	Name     string            `yaml:"name"`
	Labels   map[string]string `yaml:"labels"`
	Customer *string           `yaml:"customer"` // whose incident; without it of one for whom the runbook is
	Params   map[string]string `yaml:"params"`
	Found    map[string]canned `yaml:"found"` // by check
	Want     struct {
		Fits    *bool    `yaml:"fits"`
		Branch  *string  `yaml:"branch"`
		Runs    []string `yaml:"runs"`    // the lines of the recovery, all of them
		Nothing bool     `yaml:"nothing"` // it runs nothing
		Says    []string `yaml:"says"`    // parts of the note, the escalation or the refusal, in any language
	} `yaml:"want"`
}

// canned is up, down, unknown, or what the step would have got.
type canned struct {
	state string
	raw   steps.Canned
}

// UnmarshalYAML reads both forms.
func (c *canned) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		if c.state = n.Value; !slices.Contains([]string{stateUp, stateDown, "unknown"}, c.state) {
			return fmt.Errorf("line %d: want up, down, unknown, or {exit: 1, stdout: …}, {status: 503, body: …}, {values: [0.5]}", n.Line)
		}
		return nil
	}
	var raw struct {
		Exit   int       `yaml:"exit"`
		Status int       `yaml:"status"`
		Stdout string    `yaml:"stdout"`
		Stderr string    `yaml:"stderr"`
		Body   string    `yaml:"body"`
		Values []float64 `yaml:"values"`
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !slices.Contains([]string{"exit", "status", "stdout", "stderr", "body", "values"}, n.Content[i].Value) {
			return fmt.Errorf("line %d: there is no key %q here", n.Content[i].Line, n.Content[i].Value)
		}
	}
	if err := n.Decode(&raw); err != nil {
		return fmt.Errorf("read what was found: %w", err)
	}
	c.raw = steps.Canned{Exit: raw.Exit, Status: raw.Status, Stdout: raw.Stdout + raw.Body, Stderr: raw.Stderr, Values: raw.Values}
	return nil
}

// Rehearsed is what came of one case.
type Rehearsed struct {
	File, Case string
	Wrong      []string // "want branch a, got b"; none: it passed
}

// Rehearse carries out the tests in a directory and in those below it. An error
// says that they cannot be read.
func Rehearse(dir string) ([]Rehearsed, error) {
	var files []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, TestSuffix) {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for tests in %s: %w", dir, err)
	}
	var all []Rehearsed
	for _, name := range files {
		some, err := rehearseFile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func rehearseFile(name string) ([]Rehearsed, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if len(content) > MaxFile || tooIntricate(content) {
		return nil, errors.New("it is too large")
	}
	var script rehearsal
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(&script); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if script.Runbook == "" || filepath.Base(script.Runbook) != script.Runbook || len(script.Cases) == 0 {
		return nil, errors.New("it needs runbook: the name of a file beside it, and cases")
	}
	book, err := os.ReadFile(filepath.Join(filepath.Dir(name), script.Runbook))
	if err != nil {
		return nil, fmt.Errorf("read the runbook: %w", err)
	}
	rb, problems := ParseWith(filepath.Join(filepath.Dir(name), script.Runbook), book, script.Vars)
	if rb == nil {
		return nil, fmt.Errorf("%s has %d errors: hikeshi runbook lint says which", script.Runbook, len(Errors(problems)))
	}
	results := make([]Rehearsed, len(script.Cases))
	for i := range script.Cases {
		c := &script.Cases[i]
		wrong, err := rb.rehearse(c)
		if err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
		results[i] = Rehearsed{File: name, Case: c.Name, Wrong: wrong}
	}
	return results, nil
}

func (rb *Runbook) rehearse(c *rehearsalCase) ([]string, error) {
	s := rb.Imagine(incidents.LabelsFromMap(c.Labels))
	if c.Customer != nil {
		s.Customer = *c.Customer
	}
	values, err := rb.rehearsed(s, c)
	if err != nil {
		return nil, err
	}
	var wrong []string
	miss := func(what string, want, got any) {
		wrong = append(wrong, fmt.Sprintf("want %s %v, got %v", what, want, got))
	}
	if fits := rb.Fit(s); c.Want.Fits != nil && *c.Want.Fits != fits {
		miss("fits", *c.Want.Fits, fits)
	}
	var said []incidents.Text
	if len(rb.Branches) > 0 {
		b, err := rb.choose(rb.factsOf(s.Findings, s.Common, values))
		got := "none"
		if err == nil {
			got, said = b.ID, append(said, b.Note, b.Close, b.Escalate, b.title())
		}
		if c.Want.Branch != nil && *c.Want.Branch != got {
			miss("branch", *c.Want.Branch, got)
		}
	}
	plan, err := rb.Plan(s, c.Params)
	if err != nil {
		said = append(said, incidents.Text{EN: err.Error()})
	}
	said = append(said, plan.Title, plan.Effect, plan.Undo, plan.Escalate)
	runs := make([]string, len(plan.Recover))
	for i, step := range plan.Recover {
		runs[i] = StepLine(step)
	}
	if c.Want.Runs != nil && !slices.Equal(c.Want.Runs, runs) || c.Want.Nothing && len(runs) > 0 {
		miss("runs", fmt.Sprintf("%q", c.Want.Runs), fmt.Sprintf("%q", runs))
	}
	for _, part := range c.Want.Says {
		if !slices.ContainsFunc(said, func(t incidents.Text) bool { return strings.Contains(t.EN, part) || strings.Contains(t.JA, part) }) {
			miss("says", fmt.Sprintf("%q", part), fmt.Sprintf("%q", said))
		}
	}
	return wrong, nil
}

// rehearsed puts what the checks would find into the incident, as an
// investigation would.
func (rb *Runbook) rehearsed(s *incidents.Incident, c *rehearsalCase) (map[string]string, error) {
	values := rb.some(s)
	for name, value := range c.Params {
		values[name] = value
	}
	for check, found := range c.Found {
		at := slices.IndexFunc(rb.Check, func(s Step) bool { return s.ID == check })
		if at < 0 {
			return nil, fmt.Errorf("there is no check %q", check)
		}
		f := incidents.Finding{Check: rb.ID + "/" + check, OK: found.state == stateUp}
		switch found.state {
		case stateUp, stateDown:
		case "unknown":
			f.Error, f.Because = "unknown", incidents.Because("runbook.no_time")
		default:
			resolved, err := rb.steps(rb.Check[at:at+1], values)
			if err != nil {
				return nil, err
			}
			r := steps.Judge(resolved[0], found.raw)
			f.OK, f.Code, f.Number, f.Detail, f.Error, f.Because = r.OK, r.Code, r.Number, r.Output, r.Error, r.Because
		}
		s.Findings = append(s.Findings, f)
	}
	return values, nil
}

// Suppose says that the checks of the runbook with this id found these states, up
// or down.
func Suppose(s *incidents.Incident, id string, states map[string]string) error {
	for check, what := range states {
		if what != stateUp && what != stateDown {
			return fmt.Errorf("%s=%s: a check is up or down", check, what)
		}
		s.Findings = append(s.Findings, incidents.Finding{Check: id + "/" + check, OK: what == stateUp})
	}
	return nil
}
