package runbooks

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxPattern = 1024 // bytes of a regular expression (S33)
	maxEnum    = 100
)

// reserved are names that mean something else, or will.
var reserved = []string{"var", "incident", "execution", "alert", "label", "env", "id"}

var labelName = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_]*\z`)

func (r *reader) params(n *yaml.Node) []Param {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "runbook.lint.want_mapping", "key", "params", "keys", "…")
		return nil
	}
	if len(n.Content)/2 > MaxParams {
		r.fail(n, "runbook.lint.too_many", "key", "params", "max", "32")
		return nil
	}
	var params []Param
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		if !paramName.MatchString(k.Value) || slices.Contains(reserved, k.Value) {
			r.fail(k, "runbook.lint.param_name", "name", k.Value)
			continue
		}
		p := r.param(k, n.Content[i+1])
		params = append(params, p) // also a bad one, so that its uses are not reported too
	}
	return params
}

func (r *reader) param(k, n *yaml.Node) Param {
	p := Param{Name: k.Value, Min: math.MinInt64, Max: math.MaxInt64}
	f, ok := r.fields(n, k.Value, "type", "title", "values", "min", "max", "match", "max_length", "dash", "from", "default")
	if !ok {
		return p
	}
	if t := f["type"]; t == nil {
		r.fail(k, "runbook.lint.param_untyped", "name", p.Name)
		return p
	} else if s, ok := r.str(t, "type"); ok {
		p.Type = ParamType(s)
	}
	if t := f["title"]; t != nil {
		p.Title = r.text(t, "title")
	}
	before := len(r.problems)
	r.paramType(&p, f, k)
	if v := f["from"]; v != nil {
		s, _ := r.str(v, "from")
		label, ok := strings.CutPrefix(s, "label.")
		if !ok || !labelName.MatchString(label) {
			r.fail(v, "runbook.lint.param_from", "value", s)
		}
		p.From = label
	}
	if v := f["default"]; v != nil {
		p.Default, p.HasDef = r.str(v, "default")
		if len(r.problems) == before && !p.Accept(p.Default) {
			r.fail(v, "runbook.lint.param_default", "name", p.Name, "value", p.Default, "allowed", p.Allowed())
		}
	}
	return p
}

// typeKeys are the keys that belong to one type of parameter.
var typeKeys = map[string]ParamType{"values": TypeEnum, "min": TypeInt, "max": TypeInt, "match": TypeString, "max_length": TypeString, "dash": TypeString}

func (r *reader) paramType(p *Param, f fields, k *yaml.Node) {
	for _, key := range []string{"values", "min", "max", "match", "max_length", "dash"} {
		if p.Type == TypeDuration && (key == "min" || key == "max") {
			continue
		}
		if f[key] != nil && typeKeys[key] != p.Type {
			r.fail(f[key], "runbook.lint.param_key", "key", key, "type", string(typeKeys[key]))
		}
	}
	switch p.Type {
	case TypeEnum:
		r.paramEnum(p, f, k)
	case TypeInt:
		for key, to := range map[string]*int64{"min": &p.Min, "max": &p.Max} {
			if v := f[key]; v == nil {
				r.fail(k, "runbook.lint.param_bounds", "name", p.Name)
				return
			} else if number, ok := r.number(v, key); ok {
				*to = number
			}
		}
		if p.Min > p.Max {
			r.fail(k, "runbook.lint.param_bounds", "name", p.Name)
		}
	case TypeString:
		r.paramPattern(p, f, k)
	case TypeHost:
	case TypeDuration:
		r.paramDuration(p, f, k)
	default:
		r.fail(f["type"], "runbook.lint.param_type", "type", string(p.Type))
	}
}

func (r *reader) paramEnum(p *Param, f fields, k *yaml.Node) {
	if f["values"] == nil {
		r.fail(k, "runbook.lint.param_values", "name", p.Name)
		return
	}
	for _, v := range r.items(f["values"], "values", maxEnum) {
		s, ok := r.str(v, "values")
		if !ok {
			continue
		}
		if slices.Contains(p.Values, s) {
			r.fail(v, "runbook.lint.param_twice", "value", s)
		}
		p.Values = append(p.Values, s)
		if !p.Accept(s) {
			r.fail(v, "runbook.lint.param_value", "value", s)
		}
	}
	if len(p.Values) == 0 {
		r.fail(k, "runbook.lint.param_values", "name", p.Name)
	}
}

func (r *reader) paramDuration(p *Param, f fields, k *yaml.Node) {
	for key, to := range map[string]*int64{"min": &p.Min, "max": &p.Max} {
		if f[key] == nil {
			r.fail(k, "runbook.lint.param_times", "name", p.Name)
			return
		}
		if d, ok := r.duration(f[key], key, 0, maxWithin); ok {
			*to = int64(d)
		}
	}
	if p.Min > p.Max {
		r.fail(k, "runbook.lint.param_times", "name", p.Name)
	}
}

// paramPattern compiles the pattern twice: alone, because a)|(b would break out
// of the anchors, and then anchored.
func (r *reader) paramPattern(p *Param, f fields, k *yaml.Node) {
	n := f["match"]
	if n == nil {
		r.fail(k, "runbook.lint.param_match", "name", p.Name)
		return
	}
	s, ok := r.str(n, "match")
	if !ok {
		return
	}
	p.Pattern, p.Length = s, maxValue
	if v := f["max_length"]; v != nil {
		if length, ok := r.number(v, "max_length"); ok && (length < 1 || length > maxValue) {
			r.fail(v, "runbook.lint.param_length", "max", strconv.Itoa(maxValue))
		} else if ok {
			p.Length = int(length)
		}
	}
	if f["dash"] != nil {
		p.Dash = r.boolean(f["dash"], "dash")
	}
	if len(s) > maxPattern || s == "" || multiline.MatchString(s) {
		r.fail(n, "runbook.lint.param_pattern", "error", "(?m)")
		return
	}
	if _, err := regexp.Compile(s); err != nil {
		r.fail(n, "runbook.lint.param_pattern", "error", patternError(err))
		return
	}
	re, err := regexp.Compile(`\A(?:` + s + `)\z`)
	if err != nil { // only as a part of a larger one is it wrong
		r.fail(n, "runbook.lint.pattern_open", "pattern", s)
		return
	}
	p.match = re
}

// patternError is what is wrong with a regular expression, without Go's preamble.
func patternError(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
