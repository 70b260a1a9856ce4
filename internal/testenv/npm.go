package testenv

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Node runs a script with packages of npm at hand, which it installs into a
// temporary directory first, without letting them run anything. It returns what
// the script printed. Where there is no node, or npm reaches nothing, the test is
// skipped.
func Node(t testing.TB, script string, env []string, packages ...string) string {
	t.Helper()
	node, npm := Need(t, "node"), Need(t, "npm")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"}, packages...)...)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		Skip(t, "needs "+strings.Join(packages, ", ")+" from npm, which does not give them: "+lastLine(string(out)))
	}
	script, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(ctx, node, script)
	run.Env = append(os.Environ(), append(env, "NODE_PATH="+filepath.Join(dir, "node_modules"))...)
	var errors strings.Builder
	run.Stderr = &errors
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", filepath.Base(script), err, out, errors.String())
	}
	return string(out)
}

func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}
