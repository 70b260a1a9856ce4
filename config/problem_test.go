package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const manyMistakes = `lisen: 0.0.0.0:8080
listen: 0.0.0.0:8080
level: debug
shards: many
remind_ack: soon
console:
  https: maybe
  people:
    - {name: "a/b", tokn: x, token: short}
sources:
  - {name: Prom, token: aaaa}
  - {name: x, token: abcdefghijklmnopqrstuvwxyz, token_file: /nope}
grouping:
  - match: ['service', 'a=~"("']
    hold: 5 minutes
    severity: awful
log: {level: loud, format: xml}
log:
  level: info
runbooks: [a]
`

// problemsIn is what is said of a configuration file in a language.
func problemsIn(t *testing.T, content, lang string, env map[string]string) []string {
	t.Helper()
	t.Setenv("HIKESHI_LANGUAGE", lang)
	path := filepath.Join(t.TempDir(), "h.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, func(name string) string { return env[name] })
	if err == nil {
		_, err = c.Settle()
	}
	if err == nil {
		return nil
	}
	e, ok := err.(*incidents.Error)
	if !ok || e.Code != incidents.Invalid || e.Phrase != "error.config" {
		t.Fatalf("%#v", err)
	}
	return strings.Split(strings.ReplaceAll(e.Args["problems"], path, "h.yaml"), "\n")
}

// TestAllMistakesAtOnce: every mistake of a file is told, with its line, and
// with what was probably meant; an unknown key hides none of the others.
func TestAllMistakesAtOnce(t *testing.T) {
	got := problemsIn(t, manyMistakes, "en", nil)
	want := []string{
		"h.yaml:1: lisen: there is no such key", "    did you mean listen?",
		"h.yaml:3: level: there is no such key", "    it belongs elsewhere: log.level",
		"h.yaml:4: “many” is no whole number",
		"h.yaml:5: “soon” is no time such as 90s, 5m or 1h30m",
		"h.yaml:7: “maybe” is neither true nor false",
		"h.yaml:9: console.people[0].tokn: there is no such key", "    did you mean token?",
		"h.yaml:9: console.people[0].token: the token of “a/b” has 5 bytes; it needs at least 16", "    try: openssl rand -hex 32",
		"h.yaml:9: console.people[0].name: “a/b” is no usable name: 1 to 40 letters, digits, spaces or . _ -",
		"h.yaml:11: sources[0].name: “Prom” is no usable name: lower-case letters, digits, - and _, as in prometheus-eu",
		"h.yaml:11: sources[0].token: a token of “Prom” is shorter than 16 bytes",
		"h.yaml:12: sources[1].token: this and token_file are given; one of them must go",
		"h.yaml:14: grouping[0]: a rule needs a name: incidents say by which rule they are one",
		"h.yaml:14: grouping[0].match[0]: “service” is no matcher",
		"h.yaml:14: grouping[0].match[1]: the pattern of “a=~\"(\"” cannot be used: error parsing regexp: missing closing ): `(`",
		"h.yaml:15: “5 minutes” is no time such as 90s, 5m or 1h30m",
		"h.yaml:16: grouping[0].severity: “awful” is none of SEV1, SEV2, SEV3, SEV4, SEV5",
		"h.yaml:17: log.level: “loud” is none of debug, info, warn, error", "h.yaml:17: log.format: “xml” is none of text, json",
		"h.yaml:18: log: this stands here a second time; the first is in line 17",
		"h.yaml:20: “[…]” stands where there must be keys with values",
	}
	all := "\n" + strings.Join(got, "\n") + "\n"
	for _, line := range want {
		if !strings.Contains(all, "\n"+line+"\n") {
			t.Errorf("it does not say %q", line)
		}
	}
	if t.Failed() {
		t.Logf("it says:%s", all)
	}
	ja := strings.Join(problemsIn(t, manyMistakes, "ja", nil), "\n")
	for _, line := range []string{"h.yaml:1: lisen: このキーはありません\n    listen ではありませんか。", "h.yaml:12: sources[1].token: token_file と同時には"} {
		if !strings.Contains(ja, line) {
			t.Errorf("in Japanese it does not say %q:\n%s", line, ja)
		}
	}
}

func TestOneMistake(t *testing.T) {
	for _, c := range []struct {
		content, want string
		env           map[string]string
	}{
		{"listen: 127.0.0.1:1\n", "", nil},
		{"", "", nil},
		{"# nothing\n", "", nil},
		{"a: [1\nb: 2", "h.yaml:1: this is no YAML: ", nil},
		{"just text", "h.yaml:1: “just text” stands where there must be keys with values", nil},
		{"language: en\n---\nlanguage: ja\n", "h.yaml: there is a second document (---), which would not be read", nil},
		{"listen: 0.0.0.0:80", "h.yaml:1: listen: 0.0.0.0:80 is open to others, but nobody is named who may use the console", nil},
		{"listen: 127.0.0.1:1", "HIKESHI_LISTEN: listen: “x” is not host:port", map[string]string{"HIKESHI_LISTEN": "x"}},
		{"language: en", "HIKESHI_CONSOLE_TOKEN: console.people[0].token: the token of “admin” has 5 bytes; it needs at least 16", map[string]string{"HIKESHI_CONSOLE_TOKEN": "short"}},
		{"store_file: /nope/nope", "h.yaml:1: store_file: /nope/nope cannot be read: no such file or directory", nil},
		{"nonsense: 1", "h.yaml:1: nonsense: there is no such key", nil},
		{"a: &a {b: 1}\nconsole: *a", "h.yaml:1: a: there is no such key", nil},
	} {
		got := problemsIn(t, c.content, "en", c.env)
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) == 0 || !strings.HasPrefix(got[0], c.want)) {
			t.Errorf("%q: it says %q, want %q", c.content, got, c.want)
		}
	}
}

