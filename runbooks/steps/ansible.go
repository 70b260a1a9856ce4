package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// AnsibleConfig is what ansible steps may use.
type AnsibleConfig struct {
	Playbooks string // the directory of the playbooks; "": none may be run
	Inventory string // Ansible's inventory: a file or a directory
}

// How an ansible step is carried out: its Method.
const (
	AnsibleCheck = "check" // --check --diff: says what would change
	AnsibleRun   = "run"
)

// Ansible carries out ansible steps: ansible-playbook, as a command. A step's URL
// is the playbook's name, its Method one of the above, its Argv hosts to limit it
// to, its Query the variables as a JSON object of strings.
type Ansible struct {
	command *Command
	config  AnsibleConfig
}

var (
	playbookForm = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\.ya?ml\z`)
	// limitForm has no @, by which Ansible reads a file, and no comma: one pattern an argument.
	limitForm   = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_.:-]{0,252}\z`)
	ansibleVar  = regexp.MustCompile(`\A[a-z][a-z0-9_]{0,63}\z`)
	ansibleMark = []string{"{{", "{%", "{#"} // Jinja2; Ansible reads templates in variables too
)

// ansibleEnv: no colours, nothing written beside playbooks, and no way around the
// keys of hosts.
var ansibleEnv = []string{"ANSIBLE_NOCOLOR=1", "ANSIBLE_RETRY_FILES_ENABLED=0", "ANSIBLE_HOST_KEY_CHECKING=1", "ANSIBLE_NOCOWS=1"}

// Execute implements Executor.
func (a *Ansible) Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	playbook, err := a.playbook(step.URL)
	if err != nil {
		return Failed(err)
	}
	vars, err := ansibleVars(step.Query)
	if err != nil {
		return Failed(err)
	}
	dir, err := os.MkdirTemp("", "hikeshi-step-") // 0700
	if err != nil {
		return Failed(notStarted(err))
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "vars.json")
	if err := os.WriteFile(file, vars, 0o600); err != nil {
		return Failed(notStarted(err))
	}
	argv := []string{"ansible-playbook", "-i", a.config.Inventory, "-e", "@" + file}
	approved := step
	if step.Argv, err = ansibleArgs(argv, step, playbook); err != nil {
		return Failed(Bad(err))
	}
	if err := a.unchanged(approved); err != nil {
		return Failed(err)
	}
	said := &speech{live: env.Live}
	code, err := a.command.run(ctx, step, append(a.command.environ(dir, step, env), ansibleEnv...), dir, said)
	if err != nil {
		result := Failed(err)
		// What was ended here may go on over there. A program that never started
		// has said nothing and was given no time.
		result.Unsure = step.Method == AnsibleRun && cutShort(result.Because.Phrase)
		result.Output = string(said.both.bytes())
		return result
	}
	return judgeCommand(expect, code, said)
}

// cutShort: it was started, and ended before its time.
func cutShort(phrase string) bool {
	return slices.Contains([]string{"runbook.timeout", "runbook.no_time", "runbook.interrupted", "runbook.killed"}, phrase)
}

func ansibleArgs(argv []string, step incidents.Step, playbook string) ([]string, error) {
	switch step.Method {
	case AnsibleCheck:
		argv = append(argv, "--check", "--diff")
	case AnsibleRun:
	default:
		return nil, fmt.Errorf("an ansible step cannot be carried out as %.100q", step.Method)
	}
	for _, limit := range step.Argv {
		if !limitForm.MatchString(limit) {
			return nil, fmt.Errorf("it cannot be limited to %.100q", limit)
		}
	}
	if len(step.Argv) > 0 {
		argv = append(argv, "--limit", strings.Join(step.Argv, ","))
	}
	return append(argv, "--", playbook), nil
}

// playbook is the file's path. It stays inside the directory, symbolic links
// included, and nobody but its owner may have written it.
func (a *Ansible) playbook(name string) (string, error) {
	refuse := func(why string) error {
		return incidents.Fail(incidents.Forbidden, "runbook.ansible.playbook",
			fmt.Sprintf("the playbook %.100q cannot be run: %s", name, why), "playbook", fmt.Sprintf("%.100s", name), "error", why)
	}
	if a.config.Playbooks == "" {
		return "", refuse("runbooks.ansible.playbooks is not configured")
	}
	if !playbookForm.MatchString(name) || slices.Contains(strings.Split(name, "/"), "..") {
		return "", refuse("its name is not one below runbooks.ansible.playbooks")
	}
	root, err := os.OpenRoot(a.config.Playbooks)
	if err != nil {
		return "", refuse(err.Error())
	}
	defer root.Close()
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return "", refuse(err.Error())
	case !info.Mode().IsRegular():
		return "", refuse("it is not a plain file")
	case info.Mode().Perm()&0o022 != 0:
		return "", refuse("others than its owner may write to it: chmod go-w")
	}
	return filepath.Join(a.config.Playbooks, filepath.FromSlash(name)), nil
}

// ansibleVars is the content of the file of variables. A value that holds a
// template would be run as one.
func ansibleVars(query string) ([]byte, error) {
	vars := map[string]string{}
	if query != "" {
		if err := json.Unmarshal([]byte(query), &vars); err != nil {
			return nil, Bad(errors.New("its variables are not a JSON object of strings"))
		}
	}
	for name, value := range vars {
		if !ansibleVar.MatchString(name) || strings.HasPrefix(name, "ansible_") {
			return nil, Bad(fmt.Errorf("%.100q cannot be a variable", name))
		}
		if slices.ContainsFunc(ansibleMark, func(mark string) bool { return strings.Contains(value, mark) }) {
			return nil, incidents.Fail(incidents.Invalid, "runbook.ansible.template",
				fmt.Sprintf("the variable %s holds a template, which Ansible would carry out", name), "name", name)
		}
	}
	return json.Marshal(vars)
}
