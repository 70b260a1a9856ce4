package runbooks

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

func (r *reader) steps(n *yaml.Node, section string, timeout time.Duration) []Step {
	items := r.items(n, section, MaxSteps)
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		r.fail(n, "runbook.lint.no_steps", "key", section)
	}
	var read []Step
	for i, item := range items {
		s, ok := r.step(item, section == "recover", timeout)
		if !ok {
			continue
		}
		if section != "recover" && s.Kind == KindHTTP && s.Method != "GET" && s.Method != "HEAD" {
			r.fail(item, "runbook.lint.look_method", "method", s.Method)
		}
		if s.ID == "" {
			s.ID = section + "-" + strconv.Itoa(i+1)
		}
		if slices.ContainsFunc(read, func(o Step) bool { return o.ID == s.ID }) {
			r.fail(item, "runbook.lint.step_twice", "id", s.ID)
		}
		read = append(read, s)
	}
	r.notes(n, read)
	return read
}

func (r *reader) step(n *yaml.Node, changes bool, timeout time.Duration) (Step, bool) {
	s := Step{Timeout: timeout}
	f, ok := r.fields(n, "step", append([]string{"id", "title", "timeout", "retry", "idempotent"}, kinds...)...)
	if !ok {
		return s, false
	}
	if v := f["id"]; v != nil {
		id, ok := r.str(v, "id")
		if ok && !stepIDForm.MatchString(id) {
			r.fail(v, "runbook.lint.bad_id", "id", id)
		}
		s.ID = id
	}
	if v := f["title"]; v != nil {
		s.Title = r.text(v, "title")
		if s.Title.JA == "" {
			r.warn(v, "runbook.lint.no_japanese", "key", "title")
		}
	}
	if v := f["timeout"]; v != nil {
		if d, ok := r.duration(v, "timeout", 100*time.Millisecond, MaxTimeout); ok {
			s.Timeout = d
		}
	}
	if f[KindRunbook] == nil {
		r.retry(&s, f, changes)
	}
	for _, kind := range kinds {
		if f[kind] == nil {
			continue
		}
		if s.Kind != "" {
			r.fail(f[kind], "runbook.lint.step_kinds", "kinds", strings.Join(kinds, ", "))
			return s, false
		}
		s.Kind = kind
	}
	if s.Kind == "" {
		r.fail(n, "runbook.lint.step_kinds", "kinds", strings.Join(kinds, ", "))
		return s, false
	}
	if s.Kind == KindRunbook {
		r.call(&s, f[s.Kind], f, changes)
		return s, true
	}
	r.body(&s, f[s.Kind], changes)
	if len(s.Expect.Codes) == 0 {
		s.Expect.Codes = usualCodes[s.Kind]
	}
	return s, true
}

// body reads what stands under the step's kind.
func (r *reader) body(s *Step, n *yaml.Node, changes bool) {
	switch s.Kind {
	case KindCommand:
		r.command(s, n)
	case KindHTTP:
		r.http(s, n)
	case KindPromQL:
		r.promql(s, n)
	case KindSSH:
		r.ssh(s, n)
	case KindAnsible:
		r.ansible(s, n, changes)
	case KindRundeck, KindKompira:
		r.job(s, n, changes)
	case KindLog:
		r.log(s, n)
	case KindInfluxQL:
		r.influxql(s, n)
	case KindNote:
		r.note(s, n, changes)
	}
}

// retry reads how often the step is tried. What changes something is tried once,
// unless its author says that twice does no more than once.
func (r *reader) retry(s *Step, f fields, changes bool) {
	may := f["idempotent"] != nil && r.boolean(f["idempotent"], "idempotent")
	n := f["retry"]
	switch {
	case n == nil && may:
		r.warn(f["idempotent"], "runbook.lint.idempotent_once")
		return
	case n == nil:
		return
	case f[KindNote] != nil:
		r.fail(n, "runbook.lint.retry_note")
		return
	case f[KindRundeck] != nil || f[KindKompira] != nil:
		r.fail(n, "runbook.lint.retry_job")
		return
	case changes && !may:
		r.fail(n, "runbook.lint.retry_recover")
		return
	}
	rf, ok := r.fields(n, "retry", "times", "every")
	if !ok {
		return
	}
	retry := &incidents.Retry{Times: 3, Every: time.Second}
	if v := rf["times"]; v != nil {
		if times, ok := r.number(v, "times"); ok && (times < 2 || times > maxTries) {
			r.fail(v, "runbook.lint.retry_times", "max", strconv.Itoa(maxTries))
		} else if ok {
			retry.Times = int(times)
		}
	}
	if v := rf["every"]; v != nil {
		if every, ok := r.duration(v, "every", 100*time.Millisecond, time.Minute); ok {
			retry.Every = every
		}
	}
	s.Retry = retry
	if all := (&incidents.Step{Timeout: s.Timeout, Retry: retry}).Longest(); all > MaxTimeout {
		r.fail(n, "runbook.lint.retry_long", "all", short(all), "most", short(MaxTimeout))
	}
}

