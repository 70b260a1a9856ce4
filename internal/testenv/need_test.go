package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// TestInner is the test that TestNeed runs in a process of its own.
func TestInner(t *testing.T) {
	if os.Getenv("TESTENV_INNER") == "" {
		return
	}
	testenv.Need(t, "no-such-program")
	t.Error("went on without the program")
}

func TestNeed(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, ci   string
		wantFail   bool
		wantNoted  string
		wantOutput string
	}{
		{"at a desk it skips and says so", "", false, "TestInner: needs no-such-program", "--- SKIP"},
		{"in CI it fails", "true", true, "", "a skip is a failure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			skips := filepath.Join(t.TempDir(), "skips")
			cmd := exec.Command(self, "-test.run=^TestInner$", "-test.v")
			cmd.Env = append(os.Environ(), "TESTENV_INNER=1", "CI="+c.ci, "HIKESHI_SKIPS="+skips)
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.wantFail {
				t.Errorf("err = %v, want failure: %v\n%s", err, c.wantFail, out)
			}
			if !strings.Contains(string(out), c.wantOutput) {
				t.Errorf("no %q in the output:\n%s", c.wantOutput, out)
			}
			noted, _ := os.ReadFile(skips)
			if !strings.HasPrefix(string(noted), c.wantNoted) || (c.wantNoted == "") != (len(noted) == 0) {
				t.Errorf("noted %q, want %q", noted, c.wantNoted)
			}
		})
	}
}

func TestNeedFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	if got := testenv.Need(t, "sh"); !filepath.IsAbs(got) {
		t.Errorf("sh is at %q, want an absolute path", got)
	}
}
