package runbooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kompira"
	"github.com/hikeshi-ops/hikeshi/integrations/rundeck"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	fakekompira "github.com/hikeshi-ops/hikeshi/internal/fakes/kompira"
	fakerundeck "github.com/hikeshi-ops/hikeshi/internal/fakes/rundeck"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// elsewhereBook puts one value into every kind of step that acts elsewhere.
const elsewhereBook = `id: elsewhere
title: {en: Elsewhere, ja: 他のシステム}
fits: ['service="web"']
risk: high
params:
  v: {type: string, match: '(?s).*', dash: true, from: label.value}
recover:
  - id: ssh
    ssh: {host: web-1, argv: [printf, '%s\0', '{v}', 'pre{v}-{v}post', '--option={v}']}
  - id: ansible
    ansible: {playbook: write.yml, limit: here, vars: {v: '{v}'}}
    timeout: 5m
  - id: rundeck
    rundeck: {job: 00000001-1111-2222-3333-444444444444, options: {unit: '{v}'}}
  - id: kompira
    kompira: {flow: /home/ops/restart, params: {unit: '{v}'}}
verify:
  steps:
    - id: log
      log: {file: '{var.log}', match: '\Aneedle {v} end\z', expect: '== 1'}
    - id: influxql
      influxql: {database: corpus, query: "SELECT n FROM said WHERE s = '{v}'", expect: '>= 0'}
  stable: 1s
  within: 1m
escalate: {en: x, ja: x}
`

// sown are the values that a runbook takes, each with its plan; the others are refused
// before anything is done.
func sown(t *testing.T, rb *Runbook, canary string) (values []string, plans []incidents.Plan) {
	t.Helper()
	for _, v := range testenv.Injections(canary) {
		plan, err := rb.Plan(incident("service", "web", "value", v), map[string]string{"v": v})
		switch {
		case err == nil && v != "":
			values, plans = append(values, v), append(plans, plan)
		case ordinary(v):
			t.Errorf("%q was refused: %v", v, err)
		}
	}
	return values, plans
}

// stepOf is a resolved step of the plan.
func stepOf(p incidents.Plan, id string) incidents.Step {
	all := slices.Concat(p.Recover, p.Verify.Steps)
	return all[slices.IndexFunc(all, func(s incidents.Step) bool { return s.ID == id })]
}

// What a value says arrives byte for byte at a real sshd, a real Ansible, the fakes of
// Rundeck and Kompira, and a real log; nothing that it says is run. Of ssh and Ansible one
// step carries many values, as the plans resolved them: a connection and a play each.
func TestInjectionElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	canary, logfile := filepath.Join(dir, "canary"), filepath.Join(dir, "some.log")
	rb := load(t, map[string]string{"log": logfile}, elsewhereBook).Get("elsewhere")
	values, plans := sown(t, rb, canary)
	if len(values) < 150 {
		t.Fatalf("only %d values were accepted", len(values))
	}
	t.Run("ssh", func(t *testing.T) { injectSSH(t, values, plans) })
	t.Run("ansible", func(t *testing.T) { injectAnsible(t, values, plans) })
	t.Run("jobs", func(t *testing.T) { injectJobs(t, values, plans) })
	t.Run("log", func(t *testing.T) { injectLog(t, logfile, values, plans) })
	t.Run("influxql", func(t *testing.T) { injectInflux(t, values, plans) })
	if _, err := os.Stat(canary); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a value was run: %v", err)
	}
	t.Logf("%d values", len(values))
}

func injectSSH(t *testing.T, values []string, plans []incidents.Plan) {
	s := testenv.SSHD(t)
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	text := fmt.Sprintf("defaults: {user: %s, key_file: %s, port: %d}\nhosts:\n  web-1: {address: 127.0.0.1, host_keys: [%q]}\n", s.User, s.KeyFile, s.Port, s.HostKey)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	inventory, err := ssh.ReadInventory(file)
	if err != nil {
		t.Fatal(err)
	}
	e := ssh.New(inventory)
	const atOnce = 40 // values a command line: it is bounded, and so is the output
	for from := 0; from < len(values); from += atOnce {
		to, want := min(from+atOnce, len(values)), ""
		step := stepOf(plans[from], "ssh")
		step.Argv = step.Argv[:2]
		for i := from; i < to; i++ {
			step.Argv = append(step.Argv, stepOf(plans[i], "ssh").Argv[2:]...)
			want += values[i] + "\x00pre" + values[i] + "-" + values[i] + "post\x00--option=" + values[i] + "\x00"
		}
		if r := e.Execute(t.Context(), step, steps.Env{Execution: "INC-7/1"}); !r.OK || r.Output != want {
			t.Errorf("values %d to %d: got %q, want %q (%+v)", from, to, r.Output, want, r)
		}
	}
}

