package crash

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// A process is one life of `hikeshi serve`.
type process struct {
	cmd    *exec.Cmd
	url    chan string   // where it listens, once it does
	done   chan struct{} // closed once it is reaped
	errors limited
}

// limited keeps the first part of what a process complains of.
type limited struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *limited) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := 16<<10 - l.buf.Len(); room > 0 {
		l.buf.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}

func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs the binary. env comes on top of a clean environment. It dies with
// this process.
func start(env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), url: make(chan string, 1), done: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.TempDir(), "HIKESHI_LANGUAGE=en", "GOGC=400"}, env...)
	p.cmd.Stderr = &p.errors
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started := make(chan error, 1)
	go func() {
		// The parent-death signal is sent when the starting thread ends:
		// https://go.dev/issue/27505
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.read(out)
		_ = p.cmd.Wait() // how it ended stands in cmd.ProcessState
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start hikeshi: %w", err)
	}
	return p, nil
}

func (p *process) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "Open the console:"); ok {
			p.url <- strings.TrimRight(strings.TrimSpace(rest), "/")
		}
	}
}

func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) } // fails only where it has ended

// killed says that it died by SIGKILL.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// A supervisor keeps a process running: one that was killed is started again,
// without its crash point.
type supervisor struct {
	args []string
	env  []string

	mu      sync.Mutex
	url     string // "" while there is none
	changed chan struct{}
	life    *process // the one that listens at url
	deaths  int
	err     error // it ended in a way that it must not
}

// supervise runs until ctx ends, and then stops the process by SIGTERM. It
// returns when the process has ended. lives are variables of the environment of the
// first lives, one for each.
func (s *supervisor) supervise(ctx context.Context, lives ...string) error {
	for life := 0; ; life++ {
		env := s.env
		if life < len(lives) {
			env = append([]string{lives[life]}, env...)
		}
		p, err := start(env, s.args...)
		if err != nil {
			return s.fail(err)
		}
		if err := s.attend(ctx, p); err != nil {
			return s.fail(err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func (s *supervisor) attend(ctx context.Context, p *process) error {
	stopped := ctx.Done()
	var overdue <-chan struct{}
	for {
		select {
		case url := <-p.url:
			s.set(func() { s.url, s.life = url, p })
		case <-stopped:
			p.signal(syscall.SIGTERM)
			limit, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			stopped, overdue = nil, limit.Done()
		case <-overdue:
			p.signal(syscall.SIGKILL)
			<-p.done
			return fmt.Errorf("it did not stop within %v of SIGTERM:\n%s", patience, p.errors.String())
		case <-p.done:
			s.set(func() { s.url = ""; s.deaths++ })
			switch {
			case p.killed() && stopped != nil:
				return nil
			case stopped == nil && p.cmd.ProcessState.Success():
				return nil
			}
			return fmt.Errorf("it ended by itself (%v):\n%s", p.cmd.ProcessState, p.errors.String())
		}
	}
}

func (s *supervisor) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *supervisor) fail(err error) error {
	s.set(func() { s.err = err })
	return err
}

// kill ends the life that is listening, as soon as one does.
func (s *supervisor) kill(ctx context.Context) error {
	if _, err := s.address(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.signal(syscall.SIGKILL)
	return nil
}

// address waits until there is one.
func (s *supervisor) address(ctx context.Context) (string, error) {
	for {
		s.mu.Lock()
		url, err, changed := s.url, s.err, s.changed
		s.mu.Unlock()
		if err != nil {
			return "", err
		}
		if url != "" {
			return url, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", errors.Join(errors.New("hikeshi does not say where it listens"), ctx.Err())
		}
	}
}
