package runbooks

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
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
