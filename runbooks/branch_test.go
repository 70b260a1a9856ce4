package runbooks

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// twoServers is a truth table over two real checks: a file that is there is up.
const twoServers = `id: two-servers
title: {en: Web and application server, ja: WebサーバーとAPサーバー}
fits: ['service="shop"']
risk: low
check:
  - {id: apache, command: {argv: [test, -e, '{var.dir}/apache']}}
  - {id: tomcat, command: {argv: [test, -e, '{var.dir}/tomcat']}}
branches:
  - id: well
    title: {en: Both are up, ja: どちらも稼働中}
    when: {apache: up, tomcat: up}
    collect:
      - {id: listing, command: {argv: [ls, '{var.dir}']}}
  - id: apache-only
    title: {en: Only Apache is down, ja: Apacheだけ停止}
    note: {en: "Tomcat is well, so only Apache is started.", ja: Tomcatは正常なのでApacheだけを起動します。}
    when: {apache: down, tomcat: up}
    recover:
      - {id: start, command: {argv: [touch, '{var.dir}/apache']}}
  - id: all-down
    title: {en: Both are down, ja: どちらも停止}
    when: 'alert.labels["env"] == "prod" && !steps.tomcat.ok'
    escalate: {en: Call the shop team., ja: ショップ担当に連絡してください。}
  - id: tomcat-down
    otherwise: true
    recover:
      - {id: start, command: {argv: [touch, '{var.dir}/tomcat', '{var.dir}/apache']}}
    escalate: {en: Tomcat does not start., ja: Tomcatが起動しません。}
verify: {same_as: check, every: 1s, stable: 0s, within: 1m}
escalate: {en: Call the web team., ja: Webチームに連絡してください。}
`

// found are findings of the checks of twoServers.
func found(id string, states ...string) []incidents.Finding {
	var all []incidents.Finding
	for _, s := range states {
		check, state, _ := strings.Cut(s, " ")
		f := incidents.Finding{Check: id + "/" + check, OK: state == stateUp}
		switch state {
		case "unknown":
			f.Error, f.Because = "no time", incidents.Because("runbook.no_time")
		case "silent":
			f.Error, f.Because = "no answer", incidents.Because("runbook.no_answer")
		}
		all = append(all, f)
	}
	return all
}

func phraseOf(err error) string {
	if e, ok := errors.AsType[*incidents.Error](err); ok {
		return e.Phrase
	}
	return ""
}

