package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ShopOptions say how a shop is supervised. Only Dir is needed.
type ShopOptions struct {
	Dir    string        // holds the cache, the log, the pid and the control file; made if missing
	Argv   []string      // the command that runs [RunShop]; default: this executable with "shop"
	Args   []string      // more flags for the shop, such as "--slow-for=30s"
	Listen string        // default 127.0.0.1:0
	Grace  time.Duration // between SIGTERM and SIGKILL; default 2 s
	Log    *slog.Logger  // default: discarded
}

// startLimit is how long a new process may take until it answers.
const startLimit = 20 * time.Second

// ErrClosed is returned for a shop that is closed.
var ErrClosed = errors.New("the shop is closed")

// A Shop supervises a shop process: it starts, restarts and ends it. It holds the
// listening socket and hands it down, so the address stays the same and nobody
// else can take it while there is no process; customers who come then wait at the
// door. It never restarts by itself: that is a decision for whoever handles the
// incident.
type Shop struct {
	o        ShopOptions
	listener *net.TCPListener
	socket   *os.File // the listener's file, to be inherited
	client   *http.Client
	control  *controlServer

	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	closeOnce sync.Once

	moving sync.Mutex // held over a whole start, restart or end

	mu       sync.Mutex // guards the two below
	child    *child
	restarts int
}

// A child is one process of the shop.
type child struct {
	cmd     *exec.Cmd
	stdin   io.Closer // the lifeline
	started time.Time
	ended   chan struct{} // closed once it is reaped
}

// StartShop starts the shop in a process of its own and returns when it answers.
// The shop is closed when the context ends or by [Shop.Close]; call Close in any
// case, because it waits for the process to be gone. A process whose supervisor
// is killed ends by itself.
func StartShop(ctx context.Context, o ShopOptions) (*Shop, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if len(o.Argv) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find the shop's program: %w", err)
		}
		o.Argv = []string{self, "shop"}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the shop's directory: %w", err)
	}
	if c, err := readControl(o.Dir); err == nil && c.answers(ctx) {
		return nil, fmt.Errorf("the shop in %s is already supervised (at %s)", o.Dir, c.URL)
	}
	s := &Shop{o: o, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.open(ctx); err != nil {
		s.cancel()
		return nil, errors.Join(err, s.end())
	}
	detach := context.AfterFunc(ctx, func() { _ = s.Close() }) // Close logs what goes wrong
	context.AfterFunc(s.ctx, func() { detach() })
	return s, nil
}

