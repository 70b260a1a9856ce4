package slack

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

var update = flag.Bool("update", false, "write the golden files anew")

// blocksOf is what Slack gets, decoded as it decodes it.
func blocksOf(t rapid.TB, out rendered) []map[string]any {
	t.Helper()
	b, err := json.Marshal(out.blocks)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []map[string]any
	if err := json.Unmarshal(b, &blocks); err != nil {
		t.Fatal(err)
	}
	return blocks
}

// TestGoldenCards holds every message of a war room, as Block Kit, to what was
// read and found good. The messages are those of package bot's own golden files.
func TestGoldenCards(t *testing.T) {
	t.Parallel()
	rooms, err := filepath.Glob("../../bot/testdata/golden/*.json")
	if err != nil || len(rooms) < 20 {
		t.Fatalf("%d rooms: %v", len(rooms), err)
	}
	for _, path := range rooms {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var messages []bot.Message
		if err := json.Unmarshal(b, &messages); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		lang := strings.Split(name, ".")[1]
		all := []any{}
		for _, m := range messages {
			out := render(m, lang)
			blocks := blocksOf(t, out)
			if problem := fake.CheckBlocks(blocks, maxBlocks); problem != "" {
				t.Errorf("%s %s: %s", name, m.Key, problem)
			}
			all = append(all, map[string]any{"key": m.Key, "text": out.text, "blocks": out.blocks})
		}
		got, err := json.MarshalIndent(all, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, append(got, '\n'))
	}
}

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
	if string(got) != string(want) {
		t.Errorf("%s is not what it was (go test ./integrations/slack -update writes it anew; read the difference)", path)
	}
}

var hostile = []string{
	"<!channel>", "<@U1>", "<#C1|x>", "@here", "<https://evil.example.com|bank>", "&lt;!here&gt;", "```", "*b*", "決済が遅い 🔥", "\u202egnp.exe", "👨‍👩‍👧‍👦", "&", "",
}

// Whatever a message holds, Slack takes it, nothing in it is parsed, and what
// does not fit is counted.
func TestNoMessageIsRefusedByItsSize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string {
			s := rapid.SampledFrom(hostile).Draw(t, "text")
			return strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 2, 50, 4000}).Draw(t, "times"))
		})
		few := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		m := bot.Message{Key: "k", Kind: bot.Kind(rapid.SampledFrom([]string{"card", "line", "reply", "run", "said", "diagnostics"}).Draw(t, "kind")),
			Tone: bot.ToneBad, Title: text.Draw(t, "title"), Text: text.Draw(t, "body"), By: text.Draw(t, "by")}
		for range few("fields", 30) {
			m.Fields = append(m.Fields, bot.Field{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")})
		}
		for range few("checks", 60) {
			m.Checks = append(m.Checks, bot.Check{Group: text.Draw(t, "group"), Name: text.Draw(t, "name"), Value: text.Draw(t, "value"), Detail: text.Draw(t, "detail")})
		}
		for range few("items", 40) {
			m.Items = append(m.Items, bot.Item{Rank: 1, Title: text.Draw(t, "title"), Evidence: text.Draw(t, "evidence"), Code: []bot.Code{{Text: text.Draw(t, "code")}},
				Buttons: []bot.Button{{ID: "h1.1.up.x.", Label: text.Draw(t, "label"), Hint: text.Draw(t, "hint")}}})
		}
		for i := range few("buttons", 60) {
			m.Buttons = append(m.Buttons, bot.Button{ID: "h1.1.up.x." + strings.Repeat("i", i), Label: text.Draw(t, "label")})
		}
		for range few("links", 20) {
			m.Links = append(m.Links, bot.Link{Label: text.Draw(t, "label"), URL: "https://example.com/" + strings.Repeat("u", few("long", 5000))})
		}
		out := render(m, phrases.English)
		if problem := fake.CheckBlocks(blocksOf(t, out), maxBlocks); problem != "" {
			t.Fatal(problem)
		}
		if strings.ContainsAny(out.text, "<>") || out.text == "" {
			t.Fatalf("text %q", out.text)
		}
	})
}

func TestWhatIsCutIsCounted(t *testing.T) {
	t.Parallel()
	m := bot.Message{Kind: bot.KindSuggestions, Title: "Next", Links: []bot.Link{{Label: "Open in the console", URL: "https://hikeshi.example.com/incidents/INC-7"}}}
	for range 100 {
		m.Items = append(m.Items, bot.Item{Rank: 1, Title: "x", Buttons: []bot.Button{{ID: "h1.1.up.x.", Label: "👍"}}})
	}
	b, err := json.Marshal(render(m, phrases.English).blocks)
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Count(string(b), "1. x")
	if want := "…and " + strconv.Itoa(100-shown) + " more"; shown < 20 || !strings.Contains(string(b), want) {
		t.Errorf("%d are shown, and nothing says %q: %s", shown, want, b)
	}
}

func TestPlainIsWhatWasSeen(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a &lt;b&gt; &amp; c": "a <b> & c", "<https://x.example.com|the page>": "the page", "<https://x.example.com>": "https://x.example.com",
		"<@U1>": "@U1", "<@U1|bea>": "@bea", "<!here>": "@here", "<#C1|general>": "#general", "&amp;lt;": "&lt;",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
