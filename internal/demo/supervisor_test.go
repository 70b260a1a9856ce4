package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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

	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

// shopctl runs the command as a runbook does: as a program of its own.
func shopctl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self, append([]string{"shopctl"}, args...)...)
	cmd.Env = []string{"GORACE=" + noSleep} // a runbook's step may have next to no environment
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestShopctl(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--deadline=300ms", "--cache-quota=1048576")
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"check", "--dir", s.Dir()}, 0, "ok: a worker answered", ""},
		{[]string{"break", "--dir", s.Dir(), "wedge"}, 0, "broken: wedge", ""},
		{[]string{"check", "--dir", s.Dir()}, 1, "", "wedged: no worker answered within 300ms"},
		{[]string{"status", "--dir", s.Dir()}, 0, "waiting for the lock of the ledger", ""},
		{[]string{"status", "--dir", s.Dir(), "--json"}, 0, `"wedged": true`, ""},
		{[]string{"restart", "--dir", s.Dir()}, 0, "did not stop on SIGTERM and was killed", ""},
		{[]string{"check", "--dir", s.Dir()}, 0, "ok: ", ""},
		{[]string{"status", "--dir", s.Dir()}, 0, "(restarts so far: 1)", ""},
		{[]string{"restart", "--dir", s.Dir()}, 0, "stopped on SIGTERM", ""},
		{[]string{"logs", "--dir", s.Dir(), "--lines", "1"}, 0, "level=", ""},
		{[]string{"break", "--dir", s.Dir(), "nicely"}, 1, "", "unknown fault"},
		{[]string{"restart"}, 2, "", "usage:"},
		{[]string{"restart", "--dir", t.TempDir()}, 1, "", "no shop is supervised"},
		{[]string{"explode", "--dir", s.Dir()}, 2, "", "usage:"},
		{nil, 2, "", "usage:"},
	} {
		code, stdout, stderr := shopctl(t, c.args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("shopctl %v: exit %d, want %d\n%s%s", c.args, code, c.code, stdout, stderr)
		}
	}
	if got := s.Restarts(); got != 2 {
		t.Errorf("%d restarts, want 2", got)
	}
}

func TestShopctlCleansTheCache(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cache := filepath.Join(dir, "cache")
	outside := filepath.Join(dir, "precious")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(cache, "kept"), 0o700),
		os.WriteFile(outside, []byte("do not touch"), 0o600),
		os.WriteFile(filepath.Join(cache, "a"), make([]byte, 1000), 0o600),
		os.WriteFile(filepath.Join(cache, "b"), make([]byte, 24), 0o600),
		os.Symlink(outside, filepath.Join(cache, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := shopctl(t, "clean-cache", "--dir", dir)
	if code != 0 || stdout != "removed 2 files, 1024 bytes (1.0 KiB)\n" {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	for _, kept := range []string{outside, filepath.Join(cache, "kept")} {
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("%s is gone: %v", kept, err)
		}
	}
}

func TestRestartAfterACrash(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	if err := syscall.Kill(s.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for s.Pid() != 0 {
		time.Sleep(time.Millisecond)
	}
	if code, stdout, _ := shopctl(t, "status", "--dir", s.Dir()); code != 0 || !strings.Contains(stdout, "process:  none") {
		t.Errorf("status of a crashed shop: exit %d: %s", code, stdout)
	}
	// The address is kept meanwhile: who comes now is served later.
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatalf("dial while there is no process: %v", err)
	}
	defer c.Close()
	if _, err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "GET /healthz HTTP/1.0\r\n\r\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, "200 OK") {
		t.Errorf("the customer at the door got %q, %v", line, err)
	}
}

func TestRestartsAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	errs := make(chan error)
	for range 3 {
		go func() {
			_, err := s.Restart(t.Context())
			errs <- err
		}()
	}
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if s.Restarts() != 3 || s.Pid() == 0 {
		t.Errorf("%d restarts, pid %d", s.Restarts(), s.Pid())
	}
	raw, err := os.ReadFile(filepath.Join(s.Dir(), "shop.pid"))
	if err != nil || string(raw) != strconv.Itoa(s.Pid())+"\n" {
		t.Errorf("the pid file says %q, %v; the pid is %d", raw, err, s.Pid())
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := demo.StartShop(ctx, demo.ShopOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	pid, addr := s.Pid(), s.Addr()
	if _, err := demo.StartShop(t.Context(), demo.ShopOptions{Dir: s.Dir()}); err == nil || !strings.Contains(err.Error(), "already supervised") {
		t.Errorf("a second supervisor in the same directory: %v", err)
	}
	cancel() // is enough; Close waits for it
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v, want %v", pid, err, syscall.ESRCH)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the address is not free: %v", err)
	}
	l.Close()
	for _, name := range []string{"shop.pid", "control.json"} {
		if _, err := os.Stat(filepath.Join(s.Dir(), name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want it gone", name, err)
		}
	}
	if _, err := s.Restart(t.Context()); !errors.Is(err, demo.ErrClosed) {
		t.Errorf("Restart after Close: %v, want %v", err, demo.ErrClosed)
	}
}

func TestAShopThatDoesNotStart(t *testing.T) {
	t.Parallel()
	_, err := demo.StartShop(t.Context(), demo.ShopOptions{Dir: t.TempDir(), Args: []string{"--workers=1"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 2") || !strings.Contains(err.Error(), "at least 2 workers") {
		t.Errorf("err = %v, want the reason", err)
	}
}

// TestTheShopEndsWithItsParent kills the supervisor, which then cannot clean up;
// even a wedged shop must not stay behind.
func TestTheShopEndsWithItsParent(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"", "wedge"} {
		t.Run("fault "+fault, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"supervise", t.TempDir()}
			if fault != "" {
				args = append(args, fault)
			}
			parent := exec.CommandContext(t.Context(), self, args...)
			stdout, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			var pid int
			var failure string
			if _, err := fmt.Fscan(stdout, &pid, &failure); err != nil || failure != "<nil>" {
				t.Fatalf("the parent says %q, %v", failure, err)
			}
			if err := parent.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = parent.Wait() // killed
			for deadline := time.Now().Add(patience); running(pid); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					_ = syscall.Kill(pid, syscall.SIGKILL) // leave nothing behind
					t.Fatalf("the shop (pid %d) outlived its parent", pid)
				}
			}
		})
	}
}

// running says whether the process is alive; one that waits to be reaped is not.
func running(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	_, after, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(after, "Z")
}