func (s *Shop) open(ctx context.Context) error {
	l, err := net.Listen("tcp", s.o.Listen)
	if err != nil {
		return fmt.Errorf("listen for the shop: %w", err)
	}
	s.listener = l.(*net.TCPListener)
	if s.socket, err = s.listener.File(); err != nil {
		return fmt.Errorf("listen for the shop: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	s.control, err = serveControl(s)
	return err
}

// start starts a process and waits until it answers.
func (s *Shop) start(ctx context.Context) error {
	c, err := s.spawn()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.child = c
	s.mu.Unlock()
	if err := s.awaitAnswer(ctx, c); err != nil {
		printed, _ := os.ReadFile(filepath.Join(s.o.Dir, errName))
		return fmt.Errorf("start the shop: %w %s", err, strings.TrimSpace(string(printed)))
	}
	s.o.Log.Info("shop started", "pid", c.cmd.Process.Pid, "url", s.URL())
	return writeFile(s.o.Dir, pidName, []byte(strconv.Itoa(c.cmd.Process.Pid)+"\n"))
}

func (s *Shop) spawn() (*child, error) {
	args := append([]string{"--dir", s.o.Dir, "--listen-fd", "3", "--lifeline"}, s.o.Args...)
	cmd := exec.Command(s.o.Argv[0], append(s.o.Argv[1:len(s.o.Argv):len(s.o.Argv)], args...)...)
	cmd.ExtraFiles = []*os.File{s.socket} // becomes file 3
	printed, err := os.OpenFile(filepath.Join(s.o.Dir, errName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	defer printed.Close()
	cmd.Stderr = printed
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the shop: %w", err)
	}
	c := &child{cmd: cmd, stdin: stdin, started: time.Now(), ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended stands in cmd.ProcessState
		close(c.ended)
	}()
	return c, nil
}

// awaitAnswer returns when /healthz is answered by this very process, in
// whatever health.
func (s *Shop) awaitAnswer(ctx context.Context, c *child) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	go func() {
		select {
		case <-c.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		h, err := s.Health(ctx)
		if err == nil && h.PID == c.cmd.Process.Pid {
			return nil
		}
		if c.gone() {
			return fmt.Errorf("it ended: %v", c.cmd.ProcessState)
		}
		select {
		case <-ctx.Done():
			if !c.gone() {
				return fmt.Errorf("it does not answer: %w", ctx.Err())
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// A Restarted tells of a restart.
type Restarted struct {
	OldPID int           `json:"old_pid"` // 0: there was no process
	NewPID int           `json:"new_pid"`
	Killed bool          `json:"killed"` // it did not heed SIGTERM within the grace
	Took   time.Duration `json:"took"`   // nanoseconds
	Health Health        `json:"health"`
	URL    string        `json:"url"`
}

// Restart ends the process, by SIGTERM and after the grace by SIGKILL, starts a
// new one and returns when that answers at the old address. Restarts that come at
// the same time happen one after the other.
func (s *Shop) Restart(ctx context.Context) (Restarted, error) {
	s.moving.Lock()
	defer s.moving.Unlock()
	if s.ctx.Err() != nil {
		return Restarted{}, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	began := time.Now()
	r := Restarted{URL: s.URL(), OldPID: s.Pid()}
	r.Killed = s.stop()
	if err := s.start(ctx); err != nil {
		return r, err
	}
	s.mu.Lock()
	s.restarts++
	s.mu.Unlock()
	r.NewPID = s.Pid()
	h, err := s.Health(ctx)
	if err != nil {
		return r, fmt.Errorf("look at the new shop: %w", err)
	}
	r.Health, r.Took = h, time.Since(began)
	s.o.Log.Info("shop restarted", "old_pid", r.OldPID, "new_pid", r.NewPID, "killed", r.Killed)
	return r, nil
}

// stop ends the process, if there is one, and reaps it. It reports whether the
// process had to be killed.
func (s *Shop) stop() (killed bool) {
	c := s.current()
	if c == nil {
		return false
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended already
	select {
	case <-c.ended:
	case <-time.After(s.o.Grace):
		_ = c.cmd.Process.Kill()
		<-c.ended
		killed = true
	}
	_ = c.stdin.Close()
	return killed
}

func (s *Shop) current() *child {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child
}

// Pid is the process id, 0 when the process has ended.
func (s *Shop) Pid() int {
	c := s.current()
	if c == nil || c.gone() {
		return 0
	}
	return c.cmd.Process.Pid
}

func (c *child) gone() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// Restarts is how often the shop was restarted.
func (s *Shop) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

// Addr is host:port, the same over restarts.
func (s *Shop) Addr() string { return s.listener.Addr().String() }

// URL is http://host:port.
func (s *Shop) URL() string { return "http://" + s.Addr() }

// Dir is the shop's directory, absolute if it was given so; `shopctl --dir` wants it.
func (s *Shop) Dir() string { return s.o.Dir }

// LogPath is the shop's log file.
func (s *Shop) LogPath() string { return filepath.Join(s.o.Dir, logName) }

// Health asks the shop how it is. The error says that it did not answer.
func (s *Shop) Health(ctx context.Context) (Health, error) {
	return fetchHealth(ctx, s.client, s.URL()+"/healthz")
}

// Break breaks the shop: how is "wedge", "leak" or "slow".
func (s *Shop) Break(ctx context.Context, how string) error {
	return breakShop(ctx, s.client, s.URL(), how)
}

// Close ends the process and frees the address. It may be called more than once.
func (s *Shop) Close() error {
	var err error
	s.closeOnce.Do(func() {
		s.cancel()
		s.moving.Lock()
		defer s.moving.Unlock()
		if err = s.end(); err != nil {
			s.o.Log.Warn("close the shop", "error", err)
		}
	})
	return err
}

// end undoes open, whatever of it was done.
func (s *Shop) end() error {
	var errs []error
	if s.control != nil {
		errs = append(errs, s.control.close(), removeFile(s.o.Dir, controlName))
	}
	if s.stop(); s.current() != nil {
		errs = append(errs, removeFile(s.o.Dir, pidName))
	}
	if s.socket != nil {
		errs = append(errs, s.socket.Close())
	}
	if s.listener != nil {
		errs = append(errs, s.listener.Close())
	}
	return errors.Join(errs...)
}
