package steps

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A guard is this program once more, between us and one command. We may be
// killed at any moment and then can kill nobody; the guard notices, since the
// pipe that we hold open ends with us, and kills whatever the command has
// started, also what has left its process group and its session: as the child
// subreaper (prctl(2)) the guard becomes the parent of every orphan below it.
const guardWord = "command-guard" // the first argument; nobody types it

// Files of the guard: its end of our pipe, and what it tells us.
const (
	guardLifeline = 3
	guardReport   = 4
)

// guardable: this program's main function lets it be a guard.
var guardable atomic.Bool

// BeGuard must be the first call of main. Where this process was started as a
// guard it does a guard's work and never returns.
func BeGuard() {
	guardable.Store(true)
	if len(os.Args) < 2 || os.Args[1] != guardWord {
		return
	}
	watchOver(os.Args[2:])
	syscall.Exit(0)
}

// guardArgs is a guard's command line: grace, timeout, program, argv.
func guardArgs(grace, timeout time.Duration, program string, argv []string) []string {
	return append([]string{os.Args[0], guardWord, grace.String(), timeout.String(), program}, argv...)
}

// watchOver carries the command out and tells on the report pipe what became of
// it: "start ERROR", "exit CODE" or "signal NUMBER", once nobody is left.
func watchOver(args []string) {
	report := os.NewFile(guardReport, "report")
	tell := func(format string, a ...any) { fmt.Fprintf(report, format, a...) }
	grace, timeout, err := guardTimes(args)
	if err == nil {
		err = prepareGuard(timeout)
	}
	if err != nil {
		tell("start %v", err)
		return
	}
	// The kernel sends the parent-death signal when the thread that started the
	// child ends: https://github.com/golang/go/issues/27505. This one stays.
	runtime.LockOSThread()
	cmd := &exec.Cmd{
		Path: args[2], Args: args[3:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	if err := cmd.Start(); err != nil {
		tell("start %v", err)
		return
	}
	orders := make(chan order, 2) // one each of the two below
	go listenForOrders(os.NewFile(guardLifeline, "lifeline"), orders)
	time.AfterFunc(timeout+grace+guardPatience, func() { orders <- orderKill })
	tell("%s", obey(cmd.Process.Pid, grace, orders))
}

// guardPatience is how much later than we the guard counts the time as over, so
// that it is we who say so, as long as we can.
const guardPatience = 5 * time.Second

func guardTimes(args []string) (grace, timeout time.Duration, err error) {
	if len(args) < 4 {
		return 0, 0, errors.New("a guard needs a command")
	}
	if grace, err = time.ParseDuration(args[0]); err != nil {
		return 0, 0, fmt.Errorf("read the grace: %w", err)
	}
	if timeout, err = time.ParseDuration(args[1]); err != nil {
		return 0, 0, fmt.Errorf("read the timeout: %w", err)
	}
	return grace, timeout, nil
}

func prepareGuard(timeout time.Duration) error {
	hideFiles() // also the two pipes
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the parent of orphans: %w", err)
	}
	if err := HideProcess(); err != nil {
		return err
	}
	return limitSelf(timeout)
}

type order int

const (
	orderEnd  order = iota // the time is over: SIGTERM, and SIGKILL after the grace
	orderKill              // nobody is there any more who could say: SIGKILL
)

// listenForOrders: a byte is an order to end; the end of the pipe is the end of
// whoever held it.
func listenForOrders(lifeline io.Reader, orders chan<- order) {
	in := bufio.NewReader(lifeline)
	if _, err := in.ReadByte(); err == nil {
		orders <- orderEnd
		_, _ = in.ReadByte()
	}
	orders <- orderKill
}

// obey waits for the command's own end or an order, and then sees to it that
// nobody is left. The command stays unreaped until its group was killed, so that
// its number cannot belong to somebody else.
func obey(pid int, grace time.Duration, orders <-chan order) string {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		}
	}()
	select {
	case <-ended:
	case o := <-orders:
		if o == orderEnd {
			_ = syscall.Kill(-pid, syscall.SIGTERM) // it may just have ended
			select {
			case <-ended:
			case <-orders:
			case <-time.After(grace):
			}
		}
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)
	<-ended
	status := sweep(pid)
	if status.Signaled() {
		return "signal " + strconv.Itoa(int(status.Signal()))
	}
	return "exit " + strconv.Itoa(status.ExitStatus())
}

// sweep kills and reaps until the guard has no child: whoever loses its parent
// becomes one. Only children are killed, since the number of a child that was
// not reaped can be nobody else's. The status is that of pid.
func sweep(pid int) (status syscall.WaitStatus) {
	options := syscall.WNOHANG // first those that have ended by themselves: mostly there is nobody else
	for {
		var ws syscall.WaitStatus
		got, err := syscall.Wait4(-1, &ws, options, nil)
		switch {
		case errors.Is(err, syscall.ECHILD):
			return status
		case got == pid:
			status = ws
		case got == 0:
			for _, child := range childrenOf(os.Getpid()) {
				_ = syscall.Kill(child, syscall.SIGKILL)
			}
			options = 0
		case got > 0:
			options = syscall.WNOHANG // its children are ours now
		}
	}
}
