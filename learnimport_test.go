package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// A history is imported once, whole or not at all, and can be struck again.
func TestAHistoryIsImportedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "history.csv")
	do := func(want int, words ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(words, "--data", dir), streams{nil, &out, &errs}); code != want {
			t.Fatalf("%v exits %d, want %d: %s%s", words, code, want, out.String(), errs.String())
		}
		return out.String() + errs.String()
	}
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := "opened,resolved,service,action\n2026-01-01 10:00,2026-01-01 11:00,shop,restart\n2026-01-02 10:00,2026-01-02 10:30,till,flush\n"
	write(good + "yesterday,2026-01-03 10:30,till,flush\n")
	if said := do(exitInvalid, "learn", "import", file); !strings.Contains(said, "history.csv:4: ") {
		t.Errorf("the bad line is not named: %s", said)
	}
	facts := func() (n, undone int) {
		store, err := storage.Open(t.Context(), storage.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for shard := range store.Shards() {
			list, err := store.Facts(t.Context(), shard, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range list {
				switch {
				case f.Source == "import" && f.Kind == incidents.FactOutcome && f.Ref != "":
					n++
				case f.Kind == incidents.FactUndo && f.Person == "slack:U1", f.Kind == incidents.FactReset && f.Context.Service == "shop":
					undone++
				}
			}
		}
		return n, undone
	}
	if n, _ := facts(); n != 0 {
		t.Errorf("%d facts of a file with a bad line", n)
	}
	write(good)
	do(exitOK, "learn", "import", file)
	do(exitOK, "learn", "import", file)
	if said := do(exitFailed, "learn", "undo", "--person", "slack:U1"); !strings.Contains(said, "slack:U1") {
		t.Errorf("who has no votes is not named: %s", said)
	}
	do(exitOK, "learn", "reset", "--service", "shop")
	do(exitFailed, "learn", "reset", "--service", "shop")
	if n, undone := facts(); n != 2 || undone != 1 {
		t.Errorf("%d facts, %d strikes, want 2 and 1", n, undone)
	}
}
