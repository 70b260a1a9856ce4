// Package draft makes a runbook of what people did by hand: of the commands that
// they noted in an incident ("$ systemctl restart nginx").
//
// It promises:
//   - A draft is text for people. It is never loaded, and cannot be: its risk, and how
//     one sees that it helped, are left to be filled in, and until then lint refuses it.
//   - A command becomes an argv. Whatever needs a shell (a pipe, a redirection, a
//     variable) stands as a comment, and a person decides.
//   - What people typed is quoted: no note can add a key to the file.
//
// Start with Of.
package draft

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MaxCommands bounds a draft; later commands are counted in it.
const MaxCommands = 30

// Commands are what people noted to have run by hand: the lines of their notes, and
// of what they said in the rooms, that begin with "$ ". What was said counts as it
// reads now, where it was said first; what its author took back does not.
func Commands(events []incidents.Event) []string {
	var texts []string
	said := map[string]int{} // where a message stands in texts
	for i := range events {
		e := &events[i]
		switch {
		case e.Kind == incidents.EventNoted && e.By.IsPerson():
			texts = append(texts, e.Text)
		case e.Kind == incidents.EventSaid && e.Said != nil:
			at, known := said[e.Said.Key]
			if known && e.Said.Key != "" {
				texts[at] = e.Text // nothing, where it was deleted
			} else if e.By.IsPerson() {
				said[e.Said.Key] = len(texts)
				texts = append(texts, e.Text)
			}
		}
	}
	var all []string
	for _, text := range texts {
		all = append(all, incidents.ByHand(text)...)
	}
	return all
}

// param is a value of the incident that the next one will have otherwise.
type param struct{ name, value, label string }

// Of writes the draft of a runbook.
func Of(s *incidents.Incident, commands []string) string {
	var b strings.Builder
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	id := strings.ToLower(s.ID.String())
	put("# A draft, made of what people did by hand in %s. It runs nowhere: fill in verify,", s.ID)
	put("# say where it acts and what it risks, and have it reviewed.")
	put("id: draft-%s", id)
	title := oneLine(s.Title)
	put("title: {en: %s, ja: %s}", quoted("As in "+s.ID.String()+": "+title), quoted(s.ID.String()+" の対処: "+title))
	put("what: {en: %s, ja: %s}", quoted("What helped in "+s.ID.String()+"."), quoted(s.ID.String()+" で有効だった対処。"))
	put("where: {en: %s, ja: %s}", quoted("To be filled in: on which machine."), quoted("要記入: どのマシンで実行するか。"))
	put("how: {en: %s, ja: %s}", quoted("The commands in the order in which they were run by hand. Leave out those that only looked."),
		quoted("手作業で実行した順のコマンド。確認だけのコマンドは除くこと。"))
	if len(s.Samples) > 0 && s.Samples[0].Name() != "" {
		put("fits: [%s]", quoted("alertname="+quoted(s.Samples[0].Name())))
	} else if service := s.Common.Get("service"); service != "" {
		put("fits: [%s]", quoted("service="+quoted(service)))
	}
	put("# risk: read, low or high. How much it can hurt is for a person to say.")
	used, steps := steps(params(s), commands)
	if len(used) > 0 {
		put("params:")
	}
	for _, p := range used {
		put("  %s: {type: string, match: '[A-Za-z0-9][A-Za-z0-9._-]{0,100}', from: label.%s}", p.name, p.label)
	}
	put("recover:")
	b.WriteString(steps)
	put("# verify: how one sees that it helped. Without it nothing can be run.")
	put("escalate: {en: %s, ja: %s}", quoted("It did not help. Call whoever looks after the service."), quoted("改善しませんでした。担当者に連絡してください。"))
	return b.String()
}

// params are the labels whose values are likely to stand in a command.
func params(s *incidents.Incident) []param {
	var all []param
	for _, label := range []string{"service", "host", "hostname", "instance", "name", "pod"} {
		if v := s.Common.Get(label); len(v) >= 3 && plain(v) {
			all = append(all, param{name: "the_" + label, value: v, label: label})
		}
	}
	slices.SortStableFunc(all, func(a, b param) int { return len(b.value) - len(a.value) }) // the longest first
	return all
}

// steps writes the commands, and says which parameters are in them.
func steps(params []param, commands []string) (used []param, text string) {
	var b strings.Builder
	n := 0
	for i, c := range commands {
		if i == MaxCommands {
			fmt.Fprintf(&b, "  # and %d more\n", len(commands)-MaxCommands)
			break
		}
		argv, ok := Split(c)
		if !ok {
			fmt.Fprintf(&b, "  # not one command, so a person must say what it becomes: %s\n", oneLine(c))
			continue
		}
		n++
		words := make([]string, len(argv))
		for k, w := range argv {
			for _, p := range params {
				if k > 0 && strings.Contains(w, p.value) && !strings.Contains(w, "{") {
					w = strings.ReplaceAll(w, p.value, "{"+p.name+"}")
					if !slices.Contains(used, p) {
						used = append(used, p)
					}
				}
			}
			words[k] = quoted(w)
		}
		fmt.Fprintf(&b, "  - id: step%d\n    title: {en: %s, ja: %s}\n    command: {argv: [%s]}\n", n,
			quoted("Step "+fmt.Sprint(n)), quoted("手順 "+fmt.Sprint(n)), strings.Join(words, ", "))
	}
	return used, b.String()
}

// Split cuts a command into its arguments as a shell would; false where it would do
// more than that: pipes, redirections, variables, patterns, several commands.
func Split(c string) (argv []string, ok bool) {
	var word strings.Builder
	var quote rune
	in := false
	for _, r := range c {
		switch {
		case r < ' ' && r != '\t', r == '{', r == '}': // a brace would be a parameter
			return nil, false
		case quote != 0 && r == quote:
			quote = 0
		case quote == '\'':
			word.WriteRune(r)
		case strings.ContainsRune("$`\\", r), quote == 0 && strings.ContainsRune("|&;<>()*?[]!#~", r):
			return nil, false
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ' || r == '\t':
			if in {
				argv = append(argv, word.String())
				word.Reset()
			}
			in = false
		default:
			word.WriteRune(r)
			in = true
		}
	}
	if in {
		argv = append(argv, word.String())
	}
	return argv, quote == 0 && len(argv) > 0 && argv[0] != ""
}

func plain(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// quoted is a string of YAML: a string of JSON is one.
func quoted(s string) string {
	b, _ := json.Marshal(strings.ToValidUTF8(s, "?")) // a string always can be
	return string(b)
}
