package examples_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/examples"
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

func newHost(t *testing.T, id string) *host {
	t.Helper()
	apache, ps := testenv.Need(t, "apache2"), testenv.Need(t, "ps")
	h := &host{t: t, dir: t.TempDir()}
	if err := os.Chmod(filepath.Dir(h.dir), 0o755); err != nil { // Apache's own user reads it
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", testenv.Port(t)) // kept while Apache is down
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
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
DocumentRoot %[2]s/www
`, address, h.dir), 0o644)
	h.write("www/index.html", "welcome", 0o644)
	h.write("bin/systemctl", fmt.Sprintf(`#!/bin/sh
case "$*" in
'start apache2.service') exec %[1]s -f %[2]s -k start;;
'restart apache2.service') %[1]s -f %[2]s -t && kill -TERM "$(cat %[3]s/pid)" && while [ -e %[3]s/pid ]; do sleep 0.05; done && exec %[1]s -f %[2]s -k start;;
esac
exit 5
`, apache, h.config, h.dir), 0o755)
	h.write("bin/apachectl", fmt.Sprintf("#!/bin/sh\ntest \"$1\" = configtest && exec %s -f %s -t\nexit 5\n", apache, h.config), 0o755)
	// A host has its processes for itself; this machine has those of others too, and
	// those of ours that have ended and that nobody has waited for yet. The test of the
	// configuration, which is looked at in the same moment, is an apache2 too.
	h.write("bin/ps", fmt.Sprintf("#!/bin/sh\n%s -ww \"$@\" | grep -F %s/ | grep -v -e ' -t$'\n", ps, h.dir), 0o755)
	// How full the disk of this machine is decides about no host.
	h.write("bin/df", "#!/bin/sh\n/bin/df \"$@\" | sed 's/[0-9][0-9]*%$/40%/'\n", 0o755)
	for _, name := range []string{"java", "postgres"} {
		h.process(name)
	}
	t.Cleanup(h.stop)
	s := testenv.SSHD(t, "SetEnv HOME="+h.dir+" PATH="+h.dir+"/bin:/usr/local/bin:/usr/bin:/bin")
	h.write("inventory.yaml", fmt.Sprintf("hosts: {web-1: {address: 127.0.0.1, port: %d, user: %s, key_file: %s, host_keys: [%q]}}", s.Port, s.User, s.KeyFile, s.HostKey), 0o600)
	inventory, err := ssh.ReadInventory(filepath.Join(h.dir, "inventory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	library, _ := runbooks.Load(runbooks.Sources{Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": h.url}, Hosts: inventory.Names()})
	if h.rb = library.Get(id); h.rb == nil {
		t.Fatalf("%s is not loaded", id)
	}
	patient(h.rb)
	h.runner = runner(t, library, map[string]steps.Executor{steps.KindSSH: ssh.New(inventory)})
	return h
}

// runner carries out for real what the library's runbooks say.
func runner(t *testing.T, library *runbooks.Library, further map[string]steps.Executor) *runbooks.Runner {
	t.Helper()
	all, err := steps.New(steps.Config{Origins: library.Origins})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, further)
	return runbooks.NewRunner(runbooks.RunnerOptions{Library: library, Executors: all, Within: time.Minute})
}

// patient gives the looks the time that a loaded machine takes for an SSH handshake,
// or to start a process.
func patient(rb *runbooks.Runbook) {
	for _, some := range [][]runbooks.Step{rb.Check, rb.Verify.Steps} {
		for i := range some {
			some[i].Timeout = time.Minute
		}
	}
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

// runs runs a command of ours.
func (h *host) runs(argv ...string) {
	h.t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		h.t.Fatalf("%q: %v\n%s", argv, err, out)
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

// pid is Apache's, by its own pid file; 0: it does not run.
func (h *host) pid() int {
	b, err := os.ReadFile(filepath.Join(h.dir, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// stop ends Apache and waits until it is gone.
func (h *host) stop() {
	pid := h.pid()
	if pid == 0 {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGTERM)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	h.t.Error("Apache does not end")
}
