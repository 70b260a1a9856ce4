package runbooks

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

const sshBook = `id: far
title: {en: Far, ja: 遠く}
fits: ['service="web"']
risk: low
params:
  host: {type: host, from: label.host}
  unit: {type: string, match: '[^/]*', default: apache2}
check:
  - {id: apache, ssh: {host: '{host}', argv: [ps, -C, '{unit}'], expect: {exit: 0}}}
branches:
  - {id: start, when: 'steps.apache.exit == 1', recover: [{id: start, ssh: {host: '{host}', argv: [systemctl, start, '{unit}']}}]}
  - {id: rest, otherwise: true, escalate: {en: Look, ja: 確認}}
verify: {same_as: check, stable: 1s, within: 1m}
escalate: {en: x, ja: x}
`

func TestSSHStepIsPlannedForItsHost(t *testing.T) {
	t.Parallel()
	l := load(t, nil, sshBook)
	rb := l.Get("far")
	s := incident("service", "web", "host", "web-1")
	s.Findings = []incidents.Finding{{Check: "far/apache", Code: 1}}
	plan, err := rb.Plan(s, map[string]string{"unit": "a b; id"})
	if err != nil {
		t.Fatal(err)
	}
	step := plan.Recover[0]
	if step.Kind != KindSSH || step.URL != "ssh://web-1" || strings.Join(step.Argv, "|") != "systemctl|start|a b; id" {
		t.Errorf("%+v", step)
	}
	if got := StepLine(step); got != "ssh web-1 systemctl start 'a b; id'" {
		t.Errorf("shown as %q", got)
	}
	if got := rb.Check[0].Show(); got != "ssh {host} ps -C '{unit}'" && got != "ssh {host} ps -C {unit}" {
		t.Errorf("shown as %q", got)
	}
	if other, err := rb.Plan(incident2(s, "web-2"), map[string]string{"unit": "a b; id"}); err != nil || other.Digest == plan.Digest {
		t.Errorf("the host is not part of the digest: %v", err)
	}
}

// incident2 is the incident, of another host.
func incident2(s *incidents.Incident, host string) *incidents.Incident {
	other := incident("service", "web", "host", host)
	other.Findings = s.Findings
	return other
}

// A host that the inventory does not know is refused before anybody is asked.
func TestSSHHostIsHeldAgainstTheInventory(t *testing.T) {
	t.Parallel()
	rb := load(t, nil, sshBook).Get("far")
	rb.inventory([]string{"web-1"})
	for _, host := range []string{"web-2", "-oProxyCommand=id", "root@web-1", "web-1 id"} {
		s := incident("service", "web", "host", host)
		s.Findings = []incidents.Finding{{Check: "far/apache", Code: 1}}
		if plan, err := rb.Plan(s, nil); err == nil {
			t.Errorf("%q: planned %+v", host, plan.Recover)
		}
	}
}

func TestSSHStepsAreLinted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ step, phrase string }{
		"no host":         {`ssh: {argv: [ps]}`, "runbook.lint.missing"},
		"no argv":         {`ssh: {host: web-1}`, "runbook.lint.argv"},
		"empty host":      {`ssh: {host: '', argv: [ps]}`, "runbook.lint.want_text"},
		"chosen program":  {`ssh: {host: web-1, argv: ['{unit}']}`, "runbook.lint.argv_program"},
		"script":          {`ssh: {host: web-1, argv: [sh, -c, 'echo {unit}']}`, "runbook.lint.shell_data"},
		"further key":     {`ssh: {host: web-1, user: root, argv: [ps]}`, "runbook.lint.unknown_key"},
		"two kinds":       {"ssh: {host: web-1, argv: [ps]}\n    command: {argv: [ps]}", "runbook.lint.step_kinds"},
		"status of a run": {`ssh: {host: web-1, argv: [ps], expect: {status: 200}}`, "runbook.lint.unknown_key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "id: far\ntitle: {en: Far, ja: 遠}\nfits: ['service=\"web\"']\nparams:\n  unit: {type: string, match: '.*', default: x}\ncheck:\n  - id: one\n    " + c.step + "\n"
			_, problems := Parse("far.yaml", []byte(text), nil)
			for _, p := range problems {
				if p.What.Phrase == c.phrase {
					return
				}
			}
			t.Errorf("%v", problems)
		})
	}
}

const farBook = `id: far
title: {en: Far, ja: 遠く}
fits: ['service="web"']
risk: low
params:
  host: {type: host, from: label.host}
  unit: {type: string, match: '(?s).*', default: apache2}
check:
  - {id: log, log: {file: /var/log/app.log, match: 'unit={unit} .*ERROR', expect: '< 5'}}
  - {id: preview, ansible: {playbook: restart.yml, limit: '{host}', vars: {unit: '{unit}'}, check: true}}
recover:
  - {id: book, ansible: {playbook: restart.yml, limit: '{host}', vars: {unit: '{unit}', mode: "soft"}}}
  - {id: deck, rundeck: {job: 11111111-2222-3333-4444-555555555555, options: {unit: '{unit}'}}}
  - {id: flow, kompira: {flow: /home/ops/復旧, params: {unit: '{unit}'}}}
verify: {steps: [{id: log, log: {file: /var/log/app.log, match: ERROR, expect: none}}], stable: 1s, within: 1m}
escalate: {en: x, ja: x}
`

