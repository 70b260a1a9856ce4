//go:build chaos && unix

package sqlite_test

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// TestFailpoints kills the process at each named point, at its first and its
// third hit. Run with: go test -tags chaos -run Failpoints ./storage/sqlite
func TestFailpoints(t *testing.T) {
	t.Parallel()
	for _, point := range failpoint.Names {
		if !strings.HasPrefix(point, "sqlite.") {
			continue
		}
		for _, hit := range []string{"1", "3"} {
			t.Run(point+":"+hit, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				cmd, out := child(t, "work", dir, firstEnv+"=0", limitEnv+"=100", "HIKESHI_FAILPOINT="+point+":"+hit)
				if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
					t.Fatalf("the child was not killed: %v", err)
				}
				s := open(t, sqlite.Config{Dir: dir})
				conformance.Survived(t, s, out.String())
			})
		}
	}
}