// TestKeysThatAreNamedExist: where a package that has a part of the configuration
// says what is wrong with it, it says so of a key that can be found in the file.
func TestKeysThatAreNamedExist(t *testing.T) {
	var known []string
	for _, key := range allKeys(reflect.TypeFor[Config](), "") {
		for ; key != ""; key = key[:max(strings.LastIndex(key, "."), 0)] { // and what they are part of
			known = append(known, strings.TrimSuffix(key, "[]"))
		}
	}
	named := regexp.MustCompile(`^(?:h\.yaml:\d+: )?([a-z0-9_.\[\]]+): `)
	index := regexp.MustCompile(`\[\d+\]`)
	short := "{name: b, kind: KIND, url: x, token: ' ', project: 'a b', webhook_token: x, priorities: {a: b}, transitions: {a: b}, fields: {'': 1}}"
	for name, content := range map[string]string{
		"discord":           "discord: {bot_token: x, app_id: x, guild_id: x, via: x, category: ' ', archive: ' ', private: true, roles: [x]}",
		"discord over HTTP": "discord: {bot_token: x, via: http, public_key: x, messages: true, private: true}",
		"slack":             "slack: {bot_token: xoxb-1}", "slack's token": "slack: {bot_token: x}", "slack's team": "slack: {bot_token: xoxb-1, app_token: xapp-1, team: x}",
		"slack's app": "slack: {bot_token: xoxb-1, app_token: xapp-1, team: T1, app: x}", "slack's guests": "slack: {bot_token: xoxb-1, app_token: xapp-1, team: T1, app: A1, invite: [x]}",
		"jira":       "trackers: [" + strings.Replace(short, "KIND", "jira", 1) + "]",
		"backlog":    "trackers: [" + strings.Replace(short, "KIND", "backlog", 1) + "]",
		"gitlab":     "trackers: [" + strings.Replace(short, "KIND", "gitlab", 1) + "]",
		"servicenow": "trackers: [" + strings.Replace(short, "KIND", "servicenow", 1) + "]",
		"oidc":       "public_url: x\nconsole: {oidc: {issuer: x, client_id: x, client_secret: x}}\npeople: [{name: b, accounts: ['oidc:x'], roles: [viewer]}]",
		"store":      "store: redis://h:1/x/y\nshards: 100000",
		"many":       manyMistakes,
	} {
		said := problemsIn(t, content, "en", nil)
		if len(said) == 0 {
			t.Errorf("nothing is wrong with %s", name)
		}
		for _, line := range said {
			m := named.FindStringSubmatch(line)
			if m == nil || strings.Contains(line, "there is no such key") {
				continue
			}
			if key := index.ReplaceAllString(m[1], "[]"); !slices.Contains(known, strings.TrimSuffix(key, "[]")) {
				t.Errorf("%s: there is no key %s: %s", name, key, line)
			}
		}
	}
}
