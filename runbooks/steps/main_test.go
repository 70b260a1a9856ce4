package steps

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The test binary is also the children that the tests start.
func TestMain(m *testing.M) {
	BeGuard()
	if len(os.Args) > 1 {
		if name, ok := strings.CutPrefix(os.Args[1], "child:"); ok {
			children[name](os.Args[2:])
			syscall.Exit(0) // os.Exit waits for a second under the race detector
		}
	}
	goleak.VerifyTestMain(m)
}

var children map[string]func(args []string)

// The map is filled here because the bot child refers to what refers to it.
var _ = func() bool {
	children = map[string]func([]string){
		"argv": func(args []string) {
			_ = json.NewEncoder(os.Stdout).Encode(args)
		},
		"around": around,
		// does not listen to SIGTERM, writes its pid into a file, and stays
		"stubborn": func(args []string) {
			signal.Ignore(syscall.SIGTERM)
			if len(args) > 0 {
				tell(args[0], os.Getpid())
			}
			time.Sleep(time.Hour)
		},
		"polite": func(args []string) {
			stop := make(chan os.Signal, 1)
			signal.Notify(stop, syscall.SIGTERM)
			tell(args[0], os.Getpid())
			<-stop
			fmt.Println("goodbye")
		},
		// leaves a stubborn grandchild behind, which holds the output open
		"parent": func(args []string) {
			cmd := exec.Command(os.Args[0], "child:stubborn")
			cmd.Stdout = os.Stdout
			if len(args) > 0 && args[0] == "elsewhere" {
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			}
			if err := cmd.Start(); err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(cmd.Process.Pid)
		},
		// says each argument in a write of its own
		"say": func(args []string) {
			for _, a := range args {
				_, _ = os.Stdout.WriteString(a)
			}
		},
		"flood": func(args []string) {
			n, _ := strconv.Atoi(args[0])
			w := bufio.NewWriter(os.Stdout)
			fmt.Fprint(w, "first ")
			for range n {
				fmt.Fprintln(w, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd")
			}
			fmt.Fprint(w, "last")
			w.Flush()
		},
		"fail": func([]string) {
			fmt.Println(`{"state":"bad","n":7}`)
			fmt.Fprintln(os.Stderr, "12345 it failed")
			syscall.Exit(3)
		},
		"hide": func(args []string) {
			const nobody = 65534
			var err error
			if os.Getuid() == 0 {
				err = errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody), unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
			}
			if args[0] == "hidden" {
				err = errors.Join(err, HideProcess())
			}
			if err != nil {
				fmt.Println(err)
			}
			fmt.Println("ready")
			_, _ = io.Copy(io.Discard, os.Stdin)
		},
		"bot": func(args []string) {
			c := newCommand(Config{})
			c.Execute(context.Background(), commandStep(time.Hour, args...), Env{})
		},
	}
	return true
}()

// tell writes a pid into a file, whole or not at all.
func tell(file string, pid int) {
	if err := os.WriteFile(file+".part", []byte(strconv.Itoa(pid)), 0o600); err == nil {
		_ = os.Rename(file+".part", file)
	}
}

// around describes the process's surroundings.
func around([]string) {
	dir, _ := os.Getwd()
	info, _ := os.Stat(".")
	entries, _ := os.ReadDir(".")
	input, err := io.ReadAll(os.Stdin)
	var files []string
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		target, _ := os.Readlink("/proc/self/fd/" + fd.Name())
		files = append(files, fd.Name()+" "+target)
	}
	limits, _ := os.ReadFile("/proc/self/limits")
	_ = json.NewEncoder(os.Stdout).Encode(surroundings{
		Env: os.Environ(), Dir: dir, Mode: info.Mode().String(), Entries: len(entries),
		Input: string(input) + fmt.Sprint(err), Files: files, Limits: string(limits),
		Group: syscall.Getpgrp() == os.Getpid(),
	})
}

type surroundings struct {
	Env, Files       []string
	Dir, Mode, Input string
	Limits           string
	Entries          int
	Group            bool
}

func commandStep(timeout time.Duration, argv ...string) incidents.Step {
	return incidents.Step{ID: "step", Kind: KindCommand, Argv: argv, Expect: "code 0", Timeout: timeout}
}

// run executes the step with its own timeout, as a runner does.
func run(t *testing.T, e Executor, step incidents.Step) incidents.StepResult {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), step.Timeout, ErrStepTime)
	defer cancel()
	return e.Execute(ctx, step, Env{Execution: "INC-7/1", Incident: 7, Runbook: "book"})
}
