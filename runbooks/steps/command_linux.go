package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// start starts the command under a guard and waits until nobody of it is left.
// cut says that the context ended it.
func (c *Command) start(ctx context.Context, p process) (code int, cut bool, err error) {
	if !guardable.Load() {
		return 0, false, notStarted(errors.New("this program cannot guard commands: its main function does not begin with steps.BeGuard"))
	}
	lifelineRead, lifeline, err := os.Pipe()
	if err != nil {
		return 0, false, notStarted(err)
	}
	defer lifeline.Close()
	report, reportWrite, err := os.Pipe()
	if err != nil {
		_ = lifelineRead.Close()
		return 0, false, notStarted(err)
	}
	defer report.Close()
	hideFiles()
	guard := &exec.Cmd{
		Path: "/proc/self/exe", Args: guardArgs(c.grace, p.timeout, p.program, p.argv), Env: p.env, Dir: p.dir,
		Stdout: p.ears.stdout, Stderr: p.ears.stderr, ExtraFiles: []*os.File{lifelineRead, reportWrite},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, // what ends us on purpose (Ctrl-C) leaves the ending to us
	}
	err = guard.Start()
	p.ears.childHasThem()
	_ = lifelineRead.Close()
	_ = reportWrite.Close()
	if err != nil {
		return 0, false, notStarted(err)
	}
	told, cut := c.await(ctx, guard, lifeline, report)
	if cut {
		return 0, true, nil
	}
	code, err = outcome(told)
	return code, false, err
}

// await waits for what the guard tells; where the context ends first, the guard
// is told to end the command. A process that not even SIGKILL ends, since it
// waits for a disk that does not answer, stays with the guard.
func (c *Command) await(ctx context.Context, guard *exec.Cmd, lifeline, report *os.File) (told string, cut bool) {
	heard := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(io.LimitReader(report, 4<<10))
		heard <- string(b)
		_ = guard.Wait()
	}()
	select {
	case told = <-heard:
		return told, false
	case <-ctx.Done():
	}
	_, _ = lifeline.Write([]byte{'e'}) // it may just have ended
	patience := time.NewTimer(c.grace + guardPatience)
	defer patience.Stop()
	select {
	case <-heard:
	case <-patience.C:
		_ = report.SetReadDeadline(time.Now())
	}
	return "", true
}

// outcome reads what a guard has told.
func outcome(told string) (int, error) {
	what, rest, _ := strings.Cut(told, " ")
	n, bad := strconv.Atoi(rest)
	switch {
	case what == "exit" && bad == nil:
		return n, nil
	case what == "signal" && bad == nil:
		signal := "signal: " + syscall.Signal(n).String()
		return 0, incidents.Fail(incidents.Unavailable, "runbook.killed", "ended by "+signal, "signal", signal)
	case what == "start":
		return 0, notStarted(errors.New(rest))
	}
	return 0, incidents.Fail(incidents.Unavailable, "runbook.guard_died", "the command's guard ended before it, so nobody knows what became of it")
}

// hideFiles sees to it that a child gets no file of ours, also not those that
// whoever started us left open without a close-on-exec flag. Files that Go opens
// have it from the beginning.
func hideFiles() {
	const first = 3
	if unix.CloseRange(first, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	entries, err := os.ReadDir("/proc/self/fd") // Linux before 5.11
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
			unix.CloseOnExec(fd)
		}
	}
}

// HideProcess keeps other processes of the same user, such as the commands of
// runbooks, from reading our memory and environment in /proc (prctl(2),
// PR_SET_DUMPABLE). It also means: no core dumps, and a debugger needs root.
// The superuser's commands can read them all the same: do not run as root.
func HideProcess() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("hide the process: %w", err)
	}
	return nil
}
