package runbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Plan is exactly what would be done about the incident: every argument
// resolved, and sealed. Values in given win over those from the incident's
// labels, which win over the author's defaults; each is validated by its type.
func (rb *Runbook) Plan(s *incidents.Incident, given map[string]string) (incidents.Plan, error) {
	if !rb.For(s.Customer) {
		return incidents.Plan{}, incidents.Fail(incidents.NotFound, "error.no_runbook", "there is no such runbook", "runbook", rb.ID).WithHint("/inc suggest")
	}
	if !rb.Changes() {
		return incidents.Plan{}, incidents.Fail(incidents.Invalid, "runbook.only_checks",
			"runbook "+rb.ID+" only looks; there is nothing to approve", "runbook", rb.ID).WithHint("/inc diagnose")
	}
	values, err := rb.resolve(s, given)
	if err != nil {
		return incidents.Plan{}, err
	}
	plan := incidents.Plan{
		Runbook: rb.ID, RunbookDigest: rb.Digest, Title: rb.Title, Risk: rb.Risk, Incident: s.ID,
		Params: values, Effect: rb.Effect, Undo: rb.Undo, Escalate: rb.Escalate,
		Verify: incidents.Verify{
			Every: rb.Verify.Every, Stable: rb.Verify.Stable, Within: rb.Verify.Within, NoAlerts: rb.Verify.NoAlerts,
		},
	}
	recovery := rb.Recover
	if len(rb.Branches) > 0 {
		b, chosen, err := rb.branch(s, values)
		if err != nil {
			return incidents.Plan{}, err
		}
		recovery, plan.Branch = b.Recover, chosen
		plan.Title = subtitle(rb.Title, chosen.Title)
		for to, own := range map[*incidents.Text]incidents.Text{&plan.Effect: b.Effect, &plan.Undo: b.Undo, &plan.Escalate: b.Escalate} {
			if own != (incidents.Text{}) {
				*to = own
			}
		}
	}
	for _, section := range []struct {
		from []Step
		to   *[]incidents.Step
	}{{rb.Check, &plan.Check}, {rb.Verify.Steps, &plan.Verify.Steps}} {
		if *section.to, err = rb.steps(section.from, values); err != nil {
			return incidents.Plan{}, err
		}
	}
	if err := rb.recovery(s, recovery, values, &plan, ""); err != nil {
		return incidents.Plan{}, err
	}
	return plan.Seal(), nil
}

// subtitle is what a plan of one branch is called, so that people see on every
// card what they approve.
func subtitle(title, branch incidents.Text) incidents.Text {
	return incidents.Text{EN: title.In("en") + ": " + branch.In("en"), JA: title.In("ja") + "：" + branch.In("ja")}
}

// resolve finds the value of each parameter.
func (rb *Runbook) resolve(s *incidents.Incident, given map[string]string) (map[string]string, error) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(rb.Params, func(p Param) bool { return p.Name == name }) {
			return nil, incidents.Fail(incidents.Invalid, "runbook.param_unknown",
				fmt.Sprintf("runbook %s has no parameter %q", rb.ID, name), "runbook", rb.ID, "name", name).WithHint(rb.usage())
		}
	}
	var values map[string]string
	for i := range rb.Params {
		p := &rb.Params[i]
		value, ok := given[p.Name]
		if !ok {
			value = p.fromLabels(s.Common)
			ok = value != ""
		}
		if !ok && p.HasDef {
			value, ok = p.Default, true
		}
		if !ok {
			return nil, incidents.Fail(incidents.Invalid, "runbook.param_missing",
				fmt.Sprintf("runbook %s needs a value for %s", rb.ID, p.Name),
				"runbook", rb.ID, "name", p.Name, "allowed", p.Allowed()).WithHint(rb.usage())
		}
		if !p.Accept(value) {
			return nil, incidents.Fail(incidents.Invalid, "runbook.param_refused",
				fmt.Sprintf("%s of runbook %s cannot be %.100q", p.Name, rb.ID, value),
				"runbook", rb.ID, "name", p.Name, "value", fmt.Sprintf("%.100q", value), "allowed", p.Allowed()).WithHint(rb.usage())
		}
		if values == nil {
			values = make(map[string]string, len(rb.Params))
		}
		values[p.Name] = value
	}
	return values, nil
}

func (rb *Runbook) usage() string {
	var b strings.Builder
	b.WriteString("/inc run " + rb.ID)
	for i := range rb.Params {
		b.WriteString(" " + rb.Params[i].Name + "=…")
	}
	return b.String()
}

// steps fills the places of a section.
func (rb *Runbook) steps(from []Step, values map[string]string) ([]incidents.Step, error) {
	if len(from) == 0 {
		return nil, nil
	}
	to := make([]incidents.Step, len(from))
	for i := range from {
		s := &from[i]
		step := incidents.Step{ID: s.ID, Title: s.Title, Kind: s.Kind, Expect: s.Expect.String(), Timeout: s.Timeout, Retry: s.Retry}
		switch s.Kind {
		case KindCommand:
			for _, t := range s.argv {
				step.Argv = append(step.Argv, t.fill(values, asIs))
			}
		case KindHTTP:
			u, ok := s.url.fillURL(values)
			if !ok {
				return nil, incidents.Fail(incidents.Invalid, "runbook.url_refused",
					fmt.Sprintf("the parameters of runbook %s do not make a URL for step %s", rb.ID, s.ID), "runbook", rb.ID, "step", s.ID).WithHint(rb.usage())
			}
			step.Method, step.URL = s.Method, u
		case KindPromQL:
			step.Query = s.query.fill(values)
		case KindInfluxQL:
			step.Method, step.Query = s.target, s.match.fill(values, steps.InfluxString)
		case KindNote:
			step.Note = s.noted(values)
		default:
			if err := rb.remote(s, &step, values); err != nil {
				return nil, err
			}
		}
		if rb.content != nil {
			var err error
			if step.Content, err = rb.content(step); err != nil {
				return nil, err
			}
		}
		if step.Title == (incidents.Text{}) {
			line := steps.CutLine(StepLine(step), 100)
			step.Title = incidents.Text{EN: line, JA: line}
		}
		to[i] = step
	}
	return to, nil
}

// needs are the parameters that the steps use.
func needs(steps []Step) []string {
	var names []string
	for i := range steps {
		for _, t := range steps[i].argv {
			names = append(names, t.params()...)
		}
		names = append(names, steps[i].url.params()...)
		names = append(names, steps[i].query.params()...)
		names = append(names, steps[i].host.params()...)
		names = append(names, steps[i].match.params()...)
		names = append(names, steps[i].noteEN.params()...)
		names = append(names, steps[i].noteJA.params()...)
		for _, o := range steps[i].options {
			names = append(names, o.value.params()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// StepLine is what a resolved step does, on one line, for people: a command
// line, a method with its URL, or a query.
func StepLine(s incidents.Step) string {
	switch s.Kind {
	case KindCommand:
		return CommandLine(s.Argv)
	case KindHTTP:
		return s.Method + " " + s.URL
	case KindPromQL:
		return s.Query
	case KindInfluxQL:
		return KindInfluxQL + " " + s.Method + " " + s.Query
	case KindNote:
		return noteLine(s.Note)
	default:
		return remoteLine(s)
	}
}

// CommandLine shows an argv on one line, quoted so that one can see where each
// argument begins and ends. For people; nothing ever parses it.
func CommandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = a
		if a == "" || strings.ContainsFunc(a, func(c rune) bool { return notPlain(c) || strings.ContainsRune(" \"'`$&|;<>()*?[]#~\\!", c) }) {
			words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
