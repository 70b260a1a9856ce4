package bot

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/golden/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if g, w := at(gotLines, i), at(wantLines, i); g != w {
			t.Errorf("%s:%d (go test ./bot -update writes it anew)\n got %s\nwant %s", path, i+1, g, w)
			return
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// TestGoldenRooms holds every message of a war room, at each stage of a tale,
// to what was read and found good, in both languages.
func TestGoldenRooms(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*tale{
		"opened": opened(t), "investigated": investigated(t), "voted": voted(t),
		"running": running(t), "verifying": verifying(t), "resolved": resolved(t), "failed": failed(t),
		"denied": denied(t), "at-once": atOnce(t), "not-verified": notVerified(t), "unknown": unknown(t), "nothing-fits": nothingFits(t),
	} {
		for _, lang := range phrases.Languages {
			b, err := json.MarshalIndent(Room(a.s, a.events, lang, a.now, Links{Base: "https://hikeshi.example.com"}), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+lang+".json", append(b, '\n'))
		}
	}
}

func TestGoldenPostmortem(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*tale{"resolved": resolved(t), "failed": failed(t)} {
		for _, lang := range phrases.Languages {
			got := Story{Links: Links{Base: "https://hikeshi.example.com"}, Now: nowOf(a)}.Postmortem(lang, a.s, a.events)
			golden(t, "postmortem-"+name+"."+lang+".md", []byte(got))
		}
	}
}
