package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Command carries out command steps: an argv, without a shell, in a clean
// process. The process gets an environment of its own, an empty directory of its
// own, no input and no files of ours, and limits. It and everything that it has
// started, daemons too, end when the first process ends, at the timeout (SIGTERM
// to its group, then SIGKILL to all), and when we die, however: see the guard.
type Command struct {
	path  string
	env   []string
	grace time.Duration
}

// KillGrace is the time from SIGTERM to SIGKILL.
const KillGrace = 2 * time.Second

// defaultPath is where commands are looked for.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func newCommand(c Config) *Command {
	e := &Command{path: c.Path, grace: KillGrace}
	if e.path == "" {
		e.path = defaultPath
	}
	for _, name := range c.Env {
		if value, ok := os.LookupEnv(name); ok {
			e.env = append(e.env, name+"="+value)
		}
	}
	return e
}

// Execute implements Executor.
func (c *Command) Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	dir, err := os.MkdirTemp("", "hikeshi-step-") // 0700
	if err != nil {
		return Failed(notStarted(err))
	}
	defer os.RemoveAll(dir)
	said := &speech{live: env.Live}
	code, err := c.run(ctx, step, c.environ(dir, step, env), dir, said)
	if err != nil {
		result := Failed(err)
		result.Output = string(said.both.bytes())
		return result
	}
	return judgeCommand(expect, code, said)
}

// judgeCommand is what a command's end means.
func judgeCommand(expect Expect, code int, said *speech) incidents.StepResult {
	text := said.both.bytes()
	ok, seen, number := expect.output(text, said.out.bytes())
	if len(text) > maxOutput && len(expect.Lacks) > 0 { // it may be in what was not kept
		ok, seen = false, append(seen, fmt.Sprintf("more than %d bytes", maxOutput))
	}
	result := incidents.StepResult{
		OK: ok && expect.code(code), Output: string(text), Value: fmt.Sprintf("exit %d", code), Code: code, Number: number,
	}
	if len(seen) == 0 {
		seen = said.gist(code)
	}
	if len(seen) > 0 {
		result.Value += ": " + strings.Join(seen, ", ")
	}
	return result
}

// environ is the whole environment of a command.
func (c *Command) environ(dir string, step incidents.Step, env Env) []string {
	all := []string{
		"PATH=" + c.path, "HOME=" + dir, "TMPDIR=" + dir, "LANG=C.UTF-8",
		"RB_INCIDENT=" + env.Incident.String(), "RB_RUNBOOK=" + env.Runbook, "RB_STEP=" + step.ID,
	}
	if env.Execution != "" {
		all = append(all, "RB_EXECUTION_ID="+env.Execution)
	}
	return append(all, c.env...)
}

// A speech is what a process says on its two outputs: each alone, and both in
// the order in which they came.
type speech struct {
	out, err, both output
	live           *Tail // hears it too; nil: nobody does
}

// writers take standard output and standard error.
func (s *speech) writers() (out, err io.Writer) {
	liveOut, liveErr := s.live.writers()
	return io.MultiWriter(append(liveOut, &s.out, &s.both)...), io.MultiWriter(append(liveErr, &s.err, &s.both)...)
}

// gist is the line that says most: why it failed, or what it found.
func (s *speech) gist(code int) []string {
	order := []*output{&s.out, &s.err}
	if code != 0 {
		order = []*output{&s.err, &s.out}
	}
	for _, o := range order {
		if line := CutLine(string(o.bytes()), 80); line != "" {
			return []string{line}
		}
	}
	return nil
}

// run starts the process and waits for its end and that of its group. An error
// means that it could not be started or did not end by itself.
func (c *Command) run(ctx context.Context, step incidents.Step, environ []string, dir string, said *speech) (int, error) {
	if ctx.Err() != nil {
		return 0, Stopped(ctx, step)
	}
	program, err := c.find(step.Argv)
	if err != nil {
		return 0, err
	}
	ears, err := listen(said)
	if err != nil {
		return 0, notStarted(err)
	}
	code, cut, err := c.start(ctx, process{program, step.Argv, environ, dir, step.Timeout, ears})
	ears.close(c.grace)
	if cut {
		return 0, Stopped(ctx, step)
	}
	return code, err
}

// A process is what start starts.
type process struct {
	program string // an absolute path
	argv    []string
	env     []string
	dir     string
	timeout time.Duration
	ears    *ears
}

// find is the program's absolute path, from the PATH of commands and not ours.
func (c *Command) find(argv []string) (string, error) {
	if len(argv) == 0 {
		return "", Bad(errors.New("the command is empty"))
	}
	name := argv[0]
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			return "", Bad(fmt.Errorf("%.100q is neither a name nor an absolute path", name))
		}
		return name, nil
	}
	for _, dir := range filepath.SplitList(c.path) {
		full := filepath.Join(dir, name)
		if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return full, nil
		}
	}
	return "", incidents.Fail(incidents.Unavailable, "runbook.no_program",
		fmt.Sprintf("there is no program %.100s in %s", name, c.path), "program", fmt.Sprintf("%.100s", name), "path", c.path)
}

func notStarted(err error) error {
	return incidents.Fail(incidents.Unavailable, "runbook.not_started", "the command could not be started: "+err.Error(), "error", err.Error())
}
