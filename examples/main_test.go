package examples_test

import (
	"os"
	"testing"

	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// The test binary is also the guard of the commands that the examples run.
func TestMain(m *testing.M) {
	steps.BeGuard()
	os.Exit(m.Run())
}
