package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// TestMain lets this test binary be the guard of the steps that tests carry out.
func TestMain(m *testing.M) {
	steps.BeGuard()
	os.Exit(m.Run())
}

// built is hikeshi as people have it, without the race detector: it takes half a
// second to start with it, and scripts start it a hundred times. What it does is
// run under the detector by the other tests.
func built(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "hikeshi"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build hikeshi: %v\n%s", err, out)
	}
	return dir
}

// The command line as a person types it. Besides testscript's own words:
//
//	exits N PROGRAM ARG…  runs it and wants exactly this exit code
//	holds DIR             opens the data directory, as another Hikeshi would, until the script ends
func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("examples")
	if err != nil {
		t.Fatal(err)
	}
	path := built(t) + string(filepath.ListSeparator) + os.Getenv("PATH")
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("EXAMPLES", examples)
			env.Setenv("PATH", path)
			return ownersOnly(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "holds": holds},
	})
}

// ownersOnly takes the right to write from all others: runbooks insist on it,
// whatever the umask is here.
func ownersOnly(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o022)
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		ended, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = ended.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func holds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: holds DIR")
	}
	store, err := storage.Open(context.Background(), storage.Config{Dir: ts.MkAbs(args[0])})
	ts.Check(err)
	ts.Defer(func() { _ = store.Close() })
}
