package incidents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// sources are this package's files without its tests.
func sources(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	fset, files := token.NewFileSet(), map[string]*ast.File{}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
	}
	if len(files) < 10 {
		t.Fatalf("found %d files", len(files))
	}
	return fset, files
}

// allowed are the packages that neither do I/O nor know the time or chance.
var allowed = []string{
	"bytes", "cmp", "crypto/sha256", "encoding/base64", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt", "maps",
	"math", "math/bits", "regexp", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// forbidden is what package time has that is not arithmetic.
var forbidden = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep", "Local", "LoadLocation"}

// impurities lists what a pure package must not have.
func impurities(fset *token.FileSet, file *ast.File) []string {
	var found []string
	say := func(n ast.Node, what string) { found = append(found, fset.Position(n.Pos()).String()+": "+what) }
	for _, imp := range file.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		if imp.Name != nil {
			say(imp, "import under another name")
		}
		ok := false
		for _, a := range allowed {
			ok = ok || a == path
		}
		if !ok {
			say(imp, "import of "+path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n, "go statement")
		case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
			say(n, "channel")
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				say(n, "init")
			}
		case *ast.SelectorExpr:
			pkg, _ := n.X.(*ast.Ident)
			for _, name := range forbidden {
				if pkg != nil && pkg.Name == "time" && pkg.Obj == nil && n.Sel.Name == name {
					say(n, "time."+name)
				}
			}
			if pkg != nil && pkg.Name == "fmt" && strings.HasPrefix(n.Sel.Name, "Print") {
				say(n, "fmt."+n.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestThePackageIsPure(t *testing.T) {
	t.Parallel()
	fset, files := sources(t)
	for _, file := range files {
		for _, what := range impurities(fset, file) {
			t.Error(what)
		}
	}
}

// TestImpuritiesAreFound: the test above can fail.
func TestImpuritiesAreFound(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`import "os"`, `import "net/http"`, `import "math/rand/v2"`, `import "github.com/x/y"`, `import . "time"`,
		`func f() { go f() }`, `func init() {}`, `var c chan int`,
		`import "time"; var x = time.Now`, `import "time"; func f() { time.Sleep(1) }`, `import "fmt"; func f() { fmt.Println() }`,
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "x.go", "package x; "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(impurities(fset, file)) == 0 {
			t.Errorf("nothing found in %s", source)
		}
	}
}

// TestFlowHasARowForEachKind: every event kind that the sources define has a
// row in flow, and every row is a kind's.
func TestFlowHasARowForEachKind(t *testing.T) {
	t.Parallel()
	_, files := sources(t)
	defined := map[EventKind]bool{}
	for _, decl := range files["event.go"].Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			value := spec.(*ast.ValueSpec)
			if kind, ok := value.Type.(*ast.Ident); !ok || kind.Name != "EventKind" {
				continue
			}
			s, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if defined[EventKind(s)] {
				t.Errorf("kind %q is defined twice", s)
			}
			defined[EventKind(s)] = true
		}
	}
	for kind := range defined {
		if _, has := flow[kind]; !has {
			t.Errorf("kind %q has no row in flow", kind)
		}
	}
	for kind := range flow {
		if !defined[kind] {
			t.Errorf("flow has a row for %q, which is no kind", kind)
		}
	}
	statuses := []Status{"", Held, Discarded, Triggered, Investigating, Remediating, Verifying, Monitoring, Resolved, Closed}
	if len(moves) != len(statuses) {
		t.Errorf("moves has %d rows, there are %d statuses", len(moves), len(statuses))
	}
	for _, s := range statuses {
		if _, has := moves[s]; !has {
			t.Errorf("status %q has no row in moves", s)
		}
	}
}
