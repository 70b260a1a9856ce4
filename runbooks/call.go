package runbooks

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// KindRunbook is a step of recover that calls another runbook. It stands in no
// plan: there the steps of the one that is called take its place.
const KindRunbook = "runbook"

// Bounds of calls.
const (
	maxCalls     = 4  // one in the other
	MaxPlanSteps = 64 // of a recovery with all that it calls
)

// call reads the call of another runbook: which, and the values of its parameters.
func (r *reader) call(s *Step, n *yaml.Node, f fields, recovers bool) {
	if !recovers {
		r.fail(n, "runbook.lint.call_place")
	}
	for _, key := range []string{"timeout", "retry", "idempotent"} {
		if f[key] != nil {
			r.fail(f[key], "runbook.lint.call_key", "key", key)
		}
	}
	cf, ok := r.fields(n, KindRunbook, "id", "params")
	if !ok {
		return
	}
	s.line = n.Line
	if s.target = r.fixed(n, cf, "id"); s.target != "" && !idForm.MatchString(s.target) {
		r.fail(cf["id"], "runbook.lint.bad_id", "id", s.target)
	}
	s.options = r.options(cf["params"], "params")
}

// A linker finds what calls mean, once all files are read.
type linker struct {
	byID     map[string]*Runbook
	state    map[*Runbook]linked
	problems []Problem
}

type linked struct {
	done bool
	bad  bool
	deep int // calls one in the other below it
	size int // steps of its longest recovery
}

// link resolves the calls of all runbooks and reports those that cannot be made.
// Who makes one of these is left out, and so is whoever calls that.
func link(all []*Runbook) (good []*Runbook, problems []Problem) {
	l := &linker{byID: make(map[string]*Runbook, len(all)), state: map[*Runbook]linked{}}
	for _, rb := range all {
		if l.byID[rb.ID] == nil {
			l.byID[rb.ID] = rb
		}
	}
	for _, rb := range all {
		if !l.runbook(rb, nil).bad {
			good = append(good, rb)
		}
	}
	return good, l.problems
}

// runbook links one; path are those that lead to it.
func (l *linker) runbook(rb *Runbook, path []string) linked {
	if s, seen := l.state[rb]; seen && s.done {
		return s
	}
	l.state[rb] = linked{}
	path = append(slices.Clone(path), rb.ID)
	var whole linked
	for _, way := range rb.ways() {
		size := 0
		for i := range way {
			s := &way[i]
			if s.Kind != KindRunbook {
				size++
				continue
			}
			below := l.call(rb, s, path)
			whole.bad = whole.bad || below.bad
			whole.deep = max(whole.deep, below.deep+1)
			size += below.size
		}
		whole.size = max(whole.size, size)
	}
	if !whole.bad && whole.deep > maxCalls {
		whole.bad = l.refuse(rb, 0, "runbook.lint.call_deep", "max", strconv.Itoa(maxCalls))
	}
	if !whole.bad && whole.deep > 0 && whole.size > MaxPlanSteps {
		whole.bad = l.refuse(rb, 0, "runbook.lint.call_long", "steps", strconv.Itoa(whole.size), "max", strconv.Itoa(MaxPlanSteps))
	}
	whole.done = true
	l.state[rb] = whole
	return whole
}

// ways are the recoveries of a runbook: one, or that of each branch.
func (rb *Runbook) ways() [][]Step {
	all := [][]Step{rb.Recover}
	for i := range rb.Branches {
		all = append(all, rb.Branches[i].Recover)
	}
	return all
}

func (l *linker) refuse(rb *Runbook, line int, phrase string, args ...string) bool {
	what := incidents.Because(phrase, args...)
	l.problems = append(l.problems, Problem{File: rb.File, Line: line, What: what, Hint: hintFor(what)})
	return true
}

// call links one call.
func (l *linker) call(rb *Runbook, s *Step, path []string) linked {
	callee := l.byID[s.target]
	var bad bool
	switch {
	case slices.Contains(path, s.target):
		at := slices.Index(path, s.target)
		bad = l.refuse(rb, s.line, "runbook.lint.call_circle", "circle", strings.Join(append(slices.Clone(path[at:]), s.target), " → "))
	case callee == nil:
		bad = l.refuse(rb, s.line, "runbook.lint.call_unknown", "id", s.target)
	case !callee.Changes():
		bad = l.refuse(rb, s.line, "runbook.lint.call_looks", "id", s.target)
	case len(callee.Branches) > 0:
		bad = l.refuse(rb, s.line, "runbook.lint.call_branches", "id", s.target)
	case !callee.covers(rb):
		bad = l.refuse(rb, s.line, "runbook.lint.call_customers", "id", s.target, "customers", strings.Join(callee.Customers, ", "))
	case callee.Risk == incidents.RiskHigh && rb.Risk != incidents.RiskHigh:
		bad = l.refuse(rb, s.line, "runbook.lint.call_risk", "id", s.target, "risk", string(callee.Risk), "own", string(rb.Risk))
	default:
		bad = l.params(rb, s, callee)
	}
	if bad {
		return linked{bad: true}
	}
	below := l.runbook(callee, path)
	if below.bad {
		l.refuse(rb, s.line, "runbook.lint.call_bad", "id", s.target)
		return below
	}
	s.callee = callee
	below.size += len(callee.Verify.Steps)
	return below
}

