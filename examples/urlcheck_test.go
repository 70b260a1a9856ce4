package examples_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/examples"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// A host is a real Apache, two processes that go by the names of Tomcat's and the
// database's, and a real OpenSSH server in front of them. Its systemctl is a script
// that does to this Apache what the real one does.
type host struct {
	t      *testing.T
	dir    string
	url    string
	config string
	runner *runbooks.Runner
	rb     *runbooks.Runbook
}

func newHost(t *testing.T) *host {
	t.Helper()
	apache := testenv.Need(t, "apache2")
	h := &host{t: t, dir: t.TempDir()}
	if err := os.Chmod(filepath.Dir(h.dir), 0o755); err != nil { // Apache's own user reads it
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	h.url, h.config = "http://"+address, filepath.Join(h.dir, "apache2.conf")
	h.write("apache2.conf", fmt.Sprintf(`ServerName localhost
Listen %[1]s
DefaultRuntimeDir %[2]s
PidFile %[2]s/pid
ErrorLog %[2]s/error.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
DocumentRoot %[2]s/www
`, address, h.dir), 0o644)
	h.write("www/index.html", "welcome", 0o644)
	h.write("bin/systemctl", fmt.Sprintf("#!/bin/sh\ntest \"$*\" = 'start apache2.service' && exec %s -f %s -k start\nexit 5\n", apache, h.config), 0o755)
	for _, name := range []string{"java", "postgres"} {
		h.process(name)
	}
	t.Cleanup(h.stop)
	s := testenv.SSHD(t, "SetEnv PATH="+h.dir+"/bin:/usr/local/bin:/usr/bin:/bin")
	h.write("inventory.yaml", fmt.Sprintf("hosts: {web-1: {address: 127.0.0.1, port: %d, user: %s, key_file: %s, host_keys: [%q]}}", s.Port, s.User, s.KeyFile, s.HostKey), 0o600)
	inventory, err := ssh.ReadInventory(filepath.Join(h.dir, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	library, _ := runbooks.Load(runbooks.Sources{Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": h.url}, Hosts: inventory.Names()})
	h.rb = library.Get("url-check")
	h.runner, err = runbooks.NewRunner(runbooks.RunnerOptions{
		Library: library, Executors: map[string]steps.Executor{steps.KindSSH: ssh.New(inventory)}, Within: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *host) write(name, text string, mode os.FileMode) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		h.t.Fatal(err)
	}
}

// process runs something under this name until the test ends.
func (h *host) process(name string) {
	h.t.Helper()
	program, err := os.ReadFile(testenv.Need(h.t, "sleep"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("run/"+name, string(program), 0o755)
	cmd := exec.Command(filepath.Join(h.dir, "run", name), "3600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// stop ends Apache, by its own pid file, and waits until it is gone.
func (h *host) stop() {
	b, err := os.ReadFile(filepath.Join(h.dir, "pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	h.t.Error("Apache does not end")
}

// investigate is an incident with what the checks find now.
func (h *host) investigate() *incidents.Incident {
	s := &incidents.Incident{ID: 7, Version: 1, Common: incidents.LabelsFromMap(map[string]string{"alertname": "URLCheckFailed", "instance": "web-1:80"})}
	s.Findings = h.runner.Diagnose(h.t.Context(), s)
	return s
}

// Stopped, found, started, verified; and where it cannot be started, a person.
func TestURLCheckMendsARealApache(t *testing.T) {
	h := newHost(t)
	s := h.investigate()
	plan, err := h.rb.Plan(s, nil)
	if err != nil {
		t.Fatalf("%v\n%+v", err, s.Findings)
	}
	if plan.Branch.ID != "apache" || runbooks.StepLine(plan.Recover[0]) != "ssh web-1 systemctl start apache2.service" {
		t.Fatalf("it would %+v", plan.Recover)
	}
	if _, done := h.runner.Run(t.Context(), plan, "INC-7/1"); !incidents.AllOK(done) {
		t.Fatalf("%+v", done)
	}
	if after := h.runner.Look(t.Context(), plan, "INC-7/1"); !incidents.AllOK(after) {
		t.Fatalf("%+v", after)
	}
	if _, err := h.rb.Plan(h.investigate(), nil); err == nil {
		t.Error("there is still something to mend")
	}

	h.stop()
	plan, err = h.rb.Plan(h.investigate(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h.write("apache2.conf", "NoSuchDirective on\n", 0o644)
	_, done := h.runner.Run(t.Context(), plan, "INC-7/2")
	if incidents.AllOK(done) || done[0].Code != 1 || !strings.Contains(done[0].Output, "Configuration error") {
		t.Errorf("%+v", done)
	}
	if !strings.Contains(plan.Escalate.EN, "web team") {
		t.Errorf("nobody is called: %+v", plan.Escalate)
	}
}
