package phrases

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

func TestFill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lang, key, want string }{
		{"en", "because.declared", "declared by {by}"},
		{"ja", "because.declared", "{by} さんが宣言しました"},
		{"fr", "because.declared", "declared by {by}"},
		{"en", "no.such.key", "no.such.key"},
	} {
		if got := T(c.lang, c.key); got != c.want {
			t.Errorf("T(%s, %s) = %q, want %q", c.lang, c.key, got, c.want)
		}
	}
	if got := T("en", "because.declared", "by", "{by} %s {because.declared}"); got != "declared by {by} %s {because.declared}" {
		t.Errorf("what fills a place was read as a phrase: %q", got)
	}
}

// TestLanguagesAgree holds every sentence to exist in both languages, with the
// same places.
func TestLanguagesAgree(t *testing.T) {
	t.Parallel()
	for _, key := range slices.Sorted(maps.Keys(catalogue()[English])) {
		ja, ok := catalogue()[Japanese][key]
		if !ok {
			t.Errorf("%s has no Japanese", key)
			continue
		}
		if en, ja := places(catalogue()[English][key]), places(ja); !slices.Equal(en, ja) {
			t.Errorf("%s: English has the places %v, Japanese %v", key, en, ja)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(catalogue()[Japanese])) {
		if _, ok := catalogue()[English][key]; !ok {
			t.Errorf("%s has no English", key)
		}
	}
}

func places(sentence string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(sentence, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestJapaneseIsJapanese catches sentences that were copied and never
// translated, and punctuation that a Japanese text does not use.
func TestJapaneseIsJapanese(t *testing.T) {
	t.Parallel()
	for _, key := range slices.Sorted(maps.Keys(catalogue()[Japanese])) {
		ja, en := catalogue()[Japanese][key], catalogue()[English][key]
		bare := regexp.MustCompile(`\{[^}]*\}|"[^"]*"|/inc.*|https?:\S+`).ReplaceAllString(ja, "")
		if ja == en && len(regexp.MustCompile(`[a-z]{3,}`).FindAllString(bare, -1)) > 1 {
			t.Errorf("%s is the same in both languages: %q", key, ja)
		}
		// Brackets, colons and question marks are half-width throughout; commas
		// and full stops are Japanese ones.
		if regexp.MustCompile(`[ぁ-ゖァ-ヺー一-鿿][,.;]`).MatchString(bare) {
			t.Errorf("%s: half-width punctuation after Japanese text: %q", key, ja)
		}
	}
}

// TestEveryKeyExists reads the sources: each key that they name is in the
// catalogue. Keys that no source names are reported, not refused: some are put
// together from parts ("status." + word).
func TestEveryKeyExists(t *testing.T) {
	t.Parallel()
	used := sourcesOf(t, "../..")
	if len(used.keys) < 50 {
		t.Fatalf("only %d keys found in the sources: the search is broken", len(used.keys))
	}
	for _, key := range slices.Sorted(maps.Keys(used.keys)) {
		if !Has(key) {
			t.Errorf("%s: the catalogue has no %q", used.keys[key], key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(catalogue()[English])) {
		if !used.names(key) {
			t.Logf("no source names %q", key)
		}
	}
}

// usage is what the sources name.
type usage struct {
	keys     map[string]string // keys passed to a function that takes one → where
	literals map[string]bool   // every string there is
}

// names says whether some source names the key: whole, or all but its last
// word ("web.check.%s", "duration" + ".one").
func (u *usage) names(key string) bool {
	if u.literals[key] {
		return true
	}
	for i := range key {
		if key[i] == '.' && (u.literals[key[:i]] || u.literals[key[:i+1]] || u.literals[key[:i+1]+"%s"]) {
			return true
		}
	}
	return false
}

// keyAt says which argument of a function is a key. Functions are known by
// their last name, whatever package or value they belong to.
var keyAt = map[string]int{"T": 1, "Fill": 1, "Because": 0, "Fail": 1, "Has": 0}

// keyForm is what a key looks like.
var keyForm = regexp.MustCompile(`^[a-z_]+(\.[a-z0-9_]+)+$`)

func sourcesOf(t *testing.T, root string) *usage {
	t.Helper()
	u := &usage{keys: map[string]string{}, literals: map[string]bool{}}
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, ".html"):
			return u.template(path)
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil // somebody is writing it; the compiler will say
		}
		ast.Inspect(file, func(n ast.Node) bool { u.inspect(set, n); return true })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (u *usage) inspect(set *token.FileSet, n ast.Node) {
	switch n := n.(type) {
	case *ast.BasicLit:
		if s, ok := text(n); ok {
			u.literals[s] = true
		}
	case *ast.CallExpr:
		at, known := keyAt[lastName(n.Fun)]
		if !known || len(n.Args) <= at {
			return
		}
		if s, ok := text(n.Args[at]); ok && keyForm.MatchString(s) {
			u.keys[s] = set.Position(n.Pos()).String()
		}
	case *ast.KeyValueExpr:
		if name, ok := n.Key.(*ast.Ident); ok && (name.Name == "Phrase" || name.Name == "Help" && !isFlag(n)) {
			if s, ok := text(n.Value); ok && keyForm.MatchString(s) {
				u.keys[s] = set.Position(n.Pos()).String()
			}
		}
	}
}

// isFlag: prometheus' Help texts are sentences with spaces, never keys.
func isFlag(n *ast.KeyValueExpr) bool {
	s, ok := text(n.Value)
	return !ok || strings.ContainsFunc(s, unicode.IsSpace)
}

var templateKey = regexp.MustCompile(`\b(?:t|printf)\s+"([^"]+)"`)

func (u *usage) template(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, m := range templateKey.FindAllStringSubmatch(string(b), -1) {
		u.literals[m[1]] = true
		if keyForm.MatchString(m[1]) {
			u.keys[m[1]] = path
		}
	}
	return nil
}

func lastName(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