// usualCodes are expected where the author says nothing. A plan says them.
var usualCodes = map[string][]steps.Range{
	KindCommand: {{Low: 0, High: 0}}, KindHTTP: {{Low: 200, High: 299}}, KindSSH: {{Low: 0, High: 0}},
	KindAnsible: {{Low: 0, High: 0}}, KindRundeck: {{Low: 0, High: 0}}, KindKompira: {{Low: 0, High: 0}},
}

func (r *reader) templateFail(n *yaml.Node, bad *templateError) {
	r.fail(n, bad.phrase, bad.args...)
}

func (r *reader) command(s *Step, n *yaml.Node) {
	if f, ok := r.fields(n, KindCommand, "argv", "expect"); ok {
		r.commandLine(s, f, n)
	}
}

// commandLine reads argv and what is expected of it.
func (r *reader) commandLine(s *Step, f fields, n *yaml.Node) {
	if f["argv"] == nil || f["argv"].Kind != yaml.SequenceNode || len(f["argv"].Content) == 0 {
		r.fail(n, "runbook.lint.argv")
		return
	}
	whole := true
	for _, item := range r.items(f["argv"], "argv", MaxArgs) {
		text, ok := r.str(item, "argv")
		t, bad := parseTemplate(text, r.vars)
		if bad != nil {
			r.templateFail(item, bad)
		}
		whole = whole && ok && bad == nil
		s.argv = append(s.argv, t)
	}
	if whole {
		r.program(s.argv, f["argv"])
	}
	if f["expect"] != nil {
		r.expect(&s.Expect, f["expect"], "exit", "contains", "lacks", "json", "number")
	}
}

var httpMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

func (r *reader) http(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindHTTP, "method", "url", "expect")
	if !ok {
		return
	}
	s.Method = "GET"
	if m := f["method"]; m != nil {
		if s.Method, _ = r.str(m, "method"); !slices.Contains(httpMethods, s.Method) {
			r.fail(m, "runbook.lint.method", "method", s.Method)
		}
	}
	if f["url"] == nil {
		r.fail(n, "runbook.lint.missing", "key", "url")
	} else if text, ok := r.str(f["url"], "url"); ok {
		u, bad := parseURLTemplate(text, r.vars)
		if bad != nil {
			r.templateFail(f["url"], bad)
		}
		s.url = u
	}
	if f["expect"] != nil {
		r.expect(&s.Expect, f["expect"], "status", "contains", "lacks", "json")
	}
}

func (r *reader) promql(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindPromQL, "query", "expect")
	if !ok {
		return
	}
	if f["query"] == nil {
		r.fail(n, "runbook.lint.missing", "key", "query")
	} else if text, ok := r.str(f["query"], "query"); ok {
		q, bad := parseQueryTemplate(text, r.vars)
		if bad != nil {
			r.templateFail(f["query"], bad)
		}
		s.query = q
	}
	if f["expect"] == nil {
		r.fail(n, "runbook.lint.missing", "key", "expect")
		return
	}
	r.count(s, f["expect"])
}

// count reads "none" or a comparison with a number.
func (r *reader) count(s *Step, n *yaml.Node) {
	text, ok := r.str(n, "expect")
	if !ok {
		return
	}
	if text == "none" {
		s.Expect.None = true
		return
	}
	c, err := steps.ParseCompare(text, false)
	if err != nil {
		r.fail(n, "runbook.lint.bad_expect", "key", "expect", "error", err.Error())
		return
	}
	s.Expect.Number = c
}

func (r *reader) expect(e *steps.Expect, n *yaml.Node, allowed ...string) {
	f, ok := r.fields(n, "expect", allowed...)
	if !ok {
		return
	}
	for _, key := range allowed {
		if f[key] == nil {
			continue
		}
		if err := r.condition(e, key, f[key]); err != nil {
			r.fail(f[key], "runbook.lint.bad_expect", "key", key, "error", err.Error())
		}
	}
}

func (r *reader) condition(e *steps.Expect, key string, n *yaml.Node) (err error) {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode && key != "json" && key != "number" {
		nodes = r.items(n, key, MaxSteps)
	}
	for _, v := range nodes {
		s, ok := r.str(v, key)
		if !ok {
			return nil // reported
		}
		switch key {
		case "exit", "status":
			var codes []steps.Range
			if codes, err = steps.ParseRanges(s); err != nil {
				return err
			}
			e.Codes = append(e.Codes, codes...)
		case "contains", "lacks":
			if s == "" {
				return errors.New("the text is empty")
			}
			if key == "contains" {
				e.Contains = append(e.Contains, s)
			} else {
				e.Lacks = append(e.Lacks, s)
			}
		case "json":
			e.JSON, err = steps.ParseCompare(s, true)
		case "number":
			e.Number, err = steps.ParseCompare(s, false)
		}
	}
	return err
}