func TestBranchIsChosenByTheTable(t *testing.T) {
	t.Parallel()
	l := load(t, map[string]string{"dir": "/srv"}, twoServers)
	rb := l.Get("two-servers")
	for name, c := range map[string]struct {
		found  []string
		labels []string
		branch string
		phrase string
	}{
		"both up":           {[]string{"apache up", "tomcat up"}, nil, "well", "runbook.branch_looks"},
		"one down":          {[]string{"apache down", "tomcat up"}, nil, "apache-only", ""},
		"no answer is down": {[]string{"apache silent", "tomcat up"}, nil, "apache-only", ""},
		"in production":     {[]string{"apache down", "tomcat down"}, []string{"env", "prod"}, "all-down", "runbook.branch_looks"},
		"elsewhere":         {[]string{"apache down", "tomcat down"}, []string{"env", "dev"}, "tomcat-down", ""},
		"label missing":     {[]string{"apache down", "tomcat down"}, nil, "", "runbook.branch_unknown"},
		"not known":         {[]string{"apache down", "tomcat unknown"}, nil, "", "runbook.branch_unknown"},
		"not looked":        {nil, nil, "", "runbook.branch_unknown"},
	} {
		s := incident(append([]string{"service", "shop"}, c.labels...)...)
		s.Findings = found("two-servers", c.found...)
		b, err := rb.choose(rb.factsOf(s.Findings, s.Common, nil))
		if b != nil && b.ID != c.branch || b == nil && c.branch != "" {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
		plan, err := rb.Plan(s, nil)
		if phraseOf(err) != c.phrase {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (plan.Branch.ID != c.branch || !plan.Sealed() || !strings.HasPrefix(plan.Title.EN, "Web and application server: ") || len(plan.Recover) != 1) {
			t.Errorf("%s: %+v", name, plan)
		}
	}
}

// What would be run is in the plan and its digest, and so is why.
func TestBranchIsPartOfThePlan(t *testing.T) {
	t.Parallel()
	rb := load(t, map[string]string{"dir": "/srv"}, twoServers).Get("two-servers")
	s := incident("service", "shop", "env", "dev")
	s.Findings = found("two-servers", "apache down", "tomcat up")
	one, err := rb.Plan(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Findings = found("two-servers", "apache down", "tomcat down")
	other, err := rb.Plan(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if one.Digest == other.Digest || one.Branch.Found["tomcat"] != "up" || other.Branch.Found["tomcat"] != "down" {
		t.Errorf("%+v\n%+v", one.Branch, other.Branch)
	}
	if one.Escalate.EN != "Call the web team." || other.Escalate.EN != "Tomcat does not start." {
		t.Errorf("%v, %v", one.Escalate, other.Escalate)
	}
	one.Branch.ID = "tomcat-down"
	if one.Sealed() {
		t.Error("the branch can be changed behind the digest")
	}
}

// The whole way for real: the investigation says which way it goes, the plan
// holds only that, and it runs only while the checks still lead there.
func TestBranchForReal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tomcat")
	l := load(t, map[string]string{"dir": dir}, twoServers)
	r := newRunner(t, RunnerOptions{Library: l})
	s := incident("service", "shop", "env", "dev")
	s.Findings = r.Diagnose(t.Context(), s)
	if len(s.Findings) != 3 {
		t.Fatalf("%+v", s.Findings)
	}
	way := s.Findings[2]
	if way.Check != "two-servers:apache-only" || way.OK || way.Title.EN != "Tomcat is well, so only Apache is started." || way.Value != "apache down, tomcat up" || way.At.IsZero() {
		t.Errorf("%+v", way)
	}
	candidates := l.Fitting(s)
	if len(candidates) != 1 || candidates[0].Err != nil {
		t.Fatalf("%+v", candidates)
	}
	plan := candidates[0].Plan

	if err := os.Remove(filepath.Join(dir, "tomcat")); err != nil {
		t.Fatal(err)
	}
	_, done := r.Run(t.Context(), plan, "INC-42/1")
	if len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.branch_changed" || done[0].Because.Args["found"] != "apache down, tomcat down" {
		t.Errorf("%+v", done)
	}
	if _, err := os.Stat(filepath.Join(dir, "apache")); err == nil {
		t.Fatal("it was run although the checks lead elsewhere")
	}

	write("tomcat")
	if _, done = r.Run(t.Context(), plan, "INC-42/2"); !incidents.AllOK(done) || len(done) != 1 {
		t.Errorf("%+v", done)
	}
	if after := r.Look(t.Context(), plan, "INC-42/2"); !incidents.AllOK(after) {
		t.Errorf("%+v", after)
	}
	s.Findings = r.Diagnose(t.Context(), s) // all is well now: it collects
	at := slices.IndexFunc(s.Findings, func(f incidents.Finding) bool { return f.Check == "two-servers/listing" })
	if at < 0 || !s.Findings[at].OK || !strings.Contains(s.Findings[at].Detail, "tomcat") || !s.Findings[2].OK {
		t.Errorf("%+v", s.Findings)
	}
	if c := l.Fitting(s); phraseOf(c[0].Err) != "runbook.branch_looks" {
		t.Errorf("%v", c[0].Err)
	}
}

func branchBook(branches string) string {
	head, rest, _ := strings.Cut(twoServers, "branches:\n")
	_, tail, _ := strings.Cut(rest, "verify:")
	return head + "branches:\n" + branches + "verify:" + tail
}

func TestBranchLint(t *testing.T) {
	t.Parallel()
	run := "recover: [{command: {argv: ['true']}}]"
	otherwise := "  - {id: rest, otherwise: true, escalate: {en: x, ja: x}}\n"
	for name, c := range map[string]struct{ branches, want, text string }{
		"row of no check":      {"  - {id: a, when: {nginx: up}, " + run + "}\n" + otherwise, "when_check", "apache, tomcat"},
		"no state":             {"  - {id: a, when: {apache: broken}, " + run + "}\n" + otherwise, "when_state", ""},
		"never":                {"  - {id: a, when: 'false', " + run + "}\n" + otherwise, "unreachable", "branch a"},
		"after otherwise":      {"  - {id: b, otherwise: true, " + run + "}\n  - {id: a, when: {apache: up}, " + run + "}\n", "unreachable", "branch a"},
		"row said before":      {"  - {id: b, when: {apache: up}, " + run + "}\n  - {id: a, when: {apache: up, tomcat: up}, " + run + "}\n" + otherwise, "unreachable", "branch a"},
		"covered by two":       {"  - {id: b, when: {apache: up}, " + run + "}\n  - {id: c, when: {apache: down}, " + run + "}\n  - {id: a, when: 'params.x == \"y\"', " + run + "}\n", "bad_when", "params.x"},
		"covered in CEL":       {"  - {id: b, when: 'steps.apache.ok || steps.tomcat.ok', " + run + "}\n  - {id: a, when: {apache: up, tomcat: down}, " + run + "}\n" + otherwise, "unreachable", "branch a"},
		"contradiction in CEL": {"  - {id: a, when: 'steps.apache.ok && !steps.apache.ok', " + run + "}\n" + otherwise, "unreachable", "branch a"},
		"gap":                  {"  - {id: b, when: {apache: down}, " + run + "}\n  - {id: a, when: {tomcat: down}, " + run + "}\n", "no_otherwise", "apache up, tomcat up"},
		"unknown name":         {"  - {id: a, when: 'steps.nginx.ok', " + run + "}\n" + otherwise, "bad_when", "steps.nginx.ok"},
		"status of a command":  {"  - {id: a, when: 'steps.apache.status == 200', " + run + "}\n" + otherwise, "bad_when", "steps.apache.status"},
		"types":                {"  - {id: a, when: 'steps.apache.ok == 1', " + run + "}\n" + otherwise, "bad_when", "bool"},
		"no truth value":       {"  - {id: a, when: 'steps.apache.exit', " + run + "}\n" + otherwise, "bad_when", "int"},
		"no such function":     {"  - {id: a, when: 'exec(\"id\")', " + run + "}\n" + otherwise, "bad_when", "exec"},
		"no clock":             {"  - {id: a, when: 'now() > timestamp(0)', " + run + "}\n" + otherwise, "bad_when", "now"},
		"too long":             {"  - {id: a, when: '" + strings.Repeat("steps.apache.ok && ", 60) + "true', " + run + "}\n" + otherwise, "bad_when", "1024"},
		"no outcome":           {"  - {id: a, when: {apache: up}}\n" + otherwise, "branch_outcome", ""},
		"two outcomes":         {"  - {id: a, when: {apache: up}, " + run + ", collect: [{command: {argv: ['true']}}]}\n" + otherwise, "branch_both", ""},
		"no condition":         {"  - {id: a, " + run + "}\n" + otherwise, "branch_when", ""},
		"two conditions":       {"  - {id: a, when: {apache: up}, otherwise: true, " + run + "}\n" + otherwise, "branch_when", ""},
		"otherwise not":        {"  - {id: a, otherwise: false, " + run + "}\n" + otherwise, "branch_when", ""},
		"empty row":            {"  - {id: a, when: {}, " + run + "}\n" + otherwise, "branch_when", ""},
		"id twice":             {"  - {id: rest, when: {apache: up}, " + run + "}\n" + otherwise, "branch_twice", ""},
		"collecting changes":   {"  - {id: a, when: {apache: up}, collect: [{http: {method: POST, url: 'http://a.example/'}}]}\n  - {id: b, otherwise: true, " + run + "}\n", "look_method", "POST"},
		"unknown parameter":    {"  - {id: a, when: {apache: up}, recover: [{command: {argv: [echo, '{who}']}}]}\n" + otherwise, "unknown_param", "who"},
		"well":                 {"  - {id: a, when: {apache: down, tomcat: up}, " + run + "}\n  - {id: b, when: 'steps.tomcat.exit > 1', " + run + "}\n" + otherwise, "", ""},
	} {
		_, problems := Parse("x.yaml", []byte(branchBook(c.branches)), nil)
		hit := c.want == "" && len(Errors(problems)) == 0
		for _, p := range problems {
			said := p.Text(phrases.English, phrases.Fill)
			hit = hit || p.What.Phrase == "runbook.lint."+c.want && strings.Contains(said, c.text)
			if said == "" || strings.Contains(said, "runbook.lint.") || strings.Contains(p.Text(phrases.Japanese, phrases.Fill), "runbook.lint.") {
				t.Errorf("%s: a sentence is missing: %s", name, said)
			}
		}
		if !hit {
			t.Errorf("%s: want %s %q, got %+v", name, c.want, c.text, problems)
		}
	}
	for name, c := range map[string]struct{ source, want string }{
		"recover too":    {strings.Replace(twoServers, "verify:", "recover: [{command: {argv: ['true']}}]\nverify:", 1), "branches_and_recover"},
		"no verify":      {strings.Replace(twoServers, "verify: {same_as: check, every: 1s, stable: 0s, within: 1m}\n", "", 1), "no_verify"},
		"nothing to ask": {strings.Replace(twoServers, "check:\n", "checks:\n", 1), "branches_without_check"},
		"no risk":        {strings.Replace(twoServers, "risk: low\n", "", 1), "no_risk"},
	} {
		if _, problems := Parse("x.yaml", []byte(c.source), nil); !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint."+c.want }) {
			t.Errorf("%s: %+v", name, problems)
		}
	}
}

// A condition cannot cost much, whatever the output that it looks at says.
func TestConditionIsBounded(t *testing.T) {
	t.Parallel()
	book := branchBook(`  - {id: a, when: 'steps.apache.output.split("").exists(x, true)', escalate: {en: x, ja: x}}
  - {id: b, otherwise: true, recover: [{command: {argv: ['true']}}]}
`)
	if _, problems := Parse("x.yaml", []byte(book), nil); len(Errors(problems)) == 0 {
		t.Error("there are functions that nobody allowed")
	}
	nested := "[1,2,3,4,5,6,7,8,9]"
	expr := "true"
	for _, v := range []string{"a", "b", "c", "d", "e", "f"} {
		expr = nested + ".all(" + v + ", " + expr + ")"
	}
	source := func(expr string) []byte {
		return []byte(branchBook("  - {id: a, when: '" + expr + "', escalate: {en: x, ja: x}}\n  - {id: b, otherwise: true, recover: [{command: {argv: [\"true\"]}}]}\n"))
	}
	if _, problems := Parse("x.yaml", source(expr), nil); len(Errors(problems)) == 0 {
		t.Error("a condition that costs too much from the beginning was taken")
	}
	rb, problems := Parse("x.yaml", source(`alert.labels.all(a, alert.labels.all(b, alert.labels.all(c, a + b + c != "")))`), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	labels := map[string]string{}
	for i := range 60 {
		labels["label"+strings.Repeat("x", i)] = "v"
	}
	_, err := rb.choose(rb.factsOf(found("two-servers", "apache up", "tomcat up"), incidents.LabelsFromMap(labels), nil))
	if phraseOf(err) != "runbook.branch_unknown" || !strings.Contains(err.Error(), "cost") {
		t.Error(err)
	}
}

// Conditions calculate with what the checks found and with typed parameters.
func TestConditionSees(t *testing.T) {
	t.Parallel()
	number := 91.5
	rb := &Runbook{
		ID:     "x",
		Check:  []Step{{ID: "disk", Kind: KindCommand}, {ID: "site", Kind: KindHTTP}, {ID: "rate", Kind: KindPromQL}},
		Params: []Param{{Name: "most", Type: TypeInt}, {Name: "for", Type: TypeDuration}, {Name: "env", Type: TypeString}},
	}
	env, err := conditionEnv(rb.Check, rb.Params)
	if err != nil {
		t.Fatal(err)
	}
	f := rb.factsOf([]incidents.Finding{
		{Check: "x/disk", Code: 3, Number: &number, Detail: "/dev/sda1 91.5% full"},
		{Check: "x/site", Error: "refused", Because: incidents.Because("runbook.no_answer")},
		{Check: "y/rate", OK: true},
	}, incidents.LabelsFromMap(map[string]string{"env": "prod"}), map[string]string{"most": "90", "for": "90s", "env": "prod"})
	for expr, want := range map[string]string{
		"steps.disk.value > 90":                           "true",
		"steps.disk.value > 91.6":                         "false",
		"steps.disk.value > params.most":                  "true",
		"steps.disk.exit == 3 && !steps.disk.ok":          "true",
		`steps.disk.output.contains("sda1")`:              "true",
		`steps.disk.output.matches("^/dev/sd[a-z]")`:      "true",
		`alert.labels["env"] == params.env`:               "true",
		`"env" in alert.labels && !("x" in alert.labels)`: "true",
		`params["for"] > duration("1m")`:                  "compile",
		"!steps.site.ok":                                  "true",
		"steps.site.status == 0":                          "unknown: steps.site.status",
		"steps.rate.ok":                                   "unknown: steps.rate.ok",
		"steps.rate.ok || !steps.site.ok":                 "true",
		"steps.disk.value / 0.0 > 1.0":                    "true",
		"steps.disk.exit / 0 > 1":                         "unknown: ",
	} {
		got := "compile"
		if c, err := compile(env, expr); err == nil {
			holds, err := c.holds(f)
			got = map[bool]string{true: "true", false: "false"}[holds]
			if err != nil {
				got = "unknown: " + err.Error()
			}
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

func TestParamLengthAndDuration(t *testing.T) {
	t.Parallel()
	rb, problems := Parse("x.yaml", []byte(withLine(t, "risk:", `risk: low
params:
  who: {type: string, match: '[a-z]+', max_length: 3, default: abc}
  wait: {type: duration, min: 10s, max: 5m, default: 1m}`)), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	for value, want := range map[string]bool{"10s": true, "5m": true, "1m30s": true, "500ms": false, "6m": false, "-1m": false, "1.5m": false, "60": false, "": false, "1m ": false, "+1m": false} {
		if rb.Params[1].Accept(value) != want {
			t.Errorf("%q: not %t", value, want)
		}
	}
	for value, want := range map[string]bool{"a": true, "abc": true, "abcd": false} {
		if rb.Params[0].Accept(value) != want {
			t.Errorf("%q: not %t", value, want)
		}
	}
	for spec, want := range map[string]string{
		"{type: string, match: a, max_length: 0}":    "param_length",
		"{type: string, match: a, max_length: 2000}": "param_length",
		"{type: int, min: 1, max: 2, max_length: 3}": "param_key",
		"{type: duration, min: 10s}":                 "param_times",
		"{type: duration, min: 10s, max: 1s}":        "param_times",
		"{type: duration, min: 1, max: 2}":           "want_duration",
	} {
		_, problems := Parse("x.yaml", []byte(withLine(t, "risk:", "risk: low\nparams:\n  p: "+spec)), nil)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint."+want }) {
			t.Errorf("%s: %+v", spec, problems)
		}
	}
}

// With an inventory, a host from an alert is one of ours or the plan is refused.
func TestParamInventory(t *testing.T) {
	t.Parallel()
	source := strings.Replace(withLine(t, "risk:", "risk: low\nparams:\n  host: {type: host, from: label.instance}"), "web.service]", "web.service, '{host}']", 1)
	for name, c := range map[string]struct {
		hosts  []string
		from   string
		phrase string
	}{
		"no inventory":   {nil, "anything.example.com", ""},
		"known":          {[]string{"Web-1.example.com"}, "WEB-1.example.com:9100", ""},
		"below":          {[]string{"*.db.example.com"}, "a.db.example.com", ""},
		"the suffix":     {[]string{"*.db.example.com"}, ".db.example.com", "runbook.param_refused"},
		"not below":      {[]string{"*.db.example.com"}, "evildb.example.com", "runbook.param_refused"},
		"another":        {[]string{"web-1.example.com"}, "web-2.example.com", "runbook.param_refused"},
		"another behind": {[]string{"web-1.example.com"}, "web-1.example.com.evil.example", "runbook.param_refused"},
	} {
		l, problems := Load(Sources{Embedded: fstest.MapFS{"x.yaml": {Data: []byte(source)}}, Hosts: c.hosts})
		if len(l.All()) != 1 {
			t.Fatal(problems)
		}
		_, err := l.All()[0].Plan(incident("service", "web", "instance", c.from), nil)
		if phraseOf(err) != c.phrase {
			t.Errorf("%s: %v", name, err)
		}
	}
}
