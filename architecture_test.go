package main

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/hikeshi-ops/hikeshi"

// goFile is one parsed source file.
type goFile struct {
	path string // slash-separated, relative to the root
	ast  *ast.File
}

func (f goFile) pkg() string { return path.Dir(f.path) }
func (f goFile) test() bool  { return strings.HasSuffix(f.path, "_test.go") }

// codeLines counts the lines that hold code: blank ones and comments explain,
// and explaining is not what makes a file too long.
func codeLines(t *testing.T, path string) int {
	t.Helper()
	src, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file := fset.AddFile(path, -1, len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		lines[file.Line(pos)] = true
		if tok == token.STRING {
			for i := range strings.Count(literal, "\n") {
				lines[file.Line(pos)+i+1] = true
			}
		}
	}
}

// sources are all Go files of the repository, and where things in them stand.
// They are read once, by whichever test comes first.
func sources(t *testing.T) ([]goFile, *token.FileSet) {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all, fset
}

var fset = token.NewFileSet()

// parsed reads the files rather than ask `go list`, whose cached answer would
// stay green. Of tests only the imports are of interest.
var parsed = sync.OnceValues(func() (files []goFile, err error) {
	err = filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		mode := parser.ParseComments
		if strings.HasSuffix(p, "_test.go") {
			mode |= parser.ImportsOnly
		}
		f, err := parser.ParseFile(fset, p, nil, mode)
		files = append(files, goFile{path: filepath.ToSlash(p), ast: f})
		return err
	})
	return files, err
})

// importTable reads the table of ARCHITECTURE.md: package → what it may import.
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "## Who may import whom")
	if !ok {
		t.Fatal("ARCHITECTURE.md has no import table")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	table := map[string][]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[1], "`") {
			continue
		}
		name := quoted.FindStringSubmatch(cells[1])[1]
		table[name] = []string{}
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			table[name] = append(table[name], m[1])
		}
		if strings.Contains(cells[2], "everything") {
			table[name] = nil
		}
	}
	return table
}

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	table := importTable(t)
	seen := map[string]bool{}
	files, _ := sources(t)
	for _, f := range files {
		allowed, known := table[f.pkg()]
		if !known {
			if !seen[f.pkg()] {
				t.Errorf("package %s has no row in ARCHITECTURE.md", f.pkg())
			}
			seen[f.pkg()] = true
			continue
		}
		seen[f.pkg()] = true
		if f.test() || allowed == nil {
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), modulePath+"/")
			if ours && !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s, which its row in ARCHITECTURE.md does not allow", f.path, imported)
			}
		}
	}
	for pkg := range table {
		if !seen[pkg] {
			t.Errorf("ARCHITECTURE.md has a row for %s, which does not exist", pkg)
		}
	}
}

// A vendor's SDK is imported in its own place only.
func TestVendorsStayInTheirFolders(t *testing.T) {
	t.Parallel()
	homes := map[string]string{
		"github.com/redis/go-redis":       "storage/redis",
		"modernc.org/sqlite":              "storage/sqlite",
		"github.com/slack-go/slack":       "integrations/slack",
		"github.com/bwmarrin/discordgo":   "integrations/discord",
		"github.com/andygrunwald/go-jira": "integrations/jira",
		"github.com/chromedp/chromedp":    "internal/testenv",
		"github.com/robfig/cron":          ". calendar schedule", // the jobs of jobs.go, and what people plan
		"cel.dev/cel-go":                  "runbooks",
		"github.com/coreos/go-oidc":       "integrations/oidc",
		"golang.org/x/oauth2":             "integrations/oidc",
	}
	files, _ := sources(t)
	for _, f := range files {
		if f.test() {
			continue
		}
		for _, spec := range f.ast.Imports {
			for vendor, home := range homes {
				if strings.HasPrefix(strings.Trim(spec.Path.Value, `"`), vendor) && !slices.Contains(strings.Fields(home), f.pkg()) && f.pkg() != "internal/bench" {
					t.Errorf("%s imports %s, which belongs to %s", f.path, vendor, home)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	docs := map[string][]string{}
	files, _ := sources(t)
	for _, f := range files {
		if f.test() {
			continue
		}
		if _, ok := docs[f.pkg()]; !ok {
			docs[f.pkg()] = nil
		}
		if f.ast.Doc != nil && !strings.HasPrefix(f.ast.Doc.Text(), "go:build") {
			docs[f.pkg()] = append(docs[f.pkg()], f.path)
		}
	}
	for pkg, files := range docs {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments, want 1: %v", pkg, len(files), files)
		}
	}
}

// The shape that keeps a stranger oriented: see CONTRIBUTING.md.
const (
	maxFileLines     = 400
	maxFuncLines     = 60
	maxInterface     = 5
	maxPackageLines  = 5600
	maxConstructorIn = 6
)

func TestShape(t *testing.T) {
	t.Parallel()
	perPackage := map[string]int{}
	files, fset := sources(t)
	for _, f := range files {
		if f.test() {
			continue
		}
		n := codeLines(t, f.path)
		perPackage[f.pkg()] += n
		if n > maxFileLines {
			t.Errorf("%s has %d lines of code, more than %d", f.path, n, maxFileLines)
		}
		ast.Inspect(f.ast, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.FuncDecl:
				checkFunc(t, fset, f, node)
			case *ast.TypeSpec:
				if i, ok := node.Type.(*ast.InterfaceType); ok && countMethods(i) > maxInterface {
					t.Errorf("%s: interface %s has %d methods, more than %d", f.path, node.Name.Name, countMethods(i), maxInterface)
				}
			}
			return true
		})
	}
	for pkg, n := range perPackage {
		if n > maxPackageLines {
			t.Errorf("package %s has %d lines of code, more than %d", pkg, n, maxPackageLines)
		}
	}
}

func checkFunc(t *testing.T, fset *token.FileSet, f goFile, fn *ast.FuncDecl) {
	t.Helper()
	if fn.Recv == nil && fn.Name.Name == "init" {
		t.Errorf("%s: func init: registries are explicit slices", f.path)
	}
	if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line; n > maxFuncLines {
		t.Errorf("%s: func %s has %d lines, more than %d", f.path, fn.Name.Name, n, maxFuncLines)
	}
	if fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "New") && fn.Type.Params.NumFields() > maxConstructorIn {
		t.Errorf("%s: func %s has %d parameters, more than %d: use an Options struct", f.path, fn.Name.Name, fn.Type.Params.NumFields(), maxConstructorIn)
	}
}

func countMethods(i *ast.InterfaceType) int {
	n := 0
	for _, m := range i.Methods.List {
		n += len(m.Names)
	}
	return n
}

func TestNoPackageMeansTheRest(t *testing.T) {
	t.Parallel()
	for pkg := range importTable(t) {
		switch path.Base(pkg) {
		case "util", "utils", "common", "lib", "types", "models", "helpers", "shared", "misc":
			t.Errorf("package %s has a name that means the rest", pkg)
		}
	}
}
