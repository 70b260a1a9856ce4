package runbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// The sheets of a runbook that has everything, as they are meant to read. To
// write them anew: UPDATE=1 go test -run Sheet ./runbooks
func TestSheet(t *testing.T) {
	t.Parallel()
	source := strings.Replace(paramBook, "fits:", "what: {en: \"Makes it `bigger`.\", ja: 台数を増やす。}\nhow:\n  en: |\n    First this.\n\n    - then that\n  ja: まずこれ、次にあれ。\nwords: [slow, 遅い]\ncustomers: [acme, globex]\nfits:", 1)
	rb := load(t, nil, source).Get("scale")
	rb.Digest = strings.Repeat("0", 64)
	for _, lang := range phrases.Languages {
		got := Sheet(rb, lang, phrases.Fill)
		file := filepath.Join("testdata", "sheet."+lang+".md")
		if os.Getenv("UPDATE") != "" {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s:\n%s", file, got)
		}
		if strings.Contains(got, "runbook.") {
			t.Errorf("%s: a sentence is missing", lang)
		}
	}
}

// An author's backticks and bars do not end the code they stand in.
func TestSheetCode(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "`plain`", "a`b": "`` a`b ``", "``": "``` `` ```",
	} {
		if got := codeSpan(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	if got := fence("a\n```\nb"); got != "````\na\n```\nb\n````" {
		t.Errorf("%s", got)
	}
	if got := cell("a|b"); got != "`a\\|b`" {
		t.Errorf("%s", got)
	}
}
