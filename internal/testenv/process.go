package testenv

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limits of waiting: generous, because a machine that runs the whole suite with
// the race detector is slow; nothing waits this long when all is well.
const (
	startLimit = 60 * time.Second
	stopLimit  = 20 * time.Second
	pollPause  = 10 * time.Millisecond
	startTries = 10
)

// A service is a server process on a loopback port that a test owns. Its
// methods fail the test where they do not succeed, so they must be called from
// the test's goroutine.
type service struct {
	t       testing.TB
	name    string
	dir     string
	argv    func(port int) []string
	ready   func(addr string) bool
	port    int
	release func()

	mu   sync.Mutex
	proc *process // nil while the service is down
}

// A process is one run of a service's program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the process is reaped
}

// startService starts the program and waits until it answers. When the port
// turns out to be taken, it tries with another.
func startService(t testing.TB, s *service) {
	t.Helper()
	s.t = t
	var err error
	for range startTries {
		s.port, s.release = claimPort(t)
		if err = s.start(); err == nil {
			t.Cleanup(s.cleanup)
			return
		}
		s.release()
	}
	t.Fatalf("start %s: %v\n%s", s.name, err, s.Log())
}

func (s *service) start() error {
	argv := s.argv(s.port)
	out, err := os.OpenFile(s.logPath(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	cmd.SysProcAttr = endWithTest()
	p, err := run(cmd)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); {
		if s.ready(s.Addr()) && ownsPort(cmd.Process.Pid, s.port) && !p.ended() {
			s.set(p)
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended: %v", cmd.ProcessState)
		case <-time.After(pollPause):
		}
	}
	p.kill()
	return fmt.Errorf("not ready after %v", startLimit)
}

// run starts the command and reaps it. The goroutine keeps its thread, because
// the kernel delivers the parent-death signal when the thread that started the
// child ends (https://go.dev/issue/27505).
func run(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in cmd.ProcessState
			close(p.done)
		}
	}()
	return p, <-started
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended already
	<-p.done
}

func (s *service) set(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proc = p
}

func (s *service) running() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

func (s *service) cleanup() {
	s.Kill()
	if s.t.Failed() {
		s.t.Logf("the end of %s's log:\n%s", s.name, s.Log())
	}
	s.release()
}

// Addr is host:port. It stays the same over restarts.
func (s *service) Addr() string { return loopback(s.port) }

// Dir is the service's data and working directory, removed with the test.
func (s *service) Dir() string { return s.dir }

// Pid is the process id, 0 while the service is down.
func (s *service) Pid() int {
	if p := s.running(); p != nil {
		return p.cmd.Process.Pid
	}
	return 0
}

// Kill ends the process with SIGKILL and waits until it is reaped. It does
// nothing when the service is down.
func (s *service) Kill() {
	if p := s.running(); p != nil {
		p.kill()
		s.set(nil)
	}
}

// Stop ends the process with SIGTERM and waits until it is reaped.
func (s *service) Stop() {
	s.t.Helper()
	p := s.running()
	if p == nil {
		return
	}
	s.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		s.set(nil)
	case <-time.After(stopLimit):
		s.t.Fatalf("%s did not stop within %v", s.name, stopLimit)
	}
}

// Pause stops the process in place (SIGSTOP): connections stay open and nothing
// answers, as with a machine that hangs. Resume lets it go on.
func (s *service) Pause()  { s.t.Helper(); s.signal(syscall.SIGSTOP) }
func (s *service) Resume() { s.t.Helper(); s.signal(syscall.SIGCONT) }

func (s *service) signal(sig syscall.Signal) {
	s.t.Helper()
	p := s.running()
	if p == nil {
		s.t.Fatalf("%s is down, so it cannot be sent %v", s.name, sig)
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("send %v to %s: %v", sig, s.name, err)
	}
}

// Restart kills the process if it runs, and starts it again with the same
// arguments, directory and port; it returns when the service answers.
func (s *service) Restart() {
	s.t.Helper()
	s.Kill()
	var err error
	for range startTries {
		if err = s.start(); err == nil {
			return
		}
	}
	s.t.Fatalf("restart %s on %s: %v\n%s", s.name, s.Addr(), err, s.Log())
}

// Log returns the last 8 KiB of what the program printed.
func (s *service) Log() string {
	raw, _ := os.ReadFile(s.logPath())
	if extra := len(raw) - 8<<10; extra > 0 {
		raw = raw[extra:]
	}
	return string(bytes.TrimSpace(raw))
}

func (s *service) logPath() string { return filepath.Join(s.dir, s.name+".log") }
