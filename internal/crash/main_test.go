package crash

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The programs of these tests, built once: the product with its crash points,
// and the remedy of the story.
var binary, remedy string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hikeshi-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, remedy = filepath.Join(dir, "hikeshi"), filepath.Join(dir, "append")
	for _, args := range [][]string{
		{"-tags", "chaos", "-ldflags=-s -w", "-o", binary, "github.com/hikeshi-ops/hikeshi"},
		{"-o", remedy, "./testdata/append"},
	} {
		build := exec.Command("go", append([]string{"build"}, args...)...)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			return 1
		}
	}
	return m.Run()
}

// patience bounds every wait: R3 wants all to be well 30 s after the crash.
// Each wait is for an event, and ends with it.
const patience = 30 * time.Second
