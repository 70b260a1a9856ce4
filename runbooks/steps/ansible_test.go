package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// playbooks is a directory with a playbook that writes its variable into a file,
// and an inventory of this machine.
func playbooks(t *testing.T) (c AnsibleConfig, written string) {
	t.Helper()
	testenv.Need(t, "ansible-playbook")
	dir := t.TempDir()
	written = filepath.Join(dir, "written")
	for name, text := range map[string]string{
		"books/write.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: {dest: " + written + ", content: '{{ text }}'}\n",
		"books/fail.yml":  "- hosts: all\n  gather_facts: false\n  tasks:\n    - fail: {msg: no}\n",
		"inventory":       "here ansible_connection=local\nthere ansible_connection=local\n",
		"outside.yml":     "- hosts: all\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "outside.yml"), filepath.Join(dir, "books", "link.yml")); err != nil {
		t.Fatal(err)
	}
	return AnsibleConfig{Playbooks: filepath.Join(dir, "books"), Inventory: filepath.Join(dir, "inventory")}, written
}

func ansibleStep(playbook, method, vars string, limit ...string) incidents.Step {
	return incidents.Step{ID: "book", Kind: KindAnsible, URL: playbook, Method: method, Query: vars, Argv: limit, Expect: "code 0", Timeout: 2 * time.Minute}
}

// A preview shows the difference and changes nothing; the run makes it; the
// variable arrives byte for byte.
func TestAnsible(t *testing.T) {
	t.Parallel()
	c, written := playbooks(t)
	e := executor(t, KindAnsible, Config{Ansible: c})
	vars := `{"text":"a 'b' \"c\" $(id) ; {d} 日本"}`
	r := run(t, e, ansibleStep("write.yml", AnsibleCheck, vars, "here"))
	if !r.OK || !strings.Contains(r.Output, "+a 'b'") || !strings.Contains(r.Output, "changed=1") || strings.Contains(r.Output, "there") {
		t.Errorf("preview: %+v", r)
	}
	if _, err := os.Stat(written); err == nil {
		t.Fatal("the preview changed something")
	}
	unplanned := ansibleStep("write.yml", AnsibleRun, vars, "here")
	if r := run(t, e, unplanned); r.OK || r.Because.Phrase != "runbook.ansible.changed" {
		t.Errorf("%+v", r)
	}
	if r := run(t, e, planned(t, c, unplanned)); !r.OK {
		t.Fatalf("%+v", r)
	}
	if b, err := os.ReadFile(written); err != nil || string(b) != `a 'b' "c" $(id) ; {d} 日本` {
		t.Errorf("got %q, %v", b, err)
	}
	tail := NewTail(NewRedactor(), nil)
	failing := planned(t, c, ansibleStep("fail.yml", AnsibleRun, `{}`, "here"))
	if r := e.Execute(t.Context(), failing, Env{Live: tail}); r.OK || r.Code != 2 {
		t.Errorf("%+v", r)
	}
	if text, _ := tail.Text(1000); !strings.Contains(text, "failed=1") {
		t.Errorf("heard %q", text)
	}
}

// planned is the step with the sum of what it refers to.
func planned(t *testing.T, c AnsibleConfig, step incidents.Step) incidents.Step {
	t.Helper()
	var err error
	if step.Content, err = c.Content(step); err != nil {
		t.Fatal(err)
	}
	return step
}

// Whatever a playbook can include is part of what was approved, the inventory too.
func TestChangedPlaybooksAreNotRun(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(c AnsibleConfig) (file, text string){
		"the playbook": func(c AnsibleConfig) (string, string) {
			return filepath.Join(c.Playbooks, "write.yml"), "- hosts: all\n"
		},
		"a role": func(c AnsibleConfig) (string, string) {
			return filepath.Join(c.Playbooks, "roles/x/tasks/main.yml"), "[]\n"
		},
		"the inventory": func(c AnsibleConfig) (string, string) { return c.Inventory, "elsewhere\n" },
		"behind a link": func(c AnsibleConfig) (string, string) {
			return filepath.Join(filepath.Dir(c.Playbooks), "outside.yml"), "- hosts: here\n"
		},
	} {
		c, written := playbooks(t)
		e := executor(t, KindAnsible, Config{Ansible: c})
		step := planned(t, c, ansibleStep("write.yml", AnsibleRun, `{"text":"x"}`, "here"))
		if again := planned(t, c, step); again.Content != step.Content || len(step.Content) != 64 {
			t.Fatalf("%q, %q", step.Content, again.Content)
		}
		file, text := change(c)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := run(t, e, step); r.OK || r.Because.Phrase != "runbook.ansible.changed" {
			t.Errorf("%s: %+v", name, r)
		}
		if _, err := os.Stat(written); err == nil {
			t.Errorf("%s: it was run", name)
		}
	}
}

func TestAnsibleRefusals(t *testing.T) {
	t.Parallel()
	c, written := playbooks(t)
	e := executor(t, KindAnsible, Config{Ansible: c})
	open := filepath.Join(c.Playbooks, "open.yml")
	if err := os.WriteFile(open, []byte("- hosts: all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		e      Executor
		step   incidents.Step
		phrase string
	}{
		"template":          {e, ansibleStep("write.yml", AnsibleRun, `{"text":"{{ lookup('pipe','id') }}"}`), "runbook.ansible.template"},
		"template block":    {e, ansibleStep("write.yml", AnsibleRun, `{"text":"{% raw %}"}`), "runbook.ansible.template"},
		"connection":        {e, ansibleStep("write.yml", AnsibleRun, `{"ansible_connection":"ssh"}`), "runbook.bad_step"},
		"variables":         {e, ansibleStep("write.yml", AnsibleRun, `{"text":["a"]}`), "runbook.bad_step"},
		"outside":           {e, ansibleStep("../outside.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"link to outside":   {e, ansibleStep("link.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"absolute":          {e, ansibleStep(filepath.Join(filepath.Dir(written), "outside.yml"), AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"missing":           {e, ansibleStep("missing.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"others may write":  {e, ansibleStep("open.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"option":            {e, ansibleStep("--version.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
		"limit from a file": {e, ansibleStep("write.yml", AnsibleRun, `{}`, "@/etc/passwd"), "runbook.bad_step"},
		"limit as option":   {e, ansibleStep("write.yml", AnsibleRun, `{}`, "-vvv"), "runbook.bad_step"},
		"no limit":          {e, ansibleStep("write.yml", AnsibleRun, `{}`, ""), "runbook.bad_step"},
		"other method":      {e, ansibleStep("write.yml", "", `{}`), "runbook.bad_step"},
		"not configured":    {executor(t, KindAnsible, Config{}), ansibleStep("write.yml", AnsibleRun, `{}`), "runbook.ansible.playbook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := run(t, c.e, c.step); r.OK || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
			if _, err := os.Stat(written); err == nil {
				t.Error("it was run")
			}
		})
	}
}
