package runbooks

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// hostileFiles are files that cost a careless reader much (S34), and ways to say
// with YAML what a runbook must not say.
func hostileFiles() map[string]string {
	nest := ""
	for i := range 400 {
		nest += strings.Repeat(" ", i) + "a:\n"
	}
	merge := "a: &a {x: 1}\n"
	for i := range 60 {
		merge += fmt.Sprintf("k%d: &m%d {<<: [*a%s]}\n", i, i, strings.Repeat(",*a", 50))
	}
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'z'; c++ {
		laughs += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8), c-1)
	}
	unknown := ""
	for i := range 2_900 {
		unknown += fmt.Sprintf("k%d: 1\n", i)
	}
	return map[string]string{
		"just few enough keys":    unknown,
		"just few enough members": "fits: [" + strings.Repeat("a,", 5_900) + "a]",
		"just few enough dashes":  strings.Repeat("- ", 5_900),
		"empty":                   "",
		"only comments":           "# nothing\n",
		"a list":                  "- a\n- b\n",
		"a text":                  "hello",
		"null":                    "null\n",
		"brackets":                strings.Repeat("[", 20_000),
		"braces":                  strings.Repeat("{", 20_000),
		"dashes":                  strings.Repeat("- ", 100_000),
		"question marks":          strings.Repeat("? ", 100_000),
		"deep in one line":        "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"nested":                  nest,
		"merge bomb":              merge,
		"billion laughs":          laughs,
		"alias":                   "id: &a x\ntitle: *a\n",
		"anchor":                  "id: &a x\n",
		"merge key":               "id: x\n<<: {title: y}\n",
		"many keys":               strings.Repeat("a: b\n", 50_000),
		"many list members":       "a: [" + strings.Repeat("1,", 100_000) + "1]",
		"many complex keys":       strings.Repeat("? a\n", 60_000),
		"many flow keys":          "{" + strings.Repeat("a,", 128_000),
		"many comments":           strings.Repeat("a: 1 #x\n", 30_000),
		"too large":               "a: " + strings.Repeat("x", MaxFile),
		"NUL":                     "id: a\x00b\n",
		"not UTF-8":               "id: \xff\xfe\n",
		"UTF-16":                  "\xff\xfei\x00d\x00",
		"two documents":           "id: x\n---\nid: y\n",
		"second is bad":           "id: x\n---\n[",
		"duplicate key":           "id: x\nid: y\n",
		"duplicate deep key":      "id: x\nverify: {every: 1s, every: 2s}\n",
		"key is a list":           "? [a, b]\n: c\n",
		"a tag":                   "id: !!binary aGVsbG8=\n",
		"a private tag":           "id: !cmd x\n",
		"a tag of another":        "id: !!python/object/apply:os.system [id]\n",
		"not YAML":                "id: 'x\n",
		"tabs":                    "id:\n\t- x\n",
		"directive":               "%YAML 9.9\n---\nid: x\n",
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	t.Parallel()
	for name, content := range hostileFiles() {
		rb, problems := Parse(name, []byte(content), map[string]string{})
		if rb != nil || len(Errors(problems)) == 0 {
			t.Errorf("%s was taken: %v", name, problems)
		}
		if len(problems) > maxProblems+1 {
			t.Errorf("%s: %d problems", name, len(problems))
		}
	}
}

// Refusing one costs little memory: less than 20 MB each. The time has a
// benchmark; it is below 50 ms each on two cores.
func TestHostileFilesCostLittle(t *testing.T) { // not parallel: it measures what is allocated
	for name, content := range hostileFiles() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Parse(name, []byte(content), map[string]string{})
		runtime.ReadMemStats(&after)
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb >= 20 {
			t.Errorf("%s: %d MB", name, mb)
		}
	}
}

func BenchmarkHostileFiles(b *testing.B) {
	for name, content := range hostileFiles() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Parse(name, []byte(content), map[string]string{})
			}
		})
	}
}

// What is not a plain file of the owner's is refused before it is read (S35).
func TestDiskRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.yaml")
	write(t, good, plainBook, 0o644)
	other := t.TempDir()
	write(t, filepath.Join(other, "x.yaml"), plainBook, 0o644)
	for name, c := range map[string]struct {
		phrase string
		make   func(path string) error
	}{
		"link.yaml":     {"not_a_file", func(p string) error { return os.Symlink("good.yaml", p) }},
		"outside.yaml":  {"not_a_file", func(p string) error { return os.Symlink(filepath.Join(other, "x.yaml"), p) }},
		"dangling.yaml": {"not_a_file", func(p string) error { return os.Symlink("/nowhere", p) }},
		"pipe.yaml":     {"not_a_file", mkfifo},
		"group.yaml":    {"writable", func(p string) error { return writeMode(p, 0o664) }},
		"world.yml":     {"writable", func(p string) error { return writeMode(p, 0o646) }},
		"sparse.yaml":   {"too_large", func(p string) error { return errorsOf(writeMode(p, 0o644), os.Truncate(p, 1<<30)) }},
	} {
		path := filepath.Join(dir, name)
		if err := c.make(path); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, dir} {
			l, problems := Load(Sources{Paths: []string{p}})
			bad := Errors(problems)
			if len(bad) != 1 || bad[0].File != path || bad[0].What.Phrase != "runbook.lint."+c.phrase {
				t.Errorf("%s: %v", name, problems)
			}
			if n := len(l.All()); (n == 1) != (p == dir) {
				t.Errorf("%s: %d runbooks were loaded from %s", name, n, p)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, problems := Load(Sources{Paths: []string{filepath.Join(dir, "none")}}); len(problems) != 1 || problems[0].What.Phrase != "runbook.lint.unreadable" {
		t.Errorf("%v", problems)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if l, problems := Load(Sources{Paths: []string{dir}}); len(Errors(problems)) != 1 || len(l.All()) != 0 {
		t.Errorf("a directory that everybody may write to: %v", problems)
	}
	if problems := Lint([]string{dir}, nil); len(problems) != 1 || !problems[0].Warning {
		t.Errorf("the linter, which runs nothing, only warns: %v", problems)
	}
}
