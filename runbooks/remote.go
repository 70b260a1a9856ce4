package runbooks

import (
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// sshScheme begins the URL of a resolved ssh step; the inventory's name of the
// host follows.
const sshScheme = "ssh://"

// An option is a named value for a playbook or a job of another system.
type option struct {
	name  string
	value template
}

var (
	optionName = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9_-]{0,63}\z`)
	jobUUID    = regexp.MustCompile(`\A[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\z`)
	flowPath   = regexp.MustCompile(`\A(?:/[\p{L}\p{N}_-]+)+\z`)
)

// ssh reads a command for another host. What holds for a command here holds for
// it too: no parameter chooses the program or becomes part of a script.
func (r *reader) ssh(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindSSH, "host", "argv", "expect")
	if !ok {
		return
	}
	s.host = r.place(n, f, "host")
	r.commandLine(s, f, n)
}

// ansible reads a playbook's run. Where nothing may be changed it says check: true.
func (r *reader) ansible(s *Step, n *yaml.Node, changes bool) {
	f, ok := r.fields(n, KindAnsible, "playbook", "limit", "vars", "check", "expect")
	if !ok {
		return
	}
	s.target, s.Method = r.fixed(n, f, "playbook"), steps.AnsibleRun
	if f["limit"] != nil {
		s.host = r.place(n, f, "limit")
	}
	if f["check"] != nil && r.boolean(f["check"], "check") {
		s.Method = steps.AnsibleCheck
	} else if !changes {
		r.fail(n, "runbook.lint.look_ansible")
	}
	s.options = r.options(f["vars"], "vars")
	if f["expect"] != nil {
		r.expect(&s.Expect, f["expect"], "exit", "contains", "lacks")
	}
}

// job reads the start of a job in another system, which is a change.
func (r *reader) job(s *Step, n *yaml.Node, changes bool) {
	key, options, form := "job", "options", jobUUID
	if s.Kind == KindKompira {
		key, options, form = "flow", "params", flowPath
	}
	f, ok := r.fields(n, s.Kind, key, options, "expect")
	if !ok {
		return
	}
	if !changes {
		r.fail(n, "runbook.lint.look_job", "kind", s.Kind)
	}
	if s.target = r.fixed(n, f, key); s.target != "" && !form.MatchString(s.target) && !strings.HasPrefix(s.target, "{var.") {
		r.fail(f[key], "runbook.lint.job_name", "job", s.target)
	}
	s.options = r.options(f[options], options)
	if f["expect"] != nil {
		r.expect(&s.Expect, f["expect"], "contains", "lacks")
	}
}

// log reads a search in a log.
func (r *reader) log(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindLog, "file", "match", "expect")
	if !ok {
		return
	}
	s.host, s.match = r.place(n, f, "file"), r.place(n, f, "match")
	if f["match"] != nil && !sound(s.match) {
		r.fail(f["match"], "runbook.lint.log_match")
	}
	if f["expect"] == nil {
		r.fail(n, "runbook.lint.missing", "key", "expect")
		return
	}
	r.count(s, f["expect"])
}

// fixed reads a text without the places of parameters: data never chooses what is
// run.
func (r *reader) fixed(n *yaml.Node, f fields, key string) string {
	t := r.place(n, f, key)
	if hasPlace(t) {
		r.fail(f[key], "runbook.lint.fixed", "key", key)
		return ""
	}
	return t.fill(nil, asIs)
}

// options reads named values, in the order of their names.
func (r *reader) options(n *yaml.Node, key string) []option {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content)/2 > MaxParams {
		r.fail(n, "runbook.lint.want_options", "key", key)
		return nil
	}
	var all []option
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if !optionName.MatchString(name) {
			r.fail(n.Content[i], "runbook.lint.bad_option", "name", name)
			continue
		}
		text, ok := r.str(n.Content[i+1], name)
		if !ok {
			continue
		}
		t, bad := parseTemplate(text, r.vars)
		if bad != nil {
			r.templateFail(n.Content[i+1], bad)
		}
		all = append(all, option{name, t})
	}
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.name, b.name) })
	return all
}

// place reads a text with places that has to be there.
func (r *reader) place(n *yaml.Node, f fields, key string) template {
	if f[key] == nil {
		r.fail(n, "runbook.lint.missing", "key", key)
		return nil
	}
	text, ok := r.str(f[key], key)
	if !ok {
		return nil
	}
	t, bad := parseTemplate(text, r.vars)
	if bad != nil {
		r.templateFail(f[key], bad)
	} else if text == "" {
		r.fail(f[key], "runbook.lint.want_text", "key", key)
	}
	return t
}

// literal is a value inside a pattern, where it stands for itself.
func literal(s string) string { return "(?:" + regexp.QuoteMeta(s) + ")" }

// sound says whether the pattern is one whatever its places are filled with: each
// stands where a literal can. Inside brackets or between \Q and \E it would not.
func sound(t template) bool {
	const mark = "hikeshiPlace"
	text := t.fill(nil, func(string) string { return literal(mark) })
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return false
	}
	places := 0
	for _, p := range t {
		if p.param != "" {
			places++
		}
	}
	if places == 0 {
		return true
	}
	return strings.Count(parsed.String(), mark) == places && !strings.Contains(text, `\Q`)
}

// remote fills the places of a step that acts elsewhere.
func (rb *Runbook) remote(s *Step, step *incidents.Step, values map[string]string) error {
	step.Method = s.Method
	switch s.Kind {
	case KindSSH:
		step.URL = sshScheme + s.host.fill(values, asIs)
		for _, t := range s.argv {
			step.Argv = append(step.Argv, t.fill(values, asIs))
		}
		return nil
	case KindLog:
		step.URL, step.Query = s.host.fill(values, asIs), s.match.fill(values, literal)
		return nil
	case KindAnsible:
		if s.host != nil {
			step.Argv = []string{s.host.fill(values, asIs)}
		}
	}
	step.URL = s.target
	filled := make(map[string]string, len(s.options))
	for _, o := range s.options {
		filled[o.name] = o.value.fill(values, asIs)
	}
	b, err := json.Marshal(filled) // sorted by name
	if err != nil {
		return fmt.Errorf("write the options of step %s: %w", s.ID, err)
	}
	step.Query = string(b)
	return nil
}

// remoteLine is what a resolved step that acts elsewhere does, on one line.
func remoteLine(s incidents.Step) string {
	switch s.Kind {
	case KindSSH:
		return "ssh " + strings.TrimPrefix(s.URL, sshScheme) + " " + CommandLine(s.Argv)
	case KindLog:
		return "log " + s.URL + " " + s.Query
	case KindAnsible:
		words := append([]string{s.URL, s.Method}, s.Argv...)
		return "ansible " + CommandLine(words) + " " + s.Query
	default:
		return s.Kind + " " + s.URL + " " + s.Query
	}
}

// showRemote is the same of a step as it was written.
func (s *Step) showRemote() string {
	parts := make([]string, len(s.options))
	for i, o := range s.options {
		parts[i] = o.name + "=" + o.value.String()
	}
	words := []string{s.Kind}
	if s.Kind == KindLog {
		return strings.Join([]string{s.Kind, s.host.String(), s.match.String()}, " ")
	}
	words = append(words, s.target)
	if s.Method != "" {
		words = append(words, s.Method)
	}
	if s.host != nil {
		words = append(words, s.host.String())
	}
	return strings.Join(append(words, parts...), " ")
}
