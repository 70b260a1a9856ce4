package steps

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

func TestCommandGetsExactlyItsArguments(t *testing.T) {
	t.Parallel()
	args := []string{"", " ", "a b", "$HOME", "`id`", "a\nb", "*", "--flag", "日本", "\\", `"'`, "\xff"}
	r := run(t, newCommand(Config{}), commandStep(time.Minute, append([]string{self(t), "child:argv"}, args...)...))
	var got []string
	if err := json.Unmarshal([]byte(r.Output), &got); err != nil || !r.OK {
		t.Fatalf("%+v: %v", r, err)
	}
	args[len(args)-1] = "\uFFFD" // JSON's way to write it
	if !slices.Equal(got, args) {
		t.Errorf("got %q, want %q", got, args)
	}
}

// What a command finds around itself (S42): its own environment, directory and
// process group, no input, and no file of ours even where one was left open.
func TestCommandIsClean(t *testing.T) {
	t.Setenv("HIKESHI_TEST_SECRET", "canary-secret")
	t.Setenv("HIKESHI_TEST_WANTED", "wanted")
	leaked, err := os.CreateTemp(t.TempDir(), "leaked")
	if err != nil {
		t.Fatal(err)
	}
	defer leaked.Close()
	fd, err := syscall.Dup(int(leaked.Fd())) // without close-on-exec, as some libraries leave them
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)

	r := run(t, newCommand(Config{Env: []string{"HIKESHI_TEST_WANTED", "HIKESHI_TEST_ABSENT"}}), commandStep(time.Minute, self(t), "child:around"))
	var got surroundings
	if err := json.Unmarshal([]byte(r.Output), &got); err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	names := make([]string, len(got.Env))
	for i, e := range got.Env {
		names[i], _, _ = strings.Cut(e, "=")
	}
	slices.Sort(names)
	want := []string{"HIKESHI_TEST_WANTED", "HOME", "LANG", "PATH", "RB_EXECUTION_ID", "RB_INCIDENT", "RB_RUNBOOK", "RB_STEP", "TMPDIR"}
	if !slices.Equal(names, want) {
		t.Errorf("environment %v, want %v", names, want)
	}
	for _, e := range []string{"RB_EXECUTION_ID=INC-7/1", "RB_INCIDENT=INC-7", "RB_RUNBOOK=book", "RB_STEP=step", "HIKESHI_TEST_WANTED=wanted", "HOME=" + got.Dir} {
		if !slices.Contains(got.Env, e) {
			t.Errorf("%s is missing from %q", e, got.Env)
		}
	}
	if got.Mode != "drwx------" || got.Entries != 0 || got.Input != "<nil>" || !got.Group {
		t.Errorf("mode %s, %d entries, input %q, own group %t", got.Mode, got.Entries, got.Input, got.Group)
	}
	if _, err := os.Stat(got.Dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	for _, f := range got.Files {
		if strings.Contains(f, "leaked") || strings.Contains(f, "socket:") {
			t.Errorf("it has a file of ours: %s", f)
		}
	}
	for name, most := range map[string]string{"Max core file size": "0", "Max open files": "1024", "Max cpu time": "122",
		"Max file size": "1073741824", "Max data size": "4294967296"} {
		if line := lineWith(got.Limits, name); len(strings.Fields(strings.TrimPrefix(line, name))) < 2 || strings.Fields(strings.TrimPrefix(line, name))[1] != most {
			t.Errorf("limit %q, want %s", line, most)
		}
	}
}

// The limits hold from the first moment on, for everything that the command starts.
func TestCommandLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, phrase, value string }{
		"file size":  {"truncate -s 2G big; exit $?", "", "exit 153"},
		"open files": {"ulimit -n", "", "exit 0: 1024"},
		"processes":  {"test $(ulimit -u) != unlimited && echo bounded", "", "exit 0: bounded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, newCommand(Config{}), commandStep(time.Minute, "bash", "-c", c.script))
			if !strings.HasPrefix(r.Value, c.value) || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
		})
	}
	// A loop that would go on for an hour of its own ends by its processor time,
	// which is a little more than twice the timeout; here the limit is set by hand.
	if r := run(t, newCommand(Config{}), commandStep(time.Minute, "bash", "-c", "ulimit -t")); r.Value != "exit 0: 122" {
		t.Errorf("%+v", r)
	}
}

