package ssh

import (
	"context"
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

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

func stepOn(host string, argv ...string) incidents.Step {
	return incidents.Step{ID: "step", Kind: steps.KindSSH, URL: Scheme + host, Argv: argv, Expect: "code 0", Timeout: time.Minute}
}

// carryOut carries the step out with its own timeout, as a runner does.
func carryOut(t *testing.T, e *Executor, step incidents.Step) incidents.StepResult {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), step.Timeout, steps.ErrStepTime)
	defer cancel()
	r := e.Execute(ctx, step, steps.Env{Execution: "INC-7/1", Incident: 7, Runbook: "book"})
	if r.Because.Phrase != "" && !phrases.Has(r.Because.Phrase) {
		t.Errorf("the catalogue has no %s", r.Because.Phrase)
	}
	return r
}

// inventoryFile writes an inventory with the host web-1, and what comes after it.
func inventoryFile(t *testing.T, s *testenv.SSHServer, hostKey, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "inventory.yaml")
	text := fmt.Sprintf("defaults: {user: %s, key_file: %s, port: %d}\nhosts:\n  web-1: {address: 127.0.0.1, host_keys: [%q]}\n%s",
		s.User, s.KeyFile, s.Port, hostKey, more)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func executorFor(t *testing.T, s *testenv.SSHServer, hostKey, more string) *Executor {
	t.Helper()
	inv, err := ReadInventory(inventoryFile(t, s, hostKey, more))
	if err != nil {
		t.Fatal(err)
	}
	return New(inv)
}

