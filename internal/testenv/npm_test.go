package testenv

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
)

func TestPackagesAreInstalledOnce(t *testing.T) {
	t.Parallel()
	cache, list := t.TempDir(), []byte(`{"private": true}`)
	away := errors.New("the registry is away")
	half := ""
	if _, err := installOnce(cache, list, func(dir string, _ *os.File) error { half = dir; return away }); !errors.Is(err, away) {
		t.Fatalf("a failed installation says %v", err)
	}
	if err := os.MkdirAll(filepath.Join(half, "rubbish"), 0o700); err != nil { // what one that was killed leaves
		t.Fatal(err)
	}
	var installed atomic.Int32
	install := func(dir string, _ *os.File) error {
		installed.Add(1)
		if got, err := os.ReadFile(filepath.Join(dir, "package.json")); err != nil || string(got) != string(list) {
			t.Errorf("package.json is %q, %v", got, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "rubbish")); err == nil {
			t.Error("half of an earlier installation is still there")
		}
		return os.Mkdir(filepath.Join(dir, "node_modules"), 0o700)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			modules, err := installOnce(cache, list, install)
			if err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Stat(modules); err != nil || !info.IsDir() {
				t.Errorf("the packages are not there: %v", err)
			}
		})
	}
	all.Wait()
	if n := installed.Load(); n != 1 {
		t.Errorf("installed %d times", n)
	}
	if _, err := installOnce(cache, append(list, '\n'), func(string, *os.File) error { return away }); !errors.Is(err, away) {
		t.Errorf("another list is taken for the same: %v", err)
	}
}

// TestPackagesArePinned: what is installed does not change under the tests.
func TestPackagesArePinned(t *testing.T) {
	t.Parallel()
	var list struct{ Dependencies map[string]string }
	if err := json.Unmarshal(packageJSON, &list); err != nil || len(list.Dependencies) == 0 {
		t.Fatalf("package.json: %v", err)
	}
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for name, version := range list.Dependencies {
		if !exact.MatchString(version) {
			t.Errorf("%s is %s, which can be many versions", name, version)
		}
	}
}
