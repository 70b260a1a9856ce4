package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program is a binary that tests use: the names it goes by, the Debian
// package that has it.
type program struct {
	names []string
	pkg   string
}

// programs lists what tests ask for. tools/deps.sh installs the same packages;
// TestDepsScriptNamesEveryPackage holds the two together.
var programs = map[string]program{
	"redis-server":            {[]string{"redis-server"}, "redis-server"},
	"prometheus":              {[]string{"prometheus"}, "prometheus"},
	"promtool":                {[]string{"promtool"}, "prometheus"},
	"amtool":                  {[]string{"amtool"}, "prometheus-alertmanager"},
	"prometheus-alertmanager": {[]string{"prometheus-alertmanager", "alertmanager"}, "prometheus-alertmanager"},
	"sshd":                    {[]string{"sshd"}, "openssh-server"},
	"ansible-playbook":        {[]string{"ansible-playbook"}, "ansible-core"},
	"apache2":                 {[]string{"apache2"}, "apache2"},
	"influxd":                 {[]string{"influxd"}, "influxdb"},
	"ps":                      {[]string{"ps"}, "procps"},
	"chromium":                {[]string{"chromium", "chromium-browser", "google-chrome"}, "chromium"},
}

// systemDirs are searched after PATH: Debian puts daemons where the PATH of an
// ordinary user does not look.
var systemDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin"}

// Need returns the path of the named program. Where it is missing the test is
// skipped by [Skip], which with CI=true is a failure.
func Need(t testing.TB, name string) string {
	t.Helper()
	p, known := programs[name]
	if !known {
		p = program{names: []string{name}, pkg: name}
	}
	for _, n := range p.names {
		if path, ok := find(n); ok {
			return path
		}
	}
	Skip(t, fmt.Sprintf("needs %s, which is not installed (apt-get install %s)", name, p.pkg))
	return ""
}

func find(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	for _, dir := range systemDirs {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, true
		}
	}
	return "", false
}

// Skip skips the test because of something the machine lacks, and notes it so
// that `make test` can say so at the end. With CI=true it fails the test. Tests
// use it in place of t.Skip, which nobody would hear of.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if ci := os.Getenv("CI"); ci == "true" || ci == "1" {
		t.Fatalf("%s (with CI=%s a skip is a failure)", reason, ci)
	}
	if path := os.Getenv("HIKESHI_SKIPS"); path != "" {
		if err := note(path, t.Name()+": "+reason); err != nil {
			t.Fatalf("note the skip: %v", err)
		}
	}
	t.Skip(reason)
}

// Data is the directory that an environment variable names, with what nobody can
// install: vendors' specifications, recorded data. Without it the test is skipped and
// that is noted, in CI too.
func Data(t testing.TB, variable, what string) string {
	t.Helper()
	if dir := os.Getenv(variable); dir != "" {
		return dir
	}
	Leave(t, fmt.Sprintf("needs %s, a directory with %s", variable, what))
	return ""
}

// Leave skips the test because of something that has to be asked for, and notes it; in
// CI too.
func Leave(t testing.TB, reason string) {
	t.Helper()
	if path := os.Getenv("HIKESHI_SKIPS"); path != "" {
		if err := note(path, t.Name()+": "+reason); err != nil {
			t.Fatalf("note the skip: %v", err)
		}
	}
	t.Skip(reason)
}

// note appends one line in one write, because the test binaries of several
// packages write to the file at the same time.
func note(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(strings.ReplaceAll(line, "\n", " ") + "\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
