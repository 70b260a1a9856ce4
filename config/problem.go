package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// problem is something wrong with the configuration.
type problem struct {
	key  string // where it stands, "console.people[0].token"; "" for the file as a whole
	line int    // where it is known from reading the file; else it is found by key
	what incidents.Reason
	hint incidents.Reason // may be empty
}

func wrong(key, phrase string, args ...string) problem {
	return problem{key: key, what: incidents.Because(phrase, args...)}
}

func (p problem) try(phrase string, args ...string) problem {
	p.hint = incidents.Because(phrase, args...)
	return p
}

// places says where a configuration was read from.
type places struct {
	file     string
	lines    map[string]int    // key → line
	override map[string]string // key → the variable or flag that stands in its place
}

// text is the problem in words: where it is, what it is, what to do about it.
func (w *places) text(p problem, lang string) string {
	text := p.key + ": " + phrases.Fill(lang, p.what.Phrase, p.what.Args)
	if p.key == "" {
		text = phrases.Fill(lang, p.what.Phrase, p.what.Args)
	}
	if at := w.place(p); at != "" {
		text = at + ": " + text
	}
	if p.hint.Phrase != "" {
		text += "\n    " + phrases.Fill(lang, p.hint.Phrase, p.hint.Args)
	}
	return text
}

// place is file:line, or the variable or flag that was given instead. A key that
// is missing is looked for where it should be.
func (w *places) place(p problem) string {
	line := p.line
	for key := p.key; key != "" && line == 0; {
		if from := w.override[key]; from != "" {
			return from
		}
		line = w.lines[key]
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	switch {
	case line > 0:
		return fmt.Sprintf("%s:%d", w.file, line)
	case p.key == "":
		return w.file
	}
	return ""
}

// problemsError is the error of a configuration with these problems; nil where
// there is none. People see it in the language of their terminal.
func (w *places) problemsError(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(w.at(a), w.at(b)) })
	say := func(lang string) string {
		lines := make([]string, 0, len(problems))
		for _, p := range problems {
			lines = append(lines, w.text(p, lang))
		}
		return strings.Join(lines, "\n")
	}
	return incidents.Fail(incidents.Invalid, "error.config", "the configuration is wrong:\n"+say(phrases.English), "problems", say(phrases.Terminal(os.Getenv))).
		WithHint("hikeshi check --config FILE")
}

func (w *places) at(p problem) int {
	if p.line > 0 {
		return p.line
	}
	return w.lines[p.key]
}

// Problem is an error that comes from using the configuration, with what to
// do about it.
func Problem(err error) error {
	return (&places{}).problemsError(problemsOf(err, func(*incidents.Error) string { return "" }))
}

// problemsOf parts what another package says of its part of the configuration;
// key finds where each stands.
func problemsOf(err error, key func(*incidents.Error) string) []problem {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []problem
		for _, one := range many.Unwrap() {
			all = append(all, problemsOf(one, key)...)
		}
		return all
	}
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || !phrases.Has(e.Phrase) {
		return []problem{wrong("", "config.other", "error", err.Error())}
	}
	p := problem{key: key(e), what: incidents.Reason{Phrase: e.Phrase, Args: e.Args}}
	if e.Hint != "" {
		p = p.try("config.hint.try", "hint", e.Hint)
	}
	return []problem{p}
}

// read takes a YAML file's bytes into c, and keeps all that is wrong with it. A
// file that is no YAML at all is one problem, and nothing is taken.
func (c *Config) read(b []byte) {
	var root yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	if err := dec.Decode(&root); err != nil {
		if len(strings.TrimSpace(string(b))) > 0 && err.Error() != "EOF" {
			c.problems = append(c.problems, notYAML(err))
		}
		return
	}
	if err := dec.Decode(new(yaml.Node)); err == nil || err.Error() != "EOF" {
		c.problems = append(c.problems, wrong("", "config.second_document"))
	}
	if len(root.Content) == 1 {
		c.from.lines = map[string]int{}
		c.walk(root.Content[0], reflect.TypeFor[Config](), "")
	}
	err := root.Decode(c)
	if kinds, ok := errors.AsType[*yaml.TypeError](err); ok {
		for _, text := range kinds.Errors {
			c.problems = append(c.problems, wrongKind(text))
		}
	} else if err != nil {
		c.problems = append(c.problems, notYAML(err))
	}
}

