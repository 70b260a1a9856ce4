//go:build unix

package runbooks

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := errorsOf(os.WriteFile(path, []byte(content), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func writeMode(path string, mode os.FileMode) error {
	return errorsOf(os.WriteFile(path, []byte(plainBook), mode), os.Chmod(path, mode))
}

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o644) }

func errorsOf(errs ...error) error { return errors.Join(errs...) }

// A reload takes all or nothing (S47).
func TestReloadIsAtomic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	write(t, first, plainBook, 0o644)
	l, problems := Load(Sources{Paths: []string{dir}})
	if len(problems) > 0 || len(l.All()) != 1 {
		t.Fatal(problems)
	}
	old := l.Get("restart-web")

	// one changed, one half written: neither counts
	write(t, first, strings.Replace(plainBook, "10s", "20s", 1), 0o644)
	write(t, second, strings.Replace(plainBook, "restart-web", "other", 1)[:200], 0o644)
	if bad := Errors(l.Reload()); len(bad) == 0 {
		t.Error("half a file was taken")
	}
	if l.Get("restart-web") != old || len(l.All()) != 1 {
		t.Error("the library has changed")
	}

	write(t, second, strings.Replace(plainBook, "restart-web", "other", 1), 0o644)
	if problems := l.Reload(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if now := l.Get("restart-web"); now == old || now.Digest == old.Digest || l.Get("other") == nil {
		t.Error("the library has not changed")
	}

	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if problems := l.Reload(); len(problems) > 0 || l.Get("other") != nil {
		t.Errorf("a removed runbook is still there: %v", problems)
	}
}

func TestLoadRefusesTwins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), plainBook, 0o644)
	write(t, filepath.Join(dir, "b.yml"), plainBook, 0o644)
	write(t, filepath.Join(dir, "README.md"), "not a runbook", 0o644)
	write(t, filepath.Join(dir, ".hidden.yaml"), "not a runbook", 0o644)
	_, problems := Load(Sources{Paths: []string{dir}})
	if len(problems) != 1 || problems[0].What.Phrase != "runbook.lint.id_twice" || problems[0].File != filepath.Join(dir, "b.yml") {
		t.Errorf("%v", problems)
	}
	if problems := Lint([]string{dir}, nil); len(problems) != 1 {
		t.Errorf("%v", problems)
	}
}

func TestLoadHasALimit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range MaxRunbooks + 1 {
		write(t, filepath.Join(dir, strings.Repeat("x", 1+i%200)+string(rune('a'+i/200))+".yaml"), "id: x", 0o644)
	}
	_, problems := Load(Sources{Paths: []string{dir}})
	found := false
	for _, p := range problems {
		found = found || p.What.Phrase == "runbook.lint.too_many_runbooks"
	}
	if !found {
		t.Errorf("%d files are too many", MaxRunbooks+1)
	}
}
