package runbooks

import (
	"regexp"
	"slices"
	"strings"
)

// A template is a string with places for parameters: {name}. A \{ is a plain
// brace. There is nothing else to it: no expressions, no functions, no second
// reading of what was filled in.
type template []part

// A part is text, or the place of a parameter.
type part struct {
	text  string
	param string
}

// vars are the values of {var.name}: the operator's own configuration, put in
// when a file is read.
type vars struct {
	values map[string]string
	any    bool // unknown names stand for themselves: a linter has no configuration
}

var (
	placeForm = regexp.MustCompile(`\A\{([A-Za-z0-9_.-]+)\}`)
	paramName = regexp.MustCompile(`\A[a-z][a-z0-9_]{0,31}\z`)
	varName   = regexp.MustCompile(`\Avar\.[a-z][a-z0-9_]{0,31}\z`)
)

// templateError is the phrase of what is wrong, with the words it needs.
type templateError struct {
	phrase string
	args   []string
}

// parseTemplate reads s. A brace that does not look like a place, as in a PromQL
// selector or in JSON, is text; one that looks like a place must be one.
func parseTemplate(s string, v *vars) (template, *templateError) {
	var t template
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t = append(t, part{text: text.String()})
			text.Reset()
		}
	}
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, `\{`):
			text.WriteByte('{')
			s = s[2:]
			continue
		case strings.HasPrefix(s, "{{"):
			return nil, &templateError{"runbook.lint.double_brace", nil}
		}
		m := placeForm.FindStringSubmatch(s)
		if m == nil {
			text.WriteByte(s[0])
			s = s[1:]
			continue
		}
		s = s[len(m[0]):]
		switch name := m[1]; {
		case varName.MatchString(name):
			value, ok := v.get(strings.TrimPrefix(name, "var."))
			if !ok {
				return nil, &templateError{"runbook.lint.unknown_var", []string{"name", name}}
			}
			flush()
			t = append(t, part{text: value})
		case paramName.MatchString(name):
			flush()
			t = append(t, part{param: name})
		default:
			return nil, &templateError{"runbook.lint.bad_place", []string{"place", m[0]}}
		}
	}
	flush()
	return t, nil
}

func (v *vars) get(name string) (string, bool) {
	value, ok := v.values[name]
	if !ok && v.any {
		return "{var." + name + "}", true
	}
	return value, ok
}

// params are the names of the parameters used.
func (t template) params() []string {
	var names []string
	for _, p := range t {
		if p.param != "" && !slices.Contains(names, p.param) {
			names = append(names, p.param)
		}
	}
	return names
}

// fill puts values in, each through escape.
func (t template) fill(values map[string]string, escape func(string) string) string {
	var b strings.Builder
	for _, p := range t {
		if p.param == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(escape(values[p.param]))
		}
	}
	return b.String()
}

func asIs(s string) string { return s }

func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.param == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString("{" + p.param + "}")
		}
	}
	return b.String()
}
