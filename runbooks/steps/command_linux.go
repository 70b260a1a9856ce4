package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a command's process and of each of its children (setrlimit(2)).
const (
	limitFile  = 1 << 30 // bytes of a file that it writes
	limitFiles = 1024    // open files
)

// attributes: a process group of its own, and SIGKILL when we die.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// limit sets the resource limits. The process has begun by then; what it starts
// later inherits them. CPU seconds are those of one process: twice its timeout,
// for programs with several threads.
func limit(pid int, timeout time.Duration) {
	cpu := uint64(timeout/time.Second)*2 + 2
	for resource, most := range map[int]uint64{
		unix.RLIMIT_CPU: cpu, unix.RLIMIT_FSIZE: limitFile, unix.RLIMIT_NOFILE: limitFiles, unix.RLIMIT_CORE: 0,
	} {
		var now unix.Rlimit
		if unix.Prlimit(pid, resource, nil, &now) == nil && now.Max > most {
			_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: most}, nil) // gone already
		}
	}
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

// wait waits for the first process of the group to end by itself, or ends it
// with the context (cut): SIGTERM to the group, and SIGKILL after the grace. In
// each case the rest of the group is killed while the first process is not yet
// reaped, so that its number cannot belong to somebody else.
func (c *Command) wait(ctx context.Context, cmd *exec.Cmd) (cut bool, err error) {
	pid := cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		}
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		cut = true
		_ = syscall.Kill(-pid, syscall.SIGTERM) // it may just have ended
		grace := time.NewTimer(c.grace)
		defer grace.Stop()
		select {
		case <-ended:
		case <-grace.C:
		}
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // also those that the first process left behind
	<-ended
	return cut, cmd.Wait()
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
