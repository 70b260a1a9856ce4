package discord

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every room that package bot has a golden file for, as Discord gets it: within
// the limits, taken by a strict Discord, and as it was read by eye once.
func TestCards(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../bot/testdata/golden/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lang := strings.Split(name, ".")[1]
			h := newHouse(t, func(c *Config) { c.Language = lang })
			h.Hosts = append(h.Hosts, "wiki.example.com", "prometheus.example.com")
			h.poster.client.pace = free{}
			room := h.open(incident(42, "HighErrorRate"))
			var sent []payload
			for _, m := range messagesOf(t, file) {
				out := rendered(&m, lang, room.Name+" · "+m.Key, base+"/incidents/INC-42#"+m.Key)
				sent = append(sent, out)
				if _, err := h.poster.create(t.Context(), room, m.Key, &m, out, incidents.Posted{}); err != nil {
					t.Errorf("%s: %v", m.Key, err)
				}
			}
			golden(t, filepath.Join("testdata", "golden", name), sent)
		})
	}
}

func messagesOf(t *testing.T, file string) []bot.Message {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []bot.Message
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func golden(t *testing.T, path string, v any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is different (go test -run Cards -update ./integrations/discord, and read it):\n%s", path, b.Bytes())
	}
}

// Whatever is in a message, a strict Discord takes it: nothing is too long,
// mentions anybody, or leads somewhere that it does not say.
func TestNothingIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.poster.client.pace = free{}
	room := h.open(incident(42, "HighErrorRate"))
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "@everyone", "<@123456789012345678>", "<@&1>", "<#1>", "<:a:1>", "</inc:1>", "<id:guide>", "[x](https://evil.example.org)", "https://evil.example.org/x", "`", "``", "```", "```js",
		"\\", "\\\\", "\\<@1>", "`<@1>", "\u202e", "\x1b[31m", "# h", "> q", "- l", "1. l", "||s||", "~~s~~", "**b**", "日本語", "שלום", "🔥🔥", strings.Repeat("x", 5000), strings.Repeat("`", 5000),
		strings.Repeat("\\", 3001), strings.Repeat("🔥", 3000), strings.Repeat("@everyone ", 900), "a\n\n\nb", "http://u:p@h/", "WWW.example.org", "@\u200beveryone", "@here",
	}))
	n := 0
	some := func(t *rapid.T, label string) string {
		return strings.Join(rapid.SliceOfN(text, 0, 3).Draw(t, label), "")
	}
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := bot.Message{
			Kind: rapid.SampledFrom([]bot.Kind{bot.KindCard, bot.KindLine, bot.KindSaid, bot.KindRun}).Draw(t, "kind"), At: someDay,
			Title: some(t, "title"), Text: some(t, "text"), By: some(t, "by"), Tone: bot.ToneBad,
		}
		for range rapid.IntRange(0, 30).Draw(t, "fields") {
			m.Fields = append(m.Fields, bot.Field{Name: some(t, "name"), Value: some(t, "value")})
		}
		for range rapid.IntRange(0, 12).Draw(t, "checks") {
			m.Checks = append(m.Checks, bot.Check{Group: some(t, "group"), State: bot.CheckBad, Name: some(t, "check"), Value: some(t, "is"), Before: some(t, "was"), Detail: some(t, "detail")})
		}
		for i := range rapid.IntRange(0, 9).Draw(t, "items") {
			it := bot.Item{Rank: i + 1, Title: some(t, "item"), Evidence: some(t, "evidence"), Risk: some(t, "risk"), Code: []bot.Code{{Text: some(t, "code")}}}
			for range rapid.IntRange(0, 5).Draw(t, "buttons") {
				it.Buttons = append(it.Buttons, bot.Button{ID: rapid.StringMatching(`h1\.[a-z]{1,3}`).Draw(t, "id"), Label: some(t, "label"), Hint: some(t, "hint")})
			}
			m.Items = append(m.Items, it)
		}
		for range rapid.IntRange(0, 9).Draw(t, "links") {
			m.Links = append(m.Links, bot.Link{Label: some(t, "label"), URL: rapid.SampledFrom([]string{"https://hikeshi.example.com/x", "http://prometheus:9090/", "javascript:alert(1)", "https://a.b/" + strings.Repeat("x", 600), "%%%", ""}).Draw(t, "url")})
		}
		m.Code = []bot.Code{{Label: some(t, "label"), Text: some(t, "code")}}
		out := rendered(&m, "en", "inc-0042 · x", base+"/incidents/INC-42#x")
		if _, err := h.poster.create(h.t.Context(), room, time.Unix(int64(n), 0).String(), &m, out, incidents.Posted{}); err != nil && (m.Kind != bot.KindLine && m.Kind != bot.KindSaid || out.Content != "") {
			t.Fatalf("%v\n%+v", err, out)
		}
	})
}