// params holds the values that the call gives against the types of the parameters
// that they are for.
func (l *linker) params(rb *Runbook, s *Step, callee *Runbook) (bad bool) {
	for _, o := range s.options {
		at := slices.IndexFunc(callee.Params, func(p Param) bool { return p.Name == o.name })
		if at < 0 {
			bad = l.refuse(rb, s.line, "runbook.lint.call_param", "id", s.target, "name", o.name)
			continue
		}
		p := &callee.Params[at]
		if value := o.value.fill(nil, asIs); !hasPlace(o.value) && !strings.Contains(value, "{var.") && !p.Accept(value) {
			bad = l.refuse(rb, s.line, "runbook.lint.call_value", "id", s.target, "name", o.name, "value", value, "allowed", p.Allowed())
		}
	}
	for i := range callee.Params {
		p := &callee.Params[i]
		given := slices.ContainsFunc(s.options, func(o option) bool { return o.name == p.Name })
		if !given && !p.HasDef && p.From == "" {
			bad = l.refuse(rb, s.line, "runbook.lint.call_missing", "id", s.target, "name", p.Name)
		}
	}
	return bad
}

// recovery resolves the steps of a recovery into the plan, those of the runbooks
// that it calls in the place of the calls. What a called runbook verifies must pass
// before what follows the call begins, and again when the whole run is verified.
func (rb *Runbook) recovery(s *incidents.Incident, from []Step, values map[string]string, plan *incidents.Plan, prefix string) error {
	for i := range from {
		if from[i].Kind == KindRunbook {
			if err := from[i].enter(s, values, plan, prefix, i+1 < len(from)); err != nil {
				return err
			}
			continue
		}
		one, err := rb.steps(from[i:i+1], values)
		if err != nil {
			return err
		}
		plan.Recover = append(plan.Recover, named(one, prefix)...)
	}
	return nil
}

// named puts the way to the steps in front of their ids. No id of a step has a dot.
func named(all []incidents.Step, prefix string) []incidents.Step {
	for i := range all {
		all[i].ID = prefix + all[i].ID
		under(all[i].Note, prefix)
	}
	return all
}

// enter puts what the call stands for into the plan; follows says that the caller
// has more to do after it.
func (s *Step) enter(incident *incidents.Incident, values map[string]string, plan *incidents.Plan, prefix string, follows bool) error {
	callee := s.callee
	if callee == nil { // a file that was read alone
		return steps.Bad(fmt.Errorf("step %s calls %s, which is not loaded", s.ID, s.target))
	}
	given := make(map[string]string, len(s.options))
	for _, o := range s.options {
		given[o.name] = o.value.fill(values, asIs)
	}
	inner, err := callee.resolve(incident, given)
	if err != nil {
		if refused, ok := errors.AsType[*incidents.Error](err); ok {
			refused.Hint = "" // the caller is to be run, not the callee
		}
		return fmt.Errorf("call %s: %w", callee.ID, err)
	}
	if plan.Calls == nil {
		plan.Calls = map[string]string{}
	}
	plan.Calls[callee.ID] = callee.Digest
	prefix += s.ID + "."
	if err := callee.recovery(incident, callee.Recover, inner, plan, prefix); err != nil {
		return err
	}
	proof, err := callee.steps(callee.Verify.Steps, inner)
	if err != nil {
		return err
	}
	proof = named(proof, prefix)
	v := &plan.Verify
	v.Steps = append(v.Steps, proof...)
	v.Stable, v.Within, v.NoAlerts = max(v.Stable, callee.Verify.Stable), max(v.Within, callee.Verify.Within), v.NoAlerts && callee.Verify.NoAlerts
	if !follows {
		return nil
	}
	for _, step := range proof {
		step.ID += ".verified"
		step.Retry = patience(step.Timeout, callee.Verify)
		plan.Recover = append(plan.Recover, step)
	}
	return nil
}

// patience is how often what a called runbook verifies is asked before what follows
// the call: as long as it may take to come up, within what a step may take.
func patience(timeout time.Duration, v Verify) *incidents.Retry {
	times := min(int(v.Within/v.Every)+1, maxTries)
	for ; times > 1; times-- {
		retry := &incidents.Retry{Times: times, Every: min(v.Every, time.Minute)}
		if (&incidents.Step{Timeout: timeout, Retry: retry}).Longest() <= MaxTimeout {
			return retry
		}
	}
	return nil
}

// called says whether the runbooks that the plan calls are still those that it was
// made from.
func (l *Library) called(plan incidents.Plan) error {
	for _, id := range slices.Sorted(maps.Keys(plan.Calls)) {
		if rb := l.Get(id); rb == nil || rb.Digest != plan.Calls[id] {
			return l.notAsPlanned(id, rb)
		}
	}
	return nil
}
