package runbooks

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A reader walks the tree of one YAML file and collects problems as it goes, so
// that an author sees all of them at once.
type reader struct {
	file     string
	vars     *vars
	problems []Problem
}

// maxProblems is how many problems of one file are reported; a reader who mends
// these comes back.
const maxProblems = 50

func (r *reader) add(line int, warning bool, what, hint incidents.Reason) {
	switch {
	case len(r.problems) == maxProblems:
		what = incidents.Reason{Phrase: "runbook.lint.more"}
		warning, hint = false, hintFor(what)
	case len(r.problems) > maxProblems:
		return
	}
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Warning: warning, What: what, Hint: hint})
}

// fail reports an error at n. The hint has the phrase's name with ".hint" where
// the catalogue has one; it is filled from the same args.
func (r *reader) fail(n *yaml.Node, phrase string, args ...string) {
	what := incidents.Because(phrase, args...)
	r.add(lineOf(n), false, what, hintFor(what))
}

func (r *reader) warn(n *yaml.Node, phrase string, args ...string) {
	what := incidents.Because(phrase, args...)
	r.add(lineOf(n), true, what, hintFor(what))
}

func hintFor(what incidents.Reason) incidents.Reason {
	return incidents.Reason{Phrase: what.Phrase + ".hint", Args: what.Args}
}

func lineOf(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}

func (r *reader) failed() bool { return len(Errors(r.problems)) > 0 }

// tooIntricate bounds the work of the YAML parser before it starts. Its cost in
// time and memory goes with the number of nodes, and no node comes without one
// of these characters or a line of its own: 6,000 of them are parsed in about
// 10 ms and 5 MB, and no runbook that people write comes near.
func tooIntricate(b []byte) bool {
	marks := bytes.Count(b, []byte("- "))
	for _, c := range b {
		switch c {
		case ',', '[', '{', ':', '?', '#', '&', '*', '!', '\n':
			marks++
		}
	}
	return marks > maxMarks
}

// document parses b into the root mapping of its one document; nil, with the
// problem noted, where that cannot be had.
func (r *reader) document(b []byte) *yaml.Node {
	switch {
	case len(b) > MaxFile:
		r.fail(nil, "runbook.lint.too_large", "max", strconv.Itoa(MaxFile>>10))
		return nil
	case !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0:
		r.fail(nil, "runbook.lint.not_text")
		return nil
	case tooIntricate(b):
		r.fail(nil, "runbook.lint.too_intricate")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			r.fail(nil, "runbook.lint.empty")
		} else {
			r.syntax(err)
		}
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		r.fail(&more, "runbook.lint.many_documents")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	root := doc.Content[0]
	if !r.plain(root, 1) {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		r.fail(root, "runbook.lint.not_a_mapping")
		return nil
	}
	return root
}

var yamlLine = regexp.MustCompile(`\Ayaml: (?:line ([0-9]+): )?`)

func (r *reader) syntax(err error) {
	line, message := 0, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1]) // "" is no line
		message = message[len(m[0]):]
	}
	r.add(line, false, incidents.Because("runbook.lint.syntax", "error", message), incidents.Reason{})
}

// plainTags are the tags of ordinary YAML values.
var plainTags = []string{"", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp"}

// plain says whether the tree is made of mappings, lists and plain values only:
// no anchors, no aliases, no merge keys, no tags, no key twice, not too deep.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > MaxDepth:
		r.fail(n, "runbook.lint.too_deep", "max", strconv.Itoa(MaxDepth))
		return false
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		r.fail(n, "runbook.lint.alias")
		return false
	case n.Style&yaml.TaggedStyle != 0 || !slices.Contains(plainTags, n.ShortTag()):
		r.fail(n, "runbook.lint.tag", "tag", n.Tag)
		return false
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			if k.Kind != yaml.ScalarNode || k.Anchor != "" {
				r.fail(k, "runbook.lint.odd_key")
				return false
			}
			if seen[k.Value] {
				r.fail(k, "runbook.lint.duplicate_key", "key", k.Value)
				return false
			}
			seen[k.Value] = true
		}
	}
	for _, c := range n.Content {
		if !r.plain(c, depth+1) {
			return false
		}
	}
	return true
}

// fields are a mapping's values by key.
type fields map[string]*yaml.Node

// fields reads the mapping n and reports keys that are not allowed.
func (r *reader) fields(n *yaml.Node, what string, allowed ...string) (fields, bool) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "runbook.lint.want_mapping", "key", what, "keys", strings.Join(allowed, ", "))
		return nil, false
	}
	f := make(fields, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		if !slices.Contains(allowed, k.Value) {
			r.fail(k, "runbook.lint.unknown_key", "key", k.Value, "keys", strings.Join(allowed, ", "))
			continue
		}
		f[k.Value] = n.Content[i+1]
	}
	return f, true
}

// items are the members of the list n.
func (r *reader) items(n *yaml.Node, key string, most int) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "runbook.lint.want_list", "key", key)
		return nil
	}
	if len(n.Content) > most {
		r.fail(n, "runbook.lint.too_many", "key", key, "max", strconv.Itoa(most))
		return nil
	}
	return n.Content
}

// str reads a string. Numbers are taken as they are written; a missing value, a
// list or a mapping is a problem.
func (r *reader) str(n *yaml.Node, key string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.fail(n, "runbook.lint.want_text", "key", key)
		return "", false
	}
	return n.Value, true
}

// text reads {en: …, ja: …}, or a plain string as English.
func (r *reader) text(n *yaml.Node, key string) incidents.Text {
	if n.Kind == yaml.ScalarNode {
		s, _ := r.str(n, key)
		return incidents.Text{EN: strings.TrimSpace(s)}
	}
	f, ok := r.fields(n, key, "en", "ja")
	if !ok {
		return incidents.Text{}
	}
	var t incidents.Text
	if v := f["en"]; v != nil {
		s, _ := r.str(v, key)
		t.EN = strings.TrimSpace(s)
	}
	if v := f["ja"]; v != nil {
		s, _ := r.str(v, key)
		t.JA = strings.TrimSpace(s)
	}
	return t
}

// duration reads 10s, 2m, 1h30m between min and max.
func (r *reader) duration(n *yaml.Node, key string, least, most time.Duration) (time.Duration, bool) {
	s, ok := r.str(n, key)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		r.fail(n, "runbook.lint.want_duration", "key", key, "value", s)
		return 0, false
	}
	if d < least || d > most {
		r.fail(n, "runbook.lint.duration_range", "key", key, "value", s, "least", least.String(), "most", most.String())
		return 0, false
	}
	return d, true
}

// number reads an integer.
func (r *reader) number(n *yaml.Node, key string) (int64, bool) {
	s, ok := r.str(n, key)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		r.fail(n, "runbook.lint.want_number", "key", key, "value", s)
		return 0, false
	}
	return v, true
}

// boolean reads true or false.
func (r *reader) boolean(n *yaml.Node, key string) bool {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		r.fail(n, "runbook.lint.want_bool", "key", key)
		return false
	}
	return strings.EqualFold(n.Value, "true")
}
