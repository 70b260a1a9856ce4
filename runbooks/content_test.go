package runbooks

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const playbookBook = `id: play
title: {en: Play, ja: 実行}
fits: ['service="web"']
risk: low
recover:
  - {id: first, command: {argv: [touch, '{var.dir}/first']}}
  - {id: book, ansible: {playbook: web.yml}}
verify: {steps: [{command: {argv: [true]}}], stable: 1s, within: 1m}
escalate: {en: x, ja: x}
`

// A plan binds what its steps refer to. Where that changes, nothing of the plan is
// run, the steps before it neither.
func TestPlanBindsWhatItsStepsReferTo(t *testing.T) {
	t.Parallel()
	sum := "one"
	var broken error
	l, problems := Load(Sources{
		Embedded: fstest.MapFS{"a.yaml": {Data: []byte(playbookBook)}}, Vars: map[string]string{"dir": t.TempDir()},
		Content: func(step incidents.Step) (string, error) {
			if step.Kind != KindAnsible {
				return "", nil
			}
			return sum, broken
		},
	})
	if len(Errors(problems)) > 0 {
		t.Fatal(problems)
	}
	plan, err := l.Get("play").Plan(incident("service", "web"), nil)
	if err != nil || plan.Recover[1].Content != "one" || plan.Recover[0].Content != "" {
		t.Fatalf("%v: %+v", err, plan.Recover)
	}
	sum = "two"
	other, err := l.Get("play").Plan(incident("service", "web"), nil)
	if err != nil || other.Digest == plan.Digest {
		t.Errorf("%v: the digest does not bind it", err)
	}
	_, done := newRunner(t, RunnerOptions{Library: l}).Run(t.Context(), plan, "INC-42/1")
	if len(done) != 1 || done[0].Step != "plan" || done[0].Because.Phrase != "runbook.ansible.changed" {
		t.Errorf("%+v", done)
	}
	looked := plan
	looked.Recover, looked.Verify.Steps = slices.Clone(plan.Recover[:1]), []incidents.Step{{ID: "site", Kind: KindSSH, URL: "ssh://web-1", Content: "before", Timeout: time.Second}}
	_, done = newRunner(t, RunnerOptions{Library: l}).Run(t.Context(), looked.Seal(), "INC-42/1")
	if len(done) != 1 || done[0].Step != "plan" || done[0].Because.Phrase != "runbook.ssh.changed" || done[0].Because.Args["host"] != "web-1" {
		t.Errorf("another host would say whether it helped: %+v", done)
	}
	broken = errors.New("away")
	if _, err := l.Get("play").Plan(incident("service", "web"), nil); err == nil {
		t.Error("it is planned without knowing what would run")
	}
}
