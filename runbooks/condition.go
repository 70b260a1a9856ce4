package runbooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Bounds of a condition. The cost is CEL's own measure, about the number of
// operations; a condition of a runbook costs some tens.
const (
	maxExpr = 1024
	maxCost = 20_000
)

// A condition is an expression in CEL (https://cel.dev) that is true or false.
// It can look at what the checks found, the parameters and the labels, and do
// nothing: there are no functions but CEL's own, none of which reaches outside.
type condition struct {
	program cel.Program
	uses    []string // "steps.apache.ok", "params.env", "alert.labels"
	labels  bool     // it looks at labels
}

// conditionEnv declares what conditions of the runbook can name, each with its
// type, so that a name that is misspelt is found when the file is read.
func conditionEnv(checks []Step, params []Param) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), // value > 90 and value > 90.0
		cel.Variable("alert.labels", cel.MapType(cel.StringType, cel.StringType)),
	}
	for i := range checks {
		s, at := &checks[i], "steps."+checks[i].ID+"."
		options = append(options, cel.Variable(at+"ok", cel.BoolType), cel.Variable(at+"output", cel.StringType), cel.Variable(at+"value", cel.DoubleType))
		switch s.Kind {
		case KindCommand, KindSSH, KindAnsible:
			options = append(options, cel.Variable(at+"exit", cel.IntType))
		case KindHTTP:
			options = append(options, cel.Variable(at+"status", cel.IntType))
		}
	}
	for i := range params {
		options = append(options, cel.Variable("params."+params[i].Name, celType(params[i].Type)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declare what conditions can name: %w", err)
	}
	return env, nil
}

func celType(t ParamType) *cel.Type {
	switch t {
	case TypeInt:
		return cel.IntType
	case TypeDuration:
		return cel.DurationType
	default:
		return cel.StringType
	}
}

var dotted = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+`)

// compile reads a condition; the error is for its author.
func compile(env *cel.Env, expr string) (*condition, error) {
	if len(expr) > maxExpr {
		return nil, fmt.Errorf("it is longer than %d bytes", maxExpr)
	}
	ast, issues := env.Compile(expr)
	if issues != nil && len(issues.Errors()) > 0 {
		first := issues.Errors()[0]
		message := strings.ReplaceAll(first.Message, "\n", " ")
		if at := first.Location.Column(); strings.HasPrefix(message, "undeclared reference") && first.Location.Line() == 1 && at < len(expr) {
			if name := dotted.FindString(expr[at:]); name != "" { // CEL names only the part before the first dot
				message = "there is no " + name
			}
		}
		return nil, fmt.Errorf("character %d: %s", first.Location.Column()+1, message)
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("it gives a %s, not true or false", ast.OutputType())
	}
	program, err := env.Program(ast, cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	c := &condition{program: program}
	for _, ref := range ast.NativeRep().ReferenceMap() {
		for _, root := range []string{"steps.", "params.", "alert."} {
			if strings.HasPrefix(ref.Name, root) {
				c.uses = append(c.uses, ref.Name)
			}
		}
	}
	slices.Sort(c.uses)
	c.uses = slices.Compact(c.uses)
	c.labels = slices.Contains(c.uses, "alert.labels")
	return c, nil
}

// holds evaluates the condition. An error says that it cannot be decided.
func (c *condition) holds(f *facts) (bool, error) {
	value, _, err := c.program.Eval(c.input(f))
	if err != nil {
		if missing := c.missing(f); missing != "" {
			return false, fmt.Errorf("%s has no result", missing)
		}
		return false, fmt.Errorf("evaluate: %w", err)
	}
	holds, ok := value.Value().(bool)
	if !ok {
		return false, errors.New("it is neither true nor false")
	}
	return holds, nil
}

// input are the values by name; what is not known has none.
func (c *condition) input(f *facts) map[string]any {
	in := map[string]any{"alert.labels": labelMap(f.labels)}
	for id, found := range f.checks {
		at := "steps." + id + "."
		in[at+"ok"], in[at+"output"] = found.ok, found.output
		if !found.silent {
			in[at+"exit"], in[at+"status"] = int64(found.code), int64(found.code)
		}
		if found.number != nil {
			in[at+"value"] = *found.number
		}
	}
	for name, value := range f.params {
		in["params."+name] = value
	}
	return in
}

// missing is the first of what the condition asks about that has no value.
func (c *condition) missing(f *facts) string {
	in := c.input(f)
	for _, name := range c.uses {
		if _, there := in[name]; !there {
			return name
		}
	}
	return ""
}

func labelMap(labels incidents.Labels) map[string]string {
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		m[l.Name] = l.Value
	}
	return m
}

// typed turns the parameters' texts into what CEL calculates with.
func (rb *Runbook) typed(values map[string]string) map[string]any {
	all := make(map[string]any, len(values))
	for i := range rb.Params {
		p := &rb.Params[i]
		text, given := values[p.Name]
		if !given {
			continue
		}
		var value any = text
		var err error
		switch p.Type {
		case TypeInt:
			value, err = strconv.ParseInt(text, 10, 64)
		case TypeDuration:
			value, err = time.ParseDuration(text)
		}
		if err == nil { // it was accepted
			all[p.Name] = value
		}
	}
	return all
}
