package failpoint

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	plain = regexp.MustCompile(`failpoint\.Hit\("([a-z0-9_.]+)"\)`)
	any1  = regexp.MustCompile(`failpoint\.Hit\(`)
)

// TestNames holds the list to what the storage sources say: a point that is
// not in it would never be swept over.
func TestNames(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot("../..")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	called := map[string]bool{}
	for _, dir := range []string{"storage/journal", "storage/sqlite", "storage/redis"} {
		files, err := filepath.Glob("../../" + dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			src, err := root.ReadFile(strings.TrimPrefix(path, "../../"))
			if err != nil {
				t.Fatal(err)
			}
			names := plain.FindAllSubmatch(src, -1)
			if calls := any1.FindAll(src, -1); len(calls) != len(names) {
				t.Errorf("%s has %d points, %d of them with a plain name", path, len(calls), len(names))
			}
			for _, n := range names {
				called[string(n[1])] = true
			}
		}
	}
	for name := range called {
		if !slices.Contains(Names, name) {
			t.Errorf("%s is not in Names", name)
		}
	}
	for _, name := range Names {
		if !called[name] {
			t.Errorf("%s is in Names, but nobody calls it", name)
		}
	}
	if len(called) < 20 {
		t.Errorf("found only %d points", len(called))
	}
}
