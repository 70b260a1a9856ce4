//go:build !linux

package steps

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// Elsewhere than on Linux a step is one process: it is killed at its timeout,
// but what it has started goes on, and nothing limits what it uses. For
// development; production is Linux.
func attributes() *syscall.SysProcAttr { return nil }

func limit(int, time.Duration) {}

func hideFiles() {}

// HideProcess does nothing here.
func HideProcess() error { return nil }

// wait waits for the process, or kills it with the context (cut).
func (c *Command) wait(ctx context.Context, cmd *exec.Cmd) (cut bool, err error) {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return false, err
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may just have ended
		return true, <-ended
	}
}
