package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	page, example := read(t, "../docs/configuration.md"), read(t, "../examples/hikeshi.yaml")
	all := allKeys(reflect.TypeFor[Config](), "")
	if len(all) < 35 {
		t.Fatalf("found only %d keys: %v", len(all), all)
	}
	for _, key := range all {
		if strings.Count(page, "\n| `"+key+"` |") != 1 {
			t.Errorf("docs/configuration.md does not have one row for %s", key)
		}
		last := key[strings.LastIndex(key, ".")+1:]
		if !regexp.MustCompile(`(^|[\s{#])` + last + `:`).MatchString(example) {
			t.Errorf("examples/hikeshi.yaml does not have %s", key)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(all, row[1]) {
			t.Errorf("docs/configuration.md has %s, which is no key", row[1])
		}
	}
	d := Default()
	for key, value := range map[string]string{
		"language": d.Language, "listen": d.Listen, "log.level": d.Log.Level, "log.format": d.Log.Format,
		"remind_ack": strings.TrimSuffix(time.Duration(d.RemindAck).String(), "0s"),
	} {
		if want := fmt.Sprintf("| `%s` | `%s` |", key, value); !strings.Contains(page, want) {
			t.Errorf("docs/configuration.md does not have %s", want)
		}
	}
}

// Every variable that the program reads, taken from its sources.
func TestEveryVariableIsDocumented(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources = append(sources, here...)
	page := read(t, "../docs/configuration.md")
	reads := regexp.MustCompile(`"HIKESHI_([A-Z_]+)"|\bset\("([A-Z_]+)"`)
	found := map[string]bool{}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range reads.FindAllStringSubmatch(read(t, file), -1) {
			found["HIKESHI_"+m[1]+m[2]] = true
		}
	}
	if len(found) < 14 {
		t.Fatalf("found only %v", found)
	}
	for name := range found {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/configuration.md does not have %s", name)
		}
	}
	for _, m := range regexp.MustCompile("`(HIKESHI_[A-Z_]+)`").FindAllStringSubmatch(page, -1) {
		if !found[m[1]] {
			t.Errorf("docs/configuration.md has %s, which nothing reads", m[1])
		}
	}
}

// A secret does not show itself, however a configuration is printed.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	c := Default()
	c.fromEnv(func(name string) string {
		return map[string]string{"HIKESHI_STORE": "redis://:hunter2hunter2@127.0.0.1", "HIKESHI_CONSOLE_TOKEN": "hunter2hunter2hunter2"}[name]
	})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(verb, c); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows it: %s", verb, text)
		}
	}
}
