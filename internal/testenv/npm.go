package testenv

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// packageJSON lists the packages of npm that scripts of tests may require. It is
// one list for all of them, so that they are installed once: that takes longer
// than all their tests together. Around the client of ServiceNow is a plugin, whose own
// needs, which are large and not the client's, are overridden with something small.
//
//go:embed package.json
var packageJSON []byte

const npmLimit = 5 * time.Minute

// Node runs a script with the packages of package.json at hand and returns what
// it printed. Where there is no node, or npm reaches nothing, the test is skipped.
func Node(t testing.TB, script string, env []string) string {
	t.Helper()
	node, npm := Need(t, "node"), Need(t, "npm")
	modules, err := installOnce(npmCache(t), packageJSON, func(dir string, lock *os.File) error {
		return npmInstall(t.Context(), npm, dir, lock)
	})
	if missing, ok := errors.AsType[*npmRefusal](err); ok {
		Skip(t, "needs the packages of internal/testenv/package.json from npm, which does not give them: "+missing.said)
	}
	if err != nil {
		t.Fatal(err)
	}
	script, err = filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), npmLimit)
	defer cancel()
	run := exec.CommandContext(ctx, node, script)
	run.Env = append(os.Environ(), append(env, "NODE_PATH="+modules)...)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", filepath.Base(script), err, out, stderr.String())
	}
	return string(out)
}

// npmCache is where installations stay from one run to the next, in a directory
// of this user's alone because what is in it is run. Who has no cache has one for
// the test.
func npmCache(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		return t.TempDir()
	}
	cache = filepath.Join(cache, "hikeshi-testenv")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return t.TempDir()
	}
	return cache
}

// installOnce returns the node_modules of a list of packages, which whoever comes
// first installs while others wait. It is there whole or not at all: it gets its
// name when it is complete, and its name is of what the list says.
func installOnce(cache string, list []byte, install func(dir string, lock *os.File) error) (modules string, err error) {
	dir := filepath.Join(cache, fmt.Sprintf("npm-%x", sha256.Sum256(list))[:20])
	modules = filepath.Join(dir, "node_modules")
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("lock the packages of npm: %w", err)
	}
	defer lock.Close() // and with it the lock goes
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return "", fmt.Errorf("lock the packages of npm: %w", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return modules, err
	}
	half := dir + ".half" // ours, because the lock is: what is there is of somebody who was killed
	if err := os.RemoveAll(half); err != nil {
		return "", fmt.Errorf("clear the packages of npm: %w", err)
	}
	defer os.RemoveAll(half) // nothing is left there when all went well
	if err := os.Mkdir(half, 0o700); err != nil {
		return "", fmt.Errorf("install packages of npm: %w", err)
	}
	if err := os.WriteFile(filepath.Join(half, "package.json"), list, 0o600); err != nil {
		return "", fmt.Errorf("install packages of npm: %w", err)
	}
	if err := install(half, lock); err != nil {
		return "", err
	}
	if err := os.Rename(half, dir); err != nil {
		return "", fmt.Errorf("install packages of npm: %w", err)
	}
	return modules, nil
}

// npmRefusal is an npm that does not give the packages.
type npmRefusal struct{ said string }

func (r *npmRefusal) Error() string { return "npm install: " + r.said }

// npmInstall installs what the directory's package.json lists, without letting it
// run anything. npm has the lock open too: where it outlives the test, it keeps it.
func npmInstall(ctx context.Context, npm, dir string, lock *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, npmLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error",
		"--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000") // others wait for the lock
	cmd.Dir, cmd.ExtraFiles = dir, []*os.File{lock}
	if out, err := cmd.CombinedOutput(); err != nil {
		return &npmRefusal{firstLine(string(out))}
	}
	return nil
}

// firstLine has the reason; the last ones say where a log is.
func firstLine(out string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
	return line
}