// yamlLine is how the YAML package says where something is.
var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)`)

func notYAML(err error) problem {
	text, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	p := wrong("", "config.syntax", "error", strings.TrimPrefix(text, "yaml: "))
	p.line = line
	return p
}

// How the YAML package says that a value is of the wrong kind.
var (
	yamlKind = regexp.MustCompile("^line (\\d+): cannot unmarshal !!(\\w+)(?: `(.*)`)? into (.*)$")
	yamlOurs = regexp.MustCompile(`^line (\d+): ` + badDuration + ` (.*)$`)
)

// badDuration marks, among the YAML package's complaints, our own.
const badDuration = "no duration:"

// wrongKind understands one of the YAML package's complaints.
func wrongKind(text string) problem {
	p := wrong("", "config.syntax", "error", text)
	line := ""
	if m := yamlKind.FindStringSubmatch(text); m != nil {
		line, p = m[1], wrong("", "config.kind."+kindWord(m[4]), "value", cmp.Or(m[3], map[string]string{"seq": "[…]", "map": "{…}"}[m[2]], m[2]))
	} else if m := yamlOurs.FindStringSubmatch(text); m != nil {
		line, p = m[1], wrong("", "config.duration", "value", m[2])
	}
	p.line, _ = strconv.Atoi(line)
	return p
}

// kindWord is the kind of value that a Go type takes.
func kindWord(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "list"
	case goType == "int":
		return "number"
	case goType == "bool":
		return "flag"
	case goType == "string", goType == "config.Secret":
		return "text"
	}
	return "keys"
}

// walk notes where each key of n stands, and which ones there are not.
func (c *Config) walk(n *yaml.Node, t reflect.Type, at string) {
	switch {
	case n.Kind == yaml.AliasNode && n.Alias != nil && n.Alias.Kind != yaml.AliasNode:
		return // its keys are looked at where they stand
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			key := at + "[" + strconv.Itoa(i) + "]"
			c.from.lines[key] = item.Line
			c.walk(item, t.Elem(), key)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		first := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			key := strings.TrimPrefix(at+"."+name.Value, ".")
			if line := first[name.Value]; line > 0 {
				twice := wrong(key, "config.twice", "line", strconv.Itoa(line))
				twice.line = name.Line
				c.problems = append(c.problems, twice)
				n.Content = slices.Delete(n.Content, i, i+2) // or nothing after it would be read
				i -= 2
				continue
			}
			first[name.Value] = name.Line
			field, known := fieldOf(t, name.Value)
			if !known {
				c.problems = append(c.problems, unknownKey(name, key, t))
				continue
			}
			c.from.lines[key] = name.Line
			c.walk(value, field, key)
		}
	}
}

// keyOf is the key of a field, "" of one that is in no file.
func keyOf(f reflect.StructField) string {
	return strings.TrimPrefix(f.Tag.Get("yaml"), "-")
}

// fieldsOf are those of a struct, and of what is inline in it.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var all []reflect.StructField
	for i := range t.NumField() {
		if f := t.Field(i); f.Tag.Get("yaml") == ",inline" {
			all = append(all, fieldsOf(f.Type)...)
		} else if keyOf(f) != "" {
			all = append(all, f)
		}
	}
	return all
}

func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for _, f := range fieldsOf(t) {
		if keyOf(f) == key {
			return f.Type, true
		}
	}
	return nil, false
}

// unknownKey says that there is no such key, and which one was meant: one that
// is written much like it, or the same one elsewhere.
func unknownKey(name *yaml.Node, key string, t reflect.Type) problem {
	p := wrong(key, "config.unknown_key")
	p.line = name.Line
	var here []string
	for _, f := range fieldsOf(t) {
		here = append(here, keyOf(f))
	}
	if near := bot.Guess(name.Value, here); len(near) > 0 {
		return p.try("config.hint.did_you_mean", "key", near[0])
	}
	for _, known := range allKeys(reflect.TypeFor[Config](), "") {
		if known[strings.LastIndex(known, ".")+1:] == name.Value {
			return p.try("config.hint.belongs", "key", known)
		}
	}
	return p.try("config.hint.known", "keys", strings.Join(here, ", "))
}

// allKeys are all keys of a configuration, as "sources[].name".
func allKeys(t reflect.Type, before string) []string {
	var all []string
	for _, f := range fieldsOf(t) {
		key := before + keyOf(f)
		all = append(all, key)
		switch kind := f.Type; {
		case kind.Kind() == reflect.Struct:
			all = append(all[:len(all)-1], allKeys(kind, key+".")...)
		case kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct:
			all = append(all, allKeys(kind.Elem(), key+"[].")...)
		}
	}
	return all
}
