package crash

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// prepared is a place with a configuration, and the context of the test's
// waits.
func prepared(t *testing.T, p place, gate ...string) (context.Context, place) {
	t.Helper()
	health := p.health()
	t.Cleanup(health.Close)
	if err := p.configure(health.URL, gate...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx, p
}

// launch starts one process and waits until it listens. It is killed with the
// test, should it still be there.
func launch(ctx context.Context, t *testing.T, p place) (*process, *story) {
	t.Helper()
	proc, err := start([]string{"HIKESHI_CHAOS_LEASE=500ms"}, p.serve()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proc.signal(syscall.SIGKILL); <-proc.done })
	app := p.supervisor()
	select {
	case app.url = <-proc.url:
	case <-proc.done:
		t.Fatalf("it ended: %v\n%s", proc.cmd.ProcessState, proc.errors.String())
	case <-ctx.Done():
		t.Fatalf("it does not say where it listens:\n%s", proc.errors.String())
	}
	s := newStory(app)
	t.Cleanup(s.http.CloseIdleConnections)
	return proc, s
}

// ends waits for a process to end.
func ends(ctx context.Context, t *testing.T, p *process) syscall.WaitStatus {
	t.Helper()
	select {
	case <-p.done:
	case <-ctx.Done():
		t.Fatalf("it does not end:\n%s", p.errors.String())
	}
	return p.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// awaits polls until good.
func awaits(ctx context.Context, t *testing.T, what string, good func() bool) {
	t.Helper()
	for !good() {
		if err := pause(ctx, retryAfter); err != nil {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// readyz is its answer, 0 where there is none.
func (s *story) readyz(ctx context.Context) int { return s.status(ctx, "/readyz") }

func (s *story) status(ctx context.Context, path string) int {
	a, err := s.once(ctx, http.MethodGet, path, "", "", nil)
	if err != nil {
		return 0
	}
	return a.status
}

// midway brings a run about that hangs until the gate is opened.
func midway(ctx context.Context, t *testing.T, s *story) {
	t.Helper()
	if err := s.webhook(ctx, s.fire("api", 1)); err != nil {
		t.Fatal(err)
	}
	found, err := s.find(ctx, "api", "suggestions", func(i *seen) bool { return len(i.Suggestions) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command(ctx, found.ID, people[0], "approve crash-fix", http.StatusOK); err != nil {
		t.Fatal(err)
	}
	if _, err := s.find(ctx, "api", "a run", func(i *seen) bool {
		return len(i.Runs) == 1 && i.Runs[0].State == incidents.RunRunning
	}); err != nil {
		t.Fatal(err)
	}
}

// runOf is the state of the only run, as the store has it.
func (p place) runOf(ctx context.Context, t *testing.T) incidents.RunState {
	t.Helper()
	_, s := launch(ctx, t, p)
	found, err := s.find(ctx, "api", "the end of the run", func(i *seen) bool { return i.Runs[0].State != incidents.RunRunning })
	if err != nil {
		t.Fatal(err)
	}
	return found.Runs[0].State
}

// TestTermDrains is R33: not ready at once, the run under way ends and is
// written down, exit 0.
func TestTermDrains(t *testing.T) {
	t.Parallel()
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, p := prepared(t, place{dir: t.TempDir()}, gate)
	proc, s := launch(ctx, t, p)
	midway(ctx, t, s)
	if status := s.readyz(ctx); status != http.StatusOK {
		t.Errorf("readyz answers %d before", status)
	}
	proc.signal(syscall.SIGTERM)
	awaits(ctx, t, "readyz to answer 503 while it drains", func() bool { return s.readyz(ctx) == http.StatusServiceUnavailable })
	if err := s.webhook(ctx, s.fire("edge", 1)); err != nil {
		t.Errorf("an alert while it drains: %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status := ends(ctx, t, proc); status.ExitStatus() != 0 {
		t.Errorf("it ended with %v:\n%s", proc.cmd.ProcessState, proc.errors.String())
	}
	if state := p.runOf(ctx, t); state != incidents.RunVerifying && state != incidents.RunVerified {
		t.Errorf("the run is %s", state)
	}
	if ran, err := p.ran(); err != nil || ran["INC-1/1"] != 1 {
		t.Errorf("executions %v, %v", ran, err)
	}
}

// TestSecondTermEndsAtOnce is the other half of R33. What ran is unknown then,
// its command has ended with us, and nobody runs it again.
func TestSecondTermEndsAtOnce(t *testing.T) {
	t.Parallel()
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, p := prepared(t, place{dir: t.TempDir()}, gate)
	proc, s := launch(ctx, t, p)
	midway(ctx, t, s)
	proc.signal(syscall.SIGTERM)
	awaits(ctx, t, "the drain", func() bool { return s.readyz(ctx) == http.StatusServiceUnavailable })
	proc.signal(syscall.SIGTERM)
	if status := ends(ctx, t, proc); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", proc.cmd.ProcessState)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil { // whoever still waited would go on now
		t.Fatal(err)
	}
	if state := p.runOf(ctx, t); state != incidents.RunUnknown {
		t.Errorf("the run is %s", state)
	}
	if ran, err := p.ran(); err != nil || len(ran) != 0 {
		t.Errorf("executions %v, %v", ran, err)
	}
}

// TestDirectoryInUse: the second process on a data directory says so and ends
// with 1; the first one is not disturbed.
func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	ctx, p := prepared(t, place{dir: t.TempDir()})
	first, s := launch(ctx, t, p)
	second, err := start(nil, p.serve()...)
	if err != nil {
		t.Fatal(err)
	}
	if status := ends(ctx, t, second); status.ExitStatus() != 1 {
		t.Errorf("it ended with %v", second.cmd.ProcessState)
	}
	said := second.errors.String()
	for _, word := range []string{filepath.Join(p.dir, "data"), strconv.Itoa(first.cmd.Process.Pid)} {
		if !strings.Contains(said, word) {
			t.Errorf("the error does not name %s: %s", word, said)
		}
	}
	if err := s.webhook(ctx, s.fire("api", 1)); err != nil {
		t.Error(err)
	}
}

// load posts alerts of many groups from several senders until each has posted
// n times and got its 2xx; acked counts on the way.
func (s *story) load(ctx context.Context, senders, n int, acked *atomic.Int64) error {
	errs := make([]error, senders)
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := range n {
				number := 1 + sender*n + i
				if errs[sender] = s.webhook(ctx, s.fire("edge", number), s.fire("disk", number)); errs[sender] != nil {
					return
				}
				acked.Add(1)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// settled waits until everything is folded and carried out.
func (s *story) settled(ctx context.Context, t *testing.T) {
	t.Helper()
	last := ""
	for {
		var err error
		if last, err = s.waiting(ctx); err == nil && last == "" {
			return
		}
		if end := pause(ctx, lookAfter); end != nil {
			t.Fatalf("not settled: %s %v", last, err)
		}
	}
}

// lawful stops the process and holds the store to the laws.
func (p place) lawful(ctx context.Context, t *testing.T, proc *process, s *story) {
	t.Helper()
	proc.signal(syscall.SIGTERM)
	if status := ends(ctx, t, proc); status.ExitStatus() != 0 {
		t.Errorf("it ended with %v:\n%s", proc.cmd.ProcessState, proc.errors.String())
	}
	bad, err := p.violations(ctx, s.acked)
	if err != nil || len(bad) > 0 {
		t.Errorf("%v\n%s", err, strings.Join(bad, "\n"))
	}
}

// TestFullDisk is R18: a file that may not grow answers as a full disk does.
// While it is full 503 and Retry-After, never 2xx; afterwards all goes on, and
// nothing that was acknowledged is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	ctx, p := prepared(t, place{dir: t.TempDir()})
	proc, s := launch(ctx, t, p)
	var acked atomic.Int64
	if err := s.load(ctx, 2, 5, &acked); err != nil {
		t.Fatal(err)
	}
	full := unix.Rlimit{Cur: 8, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(proc.cmd.Process.Pid, unix.RLIMIT_FSIZE, &full, nil); err != nil {
		t.Fatal(err)
	}
	body := fmt.Appendf(nil, `{"version":"4","groupKey":"{}","alerts":[{"status":"firing","labels":{"alertname":"Full","service":"edge"},"startsAt":%q}]}`,
		s.began.Format("2006-01-02T15:04:05Z07:00"))
	for range 3 {
		a, err := s.once(ctx, http.MethodPost, "/v1/alerts/alertmanager", "", "", body)
		if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("a full disk answers %d, Retry-After %q, %s, %v", a.status, a.header.Get("Retry-After"), a.body, err)
		}
	}
	if status := s.status(ctx, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz answers %d", status)
	}
	if status := s.readyz(ctx); status != http.StatusServiceUnavailable {
		t.Errorf("readyz answers %d while nothing can be written", status)
	}
	space := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(proc.cmd.Process.Pid, unix.RLIMIT_FSIZE, &space, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.load(ctx, 2, 5, &acked); err != nil {
		t.Fatal(err)
	}
	awaits(ctx, t, "readyz to answer 200 again", func() bool { return s.readyz(ctx) == http.StatusOK })
	s.settled(ctx, t)
	p.lawful(ctx, t, proc, s)
}

// TestStartsWithoutRedis is R19: live and not ready, and ready when it comes.
func TestStartsWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	server.Stop()
	ctx, p := prepared(t, backend{redis: server}.place(t))
	proc, s := launch(ctx, t, p)
	if live, ready := s.status(ctx, "/healthz"), s.readyz(ctx); live != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("without Redis healthz answers %d, readyz %d", live, ready)
	}
	a, err := s.once(ctx, http.MethodPost, "/v1/alerts/generic", "", "", []byte(`{"title":"x","service":"edge"}`))
	if err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("without Redis an alert is answered %d %s, %v", a.status, a.body, err)
	}
	server.Restart()
	awaits(ctx, t, "readyz to answer 200", func() bool { return s.readyz(ctx) == http.StatusOK })
	var acked atomic.Int64
	if err := s.load(ctx, 1, 2, &acked); err != nil {
		t.Fatal(err)
	}
	s.settled(ctx, t)
	p.lawful(ctx, t, proc, s)
}

// TestRedisKilledUnderLoad is R11: Redis is killed and comes back while alerts
// come in; the process stays, and no acknowledged alert is lost.
func TestRedisKilledUnderLoad(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	ctx, p := prepared(t, backend{redis: server}.place(t))
	proc, s := launch(ctx, t, p)
	var acked atomic.Int64
	var loading sync.WaitGroup
	var loaded error
	loading.Go(func() { loaded = s.load(ctx, 4, 40, &acked) })
	for kill := range int64(3) {
		awaits(ctx, t, "alerts to be acknowledged", func() bool { return acked.Load() >= (kill+1)*20 })
		server.Kill()
		server.Restart()
	}
	loading.Wait()
	if loaded != nil {
		t.Fatal(loaded)
	}
	awaits(ctx, t, "readyz to answer 200", func() bool { return s.readyz(ctx) == http.StatusOK })
	s.settled(ctx, t)
	t.Logf("%d POSTs were acknowledged over 3 deaths of Redis", acked.Load())
	p.lawful(ctx, t, proc, s)
}