// otherKey is a public key that nobody has.
func otherKey(t *testing.T, kind string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "other")
	if out, err := exec.Command(testenv.Need(t, "ssh-keygen"), "-q", "-t", kind, "-N", "", "-C", "", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// A real server's shell reads every argument byte for byte, and runs none of them.
func TestArgumentsArriveByteForByte(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	canary := filepath.Join(t.TempDir(), "canary")
	args := append([]string{"$(touch " + canary + ")", "'; touch " + canary + "; '", "`touch " + canary + "`", "x\ntouch " + canary + "\n"}, hostile...)
	r := carryOut(t, e, stepOn("web-1", append([]string{"printf", `%s\0`}, args...)...))
	if want := strings.Join(args, "\x00") + "\x00"; !r.OK || r.Output != want {
		t.Errorf("got %q, want %q (%+v)", r.Output, want, r)
	}
	if _, err := os.Stat(canary); err == nil {
		t.Error("an argument was run")
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	t.Run("heard live", func(t *testing.T) { t.Parallel(); heardLive(t, e) })
	for name, c := range map[string]struct {
		argv          []string
		expect        string
		ok            bool
		value, phrase string
	}{
		"passes":          {[]string{"echo", "hello"}, "code 0", true, "exit 0: hello", ""},
		"exit code":       {[]string{"sh", "-c", "echo out; echo bad >&2; exit 7"}, "code 0", false, "exit 7: bad", ""},
		"expected code":   {[]string{"sh", "-c", "exit 3"}, "code 3", true, "exit 3", ""},
		"number":          {[]string{"echo", "91%"}, "code 0 and number < 90", false, "exit 0: 91", ""},
		"no such program": {[]string{"no-such-program"}, "code 0", false, "exit 127", ""},
		"killed":          {[]string{"sh", "-c", "kill -KILL $$"}, "code 0", false, "", "runbook.killed"},
		"environment":     {[]string{"sh", "-c", `echo "$RB_EXECUTION_ID $RB_INCIDENT"`}, "code 0", true, "exit 0: INC-7/1 INC-7", ""},
		"no input":        {[]string{"cat"}, "code 0", true, "exit 0", ""},
		"no terminal":     {[]string{"test", "-t", "0"}, "code 1", true, "exit 1", ""},
		"no agent":        {[]string{"sh", "-c", `echo "agent:$SSH_AUTH_SOCK"`}, "code 0", true, "exit 0: agent:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := stepOn("web-1", c.argv...)
			step.Expect = c.expect
			r := carryOut(t, e, step)
			if r.OK != c.ok || !strings.HasPrefix(r.Value, c.value) || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
		})
	}
}

// heardLive: what a command says there is heard before it ends; this one ends once
// it was.
func heardLive(t *testing.T, e *Executor) {
	heard := filepath.Join(t.TempDir(), "heard")
	step := stepOn("web-1", "sh", "-c", `echo "password=canary"; echo here >&2; until test -e "$0"; do sleep 0.01; done; echo over`, heard)
	var tail *steps.Tail
	tail = steps.NewTail(steps.NewRedactor(), func() {
		if text, _ := tail.Text(1000); strings.Contains(text, "here") && !strings.Contains(text, "canary") {
			_ = os.WriteFile(heard, nil, 0o600)
		}
	})
	ctx, cancel := context.WithTimeoutCause(t.Context(), step.Timeout, steps.ErrStepTime)
	defer cancel()
	if r := e.Execute(ctx, step, steps.Env{Live: tail}); !r.OK || !strings.HasSuffix(r.Output, "over\n") {
		t.Errorf("%+v", r)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	other, rsa := otherKey(t, "ed25519"), otherKey(t, "rsa")
	strangerKey := filepath.Join(t.TempDir(), "stranger")
	if out, err := exec.Command(testenv.Need(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", strangerKey).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := free.Addr().(*net.TCPAddr).Port
	free.Close()
	revoked := executorFor(t, s, s.HostKey, fmt.Sprintf("revoked: [%q]\n", s.HostKey))
	e := executorFor(t, s, s.HostKey, fmt.Sprintf(`
  changed: {address: 127.0.0.1, host_keys: [%q]}
  kind: {address: 127.0.0.1, host_keys: [%q]}
  stranger: {address: 127.0.0.1, host_keys: [%q], key_file: %s}
  nobody: {address: 127.0.0.1, host_keys: [%q], user: no-such-user}
  closed: {address: 127.0.0.1, host_keys: [%q], port: %d}
  nowhere: {address: nowhere.invalid, host_keys: [%q]}
`, other, rsa, s.HostKey, strangerKey, s.HostKey, s.HostKey, closed, s.HostKey))
	canary := filepath.Join(t.TempDir(), "canary")
	for name, c := range map[string]struct {
		e            *Executor
		host, phrase string
	}{
		"changed key":        {e, "changed", "runbook.ssh.host_key"},
		"key of other kind":  {e, "kind", "runbook.ssh.host_key_kind"},
		"revoked key":        {revoked, "web-1", "runbook.ssh.revoked_key"},
		"not let in":         {e, "stranger", "runbook.ssh.auth"},
		"no such user":       {e, "nobody", "runbook.ssh.auth"},
		"nobody listens":     {e, "closed", "runbook.ssh.unreachable"},
		"no such name":       {e, "nowhere", "runbook.ssh.unreachable"},
		"not in inventory":   {e, "web-2", "runbook.ssh.unknown_host"},
		"address of a host":  {e, "127.0.0.1", "runbook.ssh.unknown_host"},
		"option for a host":  {e, "-oProxyCommand=touch " + canary, "runbook.ssh.unknown_host"},
		"no inventory":       {New(nil), "web-1", "runbook.ssh.unknown_host"},
		"user before a host": {e, "root@web-1", "runbook.ssh.unknown_host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := carryOut(t, c.e, stepOn(c.host, "touch", canary))
			if r.OK || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
			if _, err := os.Stat(canary); err == nil {
				t.Error("the command was run")
			}
		})
	}
}

// A command that ends by itself may leave a daemon in its group, as init scripts do.
func TestDaemonStays(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "  bare: {address: 127.0.0.1, bare: true, host_keys: ["+strconv.Quote(s.HostKey)+"]}\n")
	r := carryOut(t, e, stepOn("web-1", "sh", "-c", `sleep 3600 >/dev/null 2>&1 & echo $!`))
	pid := strings.TrimSpace(r.Output)
	if !r.OK || pid == "" {
		t.Fatalf("%+v", r)
	}
	waitFor(func() bool { // until the watcher is gone too, and the daemon is alone in its session
		session, _ := exec.Command("ps", "-o", "sid=", "-p", pid).Output()
		left, _ := exec.Command("ps", "-o", "pid=", "-s", strings.TrimSpace(string(session))).Output()
		return len(strings.Fields(string(left))) <= 1
	})
	if stat, err := os.ReadFile("/proc/" + pid + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
		t.Error("the daemon was ended")
	}
	ended(t, pid, true)
	if r := carryOut(t, e, stepOn("bare", "sh", "-c", `ps -o args= -p $PPID`)); !r.OK || strings.Contains(r.Output, "hikeshi") {
		t.Errorf("a bare command has company: %+v", r)
	}
}

// A host that shows the wrong key does not even learn who would have come.
func TestWrongKeyHearsNothing(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t, "LogLevel DEBUG1")
	e := executorFor(t, s, otherKey(t, "ed25519"), "")
	if r := carryOut(t, e, stepOn("web-1", "true")); r.Because.Phrase != "runbook.ssh.host_key" || !strings.Contains(r.Error, "SHA256:") {
		t.Errorf("%+v", r)
	}
	if log := s.Log(); strings.Contains(log, "userauth-request") || strings.Contains(log, "Accepted") {
		t.Errorf("it heard more than the handshake:\n%s", log)
	}
}

// What hangs is ended: the host before it answers, and a command with its group.
func TestHanging(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	for name, c := range map[string]struct{ script, phrase string }{
		"politely":  {`sleep 3600 & echo said; echo $$ $! begun > "$1"; wait`, "runbook.ssh.timeout"},
		"stubborn":  {`trap "" TERM; echo said; echo $$ begun > "$1"; while :; do sleep 1; done`, "runbook.ssh.timeout"},
		"elsewhere": {`setsid sh -c 'echo said; echo $$ begun > "$1"; exec sleep 60' sh "$1" & wait; sleep 60`, "runbook.ssh.left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pids := filepath.Join(t.TempDir(), "pids")
			step := stepOn("web-1", "sh", "-c", c.script, "sh", pids)
			ctx, end := context.WithCancelCause(t.Context())
			go func() {
				waitFor(func() bool { b, err := os.ReadFile(pids); return err == nil && strings.Contains(string(b), "begun") })
				end(steps.ErrStepTime)
			}()
			r := e.Execute(ctx, step, steps.Env{})
			if r.OK || r.Because.Phrase != c.phrase || r.Output != "said\n" {
				t.Errorf("%+v", r)
			}
			b, err := os.ReadFile(pids)
			if err != nil {
				t.Fatal(err)
			}
			for pid := range strings.FieldsSeq(strings.TrimSuffix(string(b), " begun\n")) {
				ended(t, pid, name == "elsewhere")
			}
		})
	}
}