func lineWith(text, prefix string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

func TestCommandOutcome(t *testing.T) {
	t.Parallel()
	exe := self(t)
	for name, c := range map[string]struct {
		argv   []string
		expect string
		ok     bool
		value  string
		phrase string
	}{
		"as expected":              {[]string{exe, "child:say", "all well"}, `code 0 and contains "well"`, true, "exit 0: all well", ""},
		"text missing":             {[]string{exe, "child:say", "all well"}, `code 0 and contains "bad"`, false, `exit 0: no "bad"`, ""},
		"text there":               {[]string{exe, "child:say", "all bad"}, `code 0 and lacks "bad"`, false, `exit 0: has "bad"`, ""},
		"other code":               {[]string{exe, "child:fail"}, "code 0", false, "exit 3: 12345 it failed", ""},
		"expected code":            {[]string{exe, "child:fail"}, "code 2-3", true, "exit 3: 12345 it failed", ""},
		"json on stdout":           {[]string{exe, "child:fail"}, `code 3 and json n >= 7`, true, "exit 3: n = 7", ""},
		"json value":               {[]string{exe, "child:fail"}, `code 3 and json state == "good"`, false, "exit 3: state = bad", ""},
		"number on stdout":         {[]string{exe, "child:fail"}, `code 3 and number < 8`, true, "exit 3: 7", ""},
		"stderr counts as text":    {[]string{exe, "child:fail"}, `code 3 and contains "it failed"`, true, "exit 3: 12345 it failed", ""},
		"no such program":          {[]string{"no-such-program"}, "code 0", false, "", "runbook.no_program"},
		"no such file":             {[]string{"/no/such/file"}, "code 0", false, "", "runbook.not_started"},
		"relative":                 {[]string{"./run"}, "code 0", false, "", "runbook.bad_step"},
		"empty":                    {nil, "code 0", false, "", "runbook.bad_step"},
		"unknown expectation":      {[]string{exe, "child:say"}, "well", false, "", "runbook.bad_step"},
		"killed by its own signal": {[]string{"sh", "-c", "kill -9 $$"}, "code 0", false, "", "runbook.killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			step := commandStep(time.Minute, c.argv...)
			step.Expect = c.expect
			r := run(t, newCommand(Config{}), step)
			if r.OK != c.ok || r.Value != c.value || r.Because.Phrase != c.phrase || (r.Error == "") != (c.phrase == "") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Commands are found on the path that was configured, not on ours.
func TestCommandPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tool"), []byte("#!/bin/sh\necho found\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if r := run(t, newCommand(Config{Path: dir}), commandStep(time.Minute, "tool")); !r.OK || r.Output != "found\n" {
		t.Errorf("%+v", r)
	}
	if r := run(t, newCommand(Config{}), commandStep(time.Minute, "tool")); r.Because.Phrase != "runbook.no_program" {
		t.Errorf("%+v", r)
	}
}

// cutOff carries out a step until it has written a pid into the file that is its
// last argument, and then lets its time be over.
func cutOff(t *testing.T, c *Command, argv ...string) (r incidents.StepResult, pid string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan incidents.StepResult)
	go func() { done <- c.Execute(ctx, commandStep(time.Minute, append(argv, file)...), Env{}) }()
	for deadline := time.Now().Add(time.Minute); pid == "" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		b, _ := os.ReadFile(file)
		pid = strings.TrimSpace(string(b))
	}
	cancel(ErrStepTime)
	return <-done, pid
}

