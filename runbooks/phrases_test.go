package runbooks

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// Every sentence that the sources name exists, each problem has its hint, and no
// sentence is left over.
func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"runbook.lint.error": true, "runbook.lint.warning": true}
	named := regexp.MustCompile(`"(runbook\.[a-z_.]+[a-z])"`)
	sheetWord := regexp.MustCompile(`s\.(?:word|prose|steps)\("([a-z_.]+)"`)
	for _, pattern := range []string{"*.go", "steps/*.go", "../integrations/ssh/*.go", "../integrations/rundeck/*.go", "../integrations/kompira/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = true
				if strings.HasPrefix(m[1], "runbook.lint.") && m[1] != "runbook.lint.error" && m[1] != "runbook.lint.warning" {
					used[m[1]+".hint"] = true
				}
			}
			for _, m := range sheetWord.FindAllStringSubmatch(string(b), -1) {
				used["runbook.sheet."+m[1]] = true
			}
		}
	}
	for _, key := range []string{"alerts_cleared", "alerts_ignored"} {
		used["runbook.sheet."+key] = true
	}
	for key := range used {
		if !phrases.Has(key) {
			t.Errorf("the catalogue has no %s", key)
		}
	}
	for _, lang := range phrases.Languages {
		for key := range catalogue(t, lang) {
			if !used[key] {
				t.Errorf("%s: nothing says %s", lang, key)
			}
		}
	}
}

// Both languages have the same sentences with the same places.
func TestSentencesHaveTheSamePlaces(t *testing.T) {
	t.Parallel()
	en, ja := catalogue(t, phrases.English), catalogue(t, phrases.Japanese)
	place := regexp.MustCompile(`\{[a-z]+\}`)
	places := func(s string) []string {
		all := place.FindAllString(s, -1)
		slices.Sort(all)
		return slices.Compact(all)
	}
	for key, sentence := range en {
		if !slices.Equal(places(sentence), places(ja[key])) {
			t.Errorf("%s: %q, %q", key, sentence, ja[key])
		}
	}
	if len(en) != len(ja) {
		t.Errorf("%d sentences in English, %d in Japanese", len(en), len(ja))
	}
}

func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, name := range []string{"runbooks.yaml", "calls.yaml"} {
		b, err := os.ReadFile(filepath.Join("..", "bot", "phrases", lang, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}
