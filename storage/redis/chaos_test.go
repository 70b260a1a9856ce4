//go:build chaos

package redis_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
)

// TestFailpoints kills the process at each named point, at its first and its
// third hit. Run with: go test -tags chaos -run Failpoints ./storage/redis
func TestFailpoints(t *testing.T) {
	server := testenv.Redis(t)
	for _, point := range failpoint.Names {
		if !strings.HasPrefix(point, "redis.") {
			continue
		}
		for _, hit := range []string{"1", "3"} {
			t.Run(point+":"+hit, func(t *testing.T) {
				t.Parallel()
				url := fmt.Sprintf("%s?prefix=f%d:", server.URL, prefixes.Add(1))
				cmd, out := conformance.Child(t, childEnv+"="+url, firstEnv+"=0", limitEnv+"=100", "HIKESHI_FAILPOINT="+point+":"+hit)
				if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
					t.Fatalf("the child was not killed: %v", err)
				}
				conformance.Survived(t, openURL(t, url, 2), out.String())
			})
		}
	}
}