// injectAnsible: a value that holds a template is refused before Ansible is started; all
// others are in one file of variables, and one play writes them down.
func injectAnsible(t *testing.T, values []string, plans []incidents.Plan) {
	testenv.Need(t, "ansible-playbook")
	dir := t.TempDir()
	config := steps.AnsibleConfig{Playbooks: filepath.Join(dir, "books"), Inventory: filepath.Join(dir, "inventory")}
	vars, names, want := map[string]string{}, []string{}, []string{}
	written := filepath.Join(dir, "written")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config.Inventory, "here ansible_connection=local\n")
	write(filepath.Join(config.Playbooks, "write.yml"), "- hosts: all\n")
	all, err := steps.New(steps.Config{Ansible: config})
	if err != nil {
		t.Fatal(err)
	}
	e := all[steps.KindAnsible]
	for i, v := range values {
		step := stepOf(plans[i], "ansible")
		if strings.Contains(v, "{{") || strings.Contains(v, "{%") || strings.Contains(v, "{#") {
			if r := e.Execute(t.Context(), step, steps.Env{}); r.OK || r.Because.Phrase != "runbook.ansible.template" {
				t.Errorf("%q: %+v", v, r)
			}
			continue
		}
		var one map[string]string
		if err := json.Unmarshal([]byte(step.Query), &one); err != nil || len(one) != 1 {
			t.Fatalf("%q: %s: %v", v, step.Query, err)
		}
		name := fmt.Sprintf("v%d", i)
		vars[name], names, want = one["v"], append(names, name), append(want, v)
	}
	write(filepath.Join(config.Playbooks, "write.yml"), "- hosts: all\n  gather_facts: false\n  tasks:\n"+
		"    - copy: {dest: "+written+", content: '{{ ["+strings.Join(names, ", ")+"] | to_json }}'}\n"+
		"    - command: {argv: [printf, '%s', '{{ "+names[0]+" }}', '{{ "+names[len(names)-1]+" }}']}\n")
	query, err := json.Marshal(vars)
	if err != nil {
		t.Fatal(err)
	}
	step := stepOf(plans[0], "ansible")
	step.Query = string(query)
	if step.Content, err = config.Content(step); err != nil {
		t.Fatal(err)
	}
	if r := e.Execute(t.Context(), step, steps.Env{Execution: "INC-7/1"}); !r.OK {
		t.Fatalf("%+v", r)
	}
	b, err := os.ReadFile(written)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(b, &got); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
}

func injectJobs(t *testing.T, values []string, plans []incidents.Plan) {
	deck := fakerundeck.New(t, map[string]fakerundeck.Job{stepOf(plans[0], "rundeck").URL: {Options: []string{"unit"}, Ends: "succeeded"}})
	flow := fakekompira.New(t, map[string]fakekompira.Job{stepOf(plans[0], "kompira").URL: {Options: []string{"unit"}, Ends: "DONE"}})
	onDeck, err := rundeck.New(rundeck.Config{URL: deck.URL, Token: fakerundeck.Token, Jobs: []string{stepOf(plans[0], "rundeck").URL}, Every: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	inFlow, err := kompira.New(kompira.Config{URL: flow.URL, Token: fakekompira.Token, Flows: []string{stepOf(plans[0], "kompira").URL}, Every: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		for id, e := range map[string]steps.Executor{"rundeck": onDeck, "kompira": inFlow} {
			if r := e.Execute(t.Context(), stepOf(plans[i], id), steps.Env{Execution: "INC-7/1"}); !r.OK {
				t.Errorf("%s, %q: %+v", id, v, r)
			}
		}
	}
	onlyOne := func(options map[string]string) string {
		if len(options) != 1 {
			return fmt.Sprintf("%d options: %q", len(options), options)
		}
		return options["unit"]
	}
	var decked, flowed []string
	for _, r := range deck.Runs() {
		decked = append(decked, onlyOne(r.Options))
	}
	for _, r := range flow.Runs() {
		flowed = append(flowed, onlyOne(r.Options))
	}
	if !slices.Equal(decked, values) || !slices.Equal(flowed, values) {
		t.Errorf("Rundeck got %q, Kompira got %q, want %q", decked, flowed, values)
	}
}

// injectLog: each value finds its own line in a log that has those of all.
func injectLog(t *testing.T, file string, values []string, plans []incidents.Plan) {
	text := ""
	for _, v := range values {
		text += "needle " + v + " end\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := steps.New(steps.Config{Logs: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if r := all[steps.KindLog].Execute(t.Context(), stepOf(plans[i], "log"), steps.Env{}); !r.OK || strings.TrimSuffix(r.Output, "\n") != "needle "+v+" end" {
			t.Errorf("%q: %+v", v, r)
		}
	}
}

// injectInflux: each value finds its own row in a real InfluxDB that has those of all.
func injectInflux(t *testing.T, values []string, plans []incidents.Plan) {
	server := testenv.InfluxDB(t)
	rows := ""
	for i, v := range values {
		rows += fmt.Sprintf("said s=\"%s\",n=%d %d\n", strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v), i, i+1)
	}
	testenv.FillInfluxDB(t, server, "corpus", "ns", rows)
	all, err := steps.New(steps.Config{InfluxDB: steps.InfluxConfig{URL: server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if r := all[steps.KindInfluxQL].Execute(t.Context(), stepOf(plans[i], "influxql"), steps.Env{}); !r.OK || r.Value != fmt.Sprint(i) {
			t.Errorf("%q: want %d: %+v", v, i, r)
		}
	}
}