func TestStepsElsewhereArePlanned(t *testing.T) {
	t.Parallel()
	l := load(t, nil, farBook)
	rb := l.Get("far")
	plan, err := rb.Plan(incident("service", "web", "host", "web-1"), map[string]string{"unit": `a.b"[x]`})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, step := range append(plan.Check, plan.Recover...) {
		lines = append(lines, StepLine(step))
	}
	want := []string{
		`log /var/log/app.log unit=(?:a\.b"\[x\]) .*ERROR`,
		`ansible restart.yml check web-1 {"unit":"a.b\"[x]"}`,
		`ansible restart.yml run web-1 {"mode":"soft","unit":"a.b\"[x]"}`,
		`rundeck 11111111-2222-3333-4444-555555555555 {"unit":"a.b\"[x]"}`,
		`kompira /home/ops/復旧 {"unit":"a.b\"[x]"}`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	for _, lang := range phrases.Languages {
		if sheet := Sheet(rb, lang, phrases.Fill); !strings.Contains(sheet, "unit={unit}") || !strings.Contains(sheet, "/home/ops/復旧") {
			t.Errorf("the sheet does not say what is done:\n%s", sheet)
		}
	}
}

// A job is started once, even by a plan that says otherwise.
func TestJobIsNeverRepeated(t *testing.T) {
	t.Parallel()
	started := 0
	e := hearing(func(context.Context, incidents.Step, steps.Env) incidents.StepResult {
		started++
		return incidents.StepResult{}
	})
	r := newRunner(t, RunnerOptions{Library: load(t, nil, plainBook), Executors: map[string]steps.Executor{KindRundeck: e, KindKompira: e}})
	for i, kind := range []string{KindRundeck, KindKompira} {
		r.execute(t.Context(), r.runs, incidents.Step{Kind: kind, Timeout: time.Second, Retry: &incidents.Retry{Times: 5, Every: time.Millisecond}}, steps.Env{})
		if started != i+1 {
			t.Errorf("%s: started %d times", kind, started)
		}
	}
}

func TestStepsElsewhereAreLinted(t *testing.T) {
	t.Parallel()
	const job = "11111111-2222-3333-4444-555555555555"
	for name, c := range map[string]struct{ section, step, phrase string }{
		"playbook that changes in a check": {"check", "ansible: {playbook: a.yml}", "runbook.lint.look_ansible"},
		"job in a check":                   {"check", "rundeck: {job: " + job + "}", "runbook.lint.look_job"},
		"flow in a check":                  {"check", "kompira: {flow: /a/b}", "runbook.lint.look_job"},
		"job again":                        {"recover", "rundeck: {job: " + job + "}\n    idempotent: true\n    retry: {times: 3}", "runbook.lint.retry_job"},
		"flow again":                       {"recover", "kompira: {flow: /a/b}\n    idempotent: true\n    retry: {times: 3}", "runbook.lint.retry_job"},
		"job by name":                      {"recover", "rundeck: {job: restart}", "runbook.lint.job_name"},
		"flow with dots":                   {"recover", "kompira: {flow: /a/../b}", "runbook.lint.job_name"},
		"chosen job":                       {"recover", "rundeck: {job: '{unit}'}", "runbook.lint.fixed"},
		"chosen flow":                      {"recover", "kompira: {flow: '/home/{unit}'}", "runbook.lint.fixed"},
		"chosen playbook":                  {"recover", "ansible: {playbook: '{unit}.yml'}", "runbook.lint.fixed"},
		"options as a list":                {"recover", "rundeck: {job: " + job + ", options: [a]}", "runbook.lint.want_options"},
		"option's name":                    {"recover", "kompira: {flow: /a, params: {'a b': c}}", "runbook.lint.bad_option"},
		"no pattern":                       {"check", "log: {file: /a, expect: none}", "runbook.lint.missing"},
		"no expectation":                   {"check", "log: {file: /a, match: x}", "runbook.lint.missing"},
		"pattern":                          {"check", "log: {file: /a, match: '(', expect: none}", "runbook.lint.log_match"},
		"place in brackets":                {"check", "log: {file: /a, match: '[{unit}]', expect: none}", "runbook.lint.log_match"},
		"place after \\Q":                  {"check", "log: {file: /a, match: '\\Q{unit}', expect: none}", "runbook.lint.log_match"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := "id: far\ntitle: {en: Far, ja: 遠}\nfits: ['service=\"web\"']\nrisk: low\nparams:\n  unit: {type: string, match: '.*', default: x}\n" + c.section + ":\n  - id: one\n    " + c.step + "\n"
			_, problems := Parse("far.yaml", []byte(text), nil)
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == c.phrase }) {
				t.Errorf("%v", problems)
			}
		})
	}
}

// Whatever a value is, a pattern with its place finds it and is a pattern.
func TestLiteralInPatterns(t *testing.T) {
	t.Parallel()
	for _, v := range testenv.Injections("/tmp/canary") {
		if !utf8.ValidString(v) {
			continue // no parameter accepts it
		}
		re, err := regexp.Compile("^a" + literal(v) + "+z$")
		if err != nil {
			t.Errorf("%q: %v", v, err)
			continue
		}
		if !re.MatchString("a" + v + v + "z") {
			t.Errorf("%q is not found", v)
		}
	}
}