// ended waits until the process is gone; one that could not be ended from afar is
// ended here.
func ended(t *testing.T, pid string, byUs bool) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	if byUs {
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
	gone := func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	}
	if !waitFor(gone) {
		t.Errorf("process %s goes on", pid)
	}
}

// waitFor looks until it is so, for a minute.
func waitFor(so func() bool) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return false
}

func TestHostThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	s.Pause()
	defer s.Resume()
	step := stepOn("web-1", "true")
	step.Timeout = 300 * time.Millisecond
	if r := carryOut(t, e, step); r.Unsure || r.Because.Phrase != "runbook.ssh.unreachable" || !strings.Contains(r.Error, "no answer in time") {
		t.Errorf("%+v", r)
	}
}

// Ten megabytes cost one, and begin and end as they did.
func TestMuchOutput(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	r := carryOut(t, e, stepOn("web-1", "sh", "-c", `echo first; head -c 10485760 /dev/zero | tr '\0' x; echo; echo last`))
	if !r.OK || len(r.Output) > 1<<20+100 || !strings.HasPrefix(r.Output, "first\n") || !strings.HasSuffix(r.Output, "x\nlast\n") || !strings.Contains(r.Output, "bytes …]") {
		t.Errorf("%d bytes: %.20q … (%+v)", len(r.Output), r.Output, r.Value)
	}
}

// Where the connection dies under a command nobody knows what became of it.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	s := testenv.SSHD(t)
	e := executorFor(t, s, s.HostKey, "")
	// $PPID of the login shell is the server's process for this connection.
	r := carryOut(t, e, stepOn("web-1", "sh", "-c", `p=$(ps -o ppid= -p $PPID); case $(ps -o comm= -p $PPID) in sshd*) p=$PPID;; esac; kill -KILL $p; sleep 5`))
	if r.OK || !r.Unsure || r.Because.Phrase != "runbook.ssh.lost" {
		t.Errorf("%+v", r)
	}
}