// A process that stays is told to end, and killed if it does not (S43).
func TestCommandTimeout(t *testing.T) {
	t.Parallel()
	patient, impatient := newCommand(Config{}), newCommand(Config{})
	patient.grace, impatient.grace = time.Minute, 50*time.Millisecond
	began := time.Now()
	r, pid := cutOff(t, patient, self(t), "child:polite")
	if r.OK || r.Because.Phrase != "runbook.timeout" || r.Because.Args["within"] != "1m0s" || r.Output != "goodbye\n" {
		t.Errorf("polite: %+v", r)
	}
	gone(t, pid)
	r, pid = cutOff(t, impatient, self(t), "child:stubborn")
	if r.OK || r.Because.Phrase != "runbook.timeout" {
		t.Errorf("stubborn: %+v", r)
	}
	gone(t, pid)
	if took := time.Since(began); took > patient.grace {
		t.Errorf("it waited for nobody: %v", took)
	}
	ran := run(t, impatient, commandStep(100*time.Millisecond, "sleep", "600"))
	if ran.Because.Phrase != "runbook.timeout" || ran.Because.Args["within"] != "100ms" {
		t.Errorf("%+v", ran)
	}
}

// Nobody outlives the step: neither a grandchild in the command's group, nor one
// that left it for a session of its own.
func TestCommandLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"here", "elsewhere"} {
		r := run(t, newCommand(Config{}), commandStep(time.Minute, self(t), "child:parent", where))
		if !r.OK {
			t.Fatalf("%s: %+v", where, r)
		}
		gone(t, strings.TrimSpace(r.Output))
	}
}

// daemonise is a script that becomes a daemon as daemons do: it starts one that
// leaves the group and the session and listens to no SIGTERM, and whose parent
// ends. The daemon writes its pid into the file $1; then the script stays.
const daemonise = `#!/bin/sh
setsid sh -c 'trap "" TERM HUP; (trap "" TERM HUP; sh -c "echo \$PPID" > "$1.part"; mv "$1.part" "$1"; while :; do sleep 600; done) & exit 0' sh "$1" </dev/null >/dev/null 2>&1 &
while :; do sleep 600; done
`

func script(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "daemonise")
	if err := os.WriteFile(file, []byte(daemonise), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// A daemon dies at the timeout too.
func TestCommandTimeoutKillsDaemons(t *testing.T) {
	t.Parallel()
	c := newCommand(Config{})
	c.grace = 50 * time.Millisecond
	r, pid := cutOff(t, c, script(t))
	if r.Because.Phrase != "runbook.timeout" {
		t.Fatalf("%+v", r)
	}
	gone(t, pid)
}

// A shell's background job in the same group dies with it at the timeout.
func TestCommandTimeoutKillsTheGroup(t *testing.T) {
	t.Parallel()
	c := newCommand(Config{})
	c.grace = 50 * time.Millisecond
	r, pid := cutOff(t, c, "sh", "-c", "trap '' TERM; (trap '' TERM; sleep 600) & echo $! > $1.part; mv $1.part $1; sleep 600", "sh")
	if r.Because.Phrase != "runbook.timeout" {
		t.Fatalf("%+v", r)
	}
	gone(t, pid)
}

// When the bot is killed with no chance to do anything, its command dies, and
// what that has started, a daemon in a session of its own too (S43).
func TestCommandDiesWithTheBot(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	bot := exec.Command(self(t), "child:bot", script(t), file)
	bot.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	daemon := pidIn(t, file)
	guard := childOf(t, bot.Process.Pid)
	command := childOf(t, guard)
	if err := bot.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = bot.Wait()
	gone(t, daemon)
	gone(t, strconv.Itoa(command))
	gone(t, strconv.Itoa(guard))
}

// A bot that hangs is no bot: the guard counts the time itself.
func TestGuardKeepsTheTime(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	lifelineRead, lifeline, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer lifeline.Close()
	report, reportWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer report.Close()
	tool := script(t)
	guard := exec.Command(self(t))
	guard.Args = guardArgs(-guardPatience, time.Second, tool, []string{tool, file})
	guard.ExtraFiles = []*os.File{lifelineRead, reportWrite}
	if err := guard.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = lifelineRead.Close(), reportWrite.Close()
	daemon := pidIn(t, file)
	if told, err := io.ReadAll(report); string(told) != "signal 9" {
		t.Errorf("it told %q: %v", told, err)
	}
	gone(t, daemon)
	if err := guard.Wait(); err != nil {
		t.Error(err)
	}
}

// A command whose guard is killed dies too, and nobody says that it succeeded.
func TestGuardKilled(t *testing.T) {
	t.Parallel()
	r, pid := run(t, newCommand(Config{}), commandStep(time.Minute, "sh", "-c", "echo $$; kill -9 $PPID; sleep 600")), ""
	if r.OK || r.Because.Phrase != "runbook.guard_died" {
		t.Errorf("%+v", r)
	}
	if pid = strings.TrimSpace(r.Output); pid != "" {
		gone(t, pid)
	}
}

// pidIn waits for a process to write its number into the file.
func pidIn(t *testing.T, file string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	t.Fatal("the daemon did not start")
	return ""
}

// childOf waits until the process has a child.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, task := range tasks {
			b, _ := os.ReadFile(task)
			if fields := strings.Fields(string(b)); len(fields) > 0 {
				child, err := strconv.Atoi(fields[0])
				if err != nil {
					t.Fatal(err)
				}
				return child
			}
		}
	}
	t.Fatal("the bot started nothing")
	return 0
}

