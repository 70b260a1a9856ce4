package testenv

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const repository = "../.."

// TestSkipsAreNoted: a test that skips by itself is a skip that nobody hears of.
// Two kinds may: fuzz targets, for inputs that are not theirs, and tools for
// people that look like a test and are off until a variable asks for them, with
// a reason that begins with "set HIKESHI_".
func TestSkipsAreNoted(t *testing.T) {
	t.Parallel()
	bySelf := regexp.MustCompile(`(?m)^(\[[^\]]*\] *)*skip\b`)
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || path == filepath.Join(repository, "internal", "testenv")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".txtar") {
			raw, err := os.ReadFile(path)
			if err == nil && bySelf.Match(raw) {
				t.Errorf("%s skips by itself: call testenv.Need where the scripts are set up", path)
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		for _, at := range skips(t, path) {
			t.Errorf("%s: use testenv.Need or testenv.Skip, which are noted", at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// skips lists where a test file calls t.Skip and its kin.
func skips(t *testing.T, path string) []string {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, 0)
	if err != nil {
		t.Errorf("parse %s: %v", path, err)
		return nil
	}
	var all []string
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Fuzz") {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, f.Sel.Name) {
				return true
			}
			if x, ok := f.X.(*ast.Ident); ok && x.Name != "testenv" && !asksForVariable(call) {
				all = append(all, fset.Position(call.Pos()).String())
			}
			return true
		})
	}
	return all
}

func asksForVariable(call *ast.CallExpr) bool {
	if len(call.Args) == 0 {
		return false
	}
	reason, ok := call.Args[0].(*ast.BasicLit)
	return ok && strings.HasPrefix(reason.Value, `"set HIKESHI_`)
}

// TestDepsScriptNamesEveryPackage holds tools/deps.sh to what tests ask for.
func TestDepsScriptNamesEveryPackage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(repository, "tools", "deps.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range programs {
		line := strings.Join(p.names, "|") + " " + p.pkg
		if !strings.Contains(string(raw), "\n"+line+"\n") {
			t.Errorf("tools/deps.sh has no line %q for %s", line, name)
		}
	}
}
