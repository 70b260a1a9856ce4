//go:build !linux

package steps

import (
	"context"
	"os/exec"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// BeGuard does nothing here: see start.
func BeGuard() {}

// HideProcess does nothing here.
func HideProcess() error { return nil }

// start: elsewhere than on Linux a command is one process without a guard. It is
// killed at its timeout, but what it has started goes on, all of it goes on when
// we are killed, and nothing limits what it uses. For development; production is
// Linux.
func (c *Command) start(ctx context.Context, p process) (code int, cut bool, err error) {
	cmd := &exec.Cmd{Path: p.program, Args: p.argv, Env: p.env, Dir: p.dir, Stdout: p.ears.stdout, Stderr: p.ears.stderr}
	err = cmd.Start()
	p.ears.childHasThem()
	if err != nil {
		return 0, false, notStarted(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may just have ended
		<-ended
		return 0, true, nil
	}
	if code = cmd.ProcessState.ExitCode(); code < 0 {
		signal := cmd.ProcessState.String()
		return 0, false, incidents.Fail(incidents.Unavailable, "runbook.killed", "ended by "+signal, "signal", signal)
	}
	return code, false, nil
}
