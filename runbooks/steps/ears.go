package steps

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Ears are the two pipes that a process talks into, and who listens.
type ears struct {
	stdout, stderr *os.File // the process's ends
	reads          []*os.File
	copying        sync.WaitGroup
}

// listen makes the pipes and copies what comes out of them.
func listen(to *speech) (*ears, error) {
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	errRead, errWrite, err := os.Pipe()
	if err != nil {
		_ = outRead.Close()
		_ = outWrite.Close()
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	e := &ears{stdout: outWrite, stderr: errWrite, reads: []*os.File{outRead, errRead}}
	stdout, stderr := to.writers()
	e.copying.Go(func() { _, _ = io.Copy(stdout, outRead) }) // ends with the pipe, or with close
	e.copying.Go(func() { _, _ = io.Copy(stderr, errRead) })
	return e, nil
}

// childHasThem closes our copies of the process's ends.
func (e *ears) childHasThem() {
	_ = e.stdout.Close()
	_ = e.stderr.Close()
}

// close waits for what was still said. Whoever left the process group may hold
// the pipes open for ever, so there is a limit to the waiting.
func (e *ears) close(patience time.Duration) {
	for _, r := range e.reads {
		_ = r.SetReadDeadline(time.Now().Add(patience))
	}
	e.copying.Wait()
	for _, r := range e.reads {
		_ = r.Close()
	}
}
