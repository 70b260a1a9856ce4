package runbooks

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A command has no shell, but an author can start one, or another interpreter,
// and then a parameter could end up in a program's source. That is refused as
// far as it can be seen from an argv.
var (
	// shells are looked for anywhere in an argv.
	shells = regexp.MustCompile(`\A(?:(?:ba|da|z|k|mk|a|c|tc|fi|rba)?sh|su)\z`)
	// interpreters are looked for where a program stands: their names are also
	// common words (kubectl get node web-1).
	interpreters = regexp.MustCompile(`\A(?:python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|deno|bun|php[0-9.]*|lua[0-9.]*|pwsh|powershell|tclsh[0-9.]*|expect|osascript)\z`)
	// joiners make a program of all their arguments, or of any of them.
	joiners = []string{"ssh", "rsh", "mosh", "eval", "awk", "gawk", "mawk", "nawk", "sed", "at", "batch", "watch", "parallel", "script"}
	// wrappers start the program that is among their arguments.
	wrappers = []string{"env", "sudo", "doas", "timeout", "nice", "ionice", "nohup", "setsid", "stdbuf", "xargs", "chroot", "unshare",
		"nsenter", "systemd-run", "runuser", "flock", "docker", "podman", "nerdctl", "lxc", "busybox", "time", "strace", "chrt", "taskset", "ip", "bwrap", "kubectl", "find"}
	// scriptFlag comes before source: -c, -ec, -lc, -e, -ne, -r, --eval …
	scriptFlag = regexp.MustCompile(`\A(?:-[A-Za-z]*[cerREBp]|--command|--eval|--execute|--print|--run|-[Cc]ommand)\z`)
)

// program looks at what argv starts: it must be known before an alert comes, and
// no text from outside may become a program's source.
func (r *reader) program(argv []template, n *yaml.Node) {
	name := argv[0].String()
	switch {
	case hasPlace(argv[0]):
		r.fail(n, "runbook.lint.argv_program", "program", name)
	case name == "" || strings.ContainsAny(name, " \t") || strings.Contains(name, "/") && !path.IsAbs(name):
		if !r.vars.any || !strings.HasPrefix(name, "{var.") {
			r.fail(n, "runbook.lint.argv_name", "program", name)
		}
	}
	wrapped := slices.Contains(wrappers, path.Base(name))
	for i, t := range argv {
		word, rest := path.Base(t.String()), argv[i+1:]
		runs := i == 0 || wrapped && (path.Base(name) != "kubectl" || argv[i-1].String() == "--")
		switch {
		case runs && slices.Contains(joiners, word):
			if slices.ContainsFunc(rest, hasPlace) {
				r.fail(n, "runbook.lint.shell_data", "program", word)
			}
			return
		case shells.MatchString(word), runs && interpreters.MatchString(word):
			if sourceHasPlace(rest) {
				r.fail(n, "runbook.lint.shell_data", "program", word)
			}
			return
		}
	}
}

func hasPlace(t template) bool { return len(t.params()) > 0 }

// sourceHasPlace says whether a parameter stands, or could stand, in the source
// that an interpreter gets by these arguments. It is safe after a fixed script
// (-c 'echo "$1"' sh {who}) and after a fixed file or module (/opt/tool.py {who},
// -m tool {who}); a file is an absolute path, since a step's directory is empty.
func sourceHasPlace(args []template) bool {
	fixed := false
	for i, t := range args {
		word := t.String()
		if scriptFlag.MatchString(word) && i+1 < len(args) {
			if hasPlace(args[i+1]) {
				return true
			}
			fixed = true
		}
		if !hasPlace(t) {
			fixed = fixed || path.IsAbs(word) || i > 0 && args[i-1].String() == "-m"
		} else if !fixed {
			return true
		}
	}
	return false
}
