package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// binary is the product with its crash points, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == appendMode {
		os.Exit(appendExecution(os.Args[2]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hikeshi-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "hikeshi")
	build := exec.Command("go", "build", "-tags", "chaos", "-o", binary, "github.com/hikeshi-ops/hikeshi")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build hikeshi:", err)
		return 1
	}
	return m.Run()
}

// appendMode makes this binary the remedy of the story: it appends the
// execution's id to a file, so that the file says what ran how often.
const appendMode = "crash-append"

func appendExecution(path string) int {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	if _, err := f.WriteString(os.Getenv("RB_EXECUTION_ID") + "\n"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// patience bounds every wait: R3 wants all to be well 30 s after the crash.
// Each wait is for an event, and ends with it.
const patience = 30 * time.Second