// gone waits until there is no such process, or only what is left of one that
// nobody has reaped.
func gone(t *testing.T, pid string) {
	t.Helper()
	if _, err := strconv.Atoi(pid); err != nil {
		t.Fatalf("%q is not a process", pid)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return
		}
		_, state, _ := strings.Cut(string(b), ") ")
		if strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
			return
		}
	}
	t.Errorf("process %s is still alive", pid)
}

// What is kept of a flood is its beginning and its end, and how much is missing.
func TestCommandOutputIsBounded(t *testing.T) {
	t.Parallel()
	const lines = 64 << 10 // 4 MiB
	r := run(t, newCommand(Config{}), commandStep(time.Minute, self(t), "child:flood", strconv.Itoa(lines)))
	if len(r.Output) > maxOutput+100 || len(r.Output) < maxOutput {
		t.Errorf("%d bytes were kept", len(r.Output))
	}
	if !strings.HasPrefix(r.Output, "first 0123") || !strings.HasSuffix(r.Output, "abcd\nlast") {
		t.Errorf("begins %q, ends %q", r.Output[:20], r.Output[len(r.Output)-20:])
	}
	missing := lines*63 + len("first last") - maxOutput
	if !strings.Contains(r.Output, fmt.Sprintf("[… %d bytes …]", missing)) {
		t.Errorf("it does not say that %d bytes are missing", missing)
	}
}

// What was not kept may hold what must not be there.
func TestCommandLacksNothingItDidNotSee(t *testing.T) {
	t.Parallel()
	step := commandStep(time.Minute, self(t), "child:flood", strconv.Itoa(64<<10))
	step.Expect = `code 0 and lacks "error"`
	if r := run(t, newCommand(Config{}), step); r.OK || !strings.Contains(r.Value, "more than 1048576 bytes") {
		t.Errorf("%t %s", r.OK, r.Value)
	}
}

// A command that never stops talking ends at its timeout.
func TestCommandEndless(t *testing.T) {
	t.Parallel()
	r := run(t, newCommand(Config{}), commandStep(500*time.Millisecond, "yes"))
	if r.Because.Phrase != "runbook.timeout" || len(r.Output) > maxOutput+100 {
		t.Errorf("%d bytes, %+v", len(r.Output), r.Because)
	}
}

// A process of the same user, as a runbook's command is, cannot read the
// environment of one that hides. Root is first made nobody, whom it can hide from.
func TestHideProcess(t *testing.T) {
	t.Parallel()
	asNobody := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		asNobody.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	for mode, want := range map[string]bool{"open": true, "hidden": false} {
		hider := exec.Command(self(t), "child:hide", mode)
		hider.Env = []string{"SECRET=canary"}
		stdin, err := hider.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := hider.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := hider.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q: %v", line, err)
		}
		reader := exec.Command("cat", fmt.Sprintf("/proc/%d/environ", hider.Process.Pid))
		reader.SysProcAttr = asNobody
		got, _ := reader.Output()
		if strings.Contains(string(got), "canary") != want {
			t.Errorf("%s: the environment is %q", mode, got)
		}
		_ = stdin.Close()
		if err := hider.Wait(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
