package git_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/git"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func TestCommitsAreChanges(t *testing.T) {
	bin := testenv.Need(t, "git")
	dir := t.TempDir()
	now := time.Now().Truncate(time.Second)
	run := func(at time.Time, args ...string) {
		t.Helper()
		cmd := exec.Command(bin, append([]string{"-C", dir, "-c", "user.name=Ann O'Nym", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+at.Format(time.RFC3339), "GIT_AUTHOR_DATE="+at.Format(time.RFC3339), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run(now, "init", "-q")
	run(now.Add(-24*time.Hour), "commit", "-q", "--allow-empty", "-m", "old")
	run(now.Add(-20*time.Minute), "commit", "-q", "--allow-empty", "-m", "shop: halve the pool $(touch x) `id`")
	s := &git.Source{Path: dir, Service: "shop", Link: "https://git.example.com/c/"}
	answer, err := s.Ask(t.Context(), diagnostics.Question{Alert: now, To: now})
	if err != nil || len(answer.Changes) != 1 {
		t.Fatalf("%+v %v", answer, err)
	}
	got := answer.Changes[0]
	if got.Title != "shop: halve the pool $(touch x) `id`" || got.By != "Ann O'Nym" || !got.At.Equal(now.Add(-20*time.Minute)) || got.URL != s.Link+got.Revision || got.Service != "shop" {
		t.Errorf("%+v", got)
	}
	if _, err := (&git.Source{Path: filepath.Join(dir, "none")}).Ask(t.Context(), diagnostics.Question{Alert: now, To: now}); err == nil {
		t.Error("no repository, and no error")
	}
}
