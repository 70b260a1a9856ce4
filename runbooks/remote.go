package runbooks

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// sshScheme begins the URL of a resolved ssh step; the inventory's name of the
// host follows.
const sshScheme = "ssh://"

// ssh reads a command for another host. What holds for a command here holds for
// it too: no parameter chooses the program or becomes part of a script.
func (r *reader) ssh(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindSSH, "host", "argv", "expect")
	if !ok {
		return
	}
	s.host = r.place(n, f, "host")
	r.commandLine(s, f, n)
}

// place reads a text with places that has to be there.
func (r *reader) place(n *yaml.Node, f fields, key string) template {
	if f[key] == nil {
		r.fail(n, "runbook.lint.missing", "key", key)
		return nil
	}
	text, ok := r.str(f[key], key)
	if !ok {
		return nil
	}
	t, bad := parseTemplate(text, r.vars)
	if bad != nil {
		r.templateFail(f[key], bad)
	} else if text == "" {
		r.fail(f[key], "runbook.lint.want_text", "key", key)
	}
	return t
}

// remote fills the places of a step that acts elsewhere.
func (rb *Runbook) remote(s *Step, step *incidents.Step, values map[string]string) error {
	if s.Kind == KindSSH {
		step.URL = sshScheme + s.host.fill(values, asIs)
		for _, t := range s.argv {
			step.Argv = append(step.Argv, t.fill(values, asIs))
		}
	}
	return nil
}

// remoteLine is what a resolved step that acts elsewhere does, on one line.
func remoteLine(s incidents.Step) string {
	return "ssh " + strings.TrimPrefix(s.URL, sshScheme) + " " + CommandLine(s.Argv)
}
