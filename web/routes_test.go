package web

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// open are the addresses that need nobody to be known. Adding one is a
// decision about security, so it is made here too.
var openRoutes = map[string]bool{
	"GET /healthz": true, "GET /readyz": true, "GET /static/{name}": true,
	"GET /login": true, "POST /login": true, "GET /login/oidc": true, "GET /login/callback": true, "POST /logout": true, "POST /language": true,
}

// example is an address that a pattern fits, and a body it would take.
func example(rt route) (method, path, body string) {
	method, path, _ = strings.Cut(rt.pattern, " ")
	path = strings.NewReplacer("{$}", "", "{id}", "1", "{name}", "app.css").Replace(path)
	body = "text=%2Fack&button=x&key=x&name=bob&token=wrong&lang=ja"
	if rt.form == formAPI {
		body = `{"command":"ack"}`
	}
	return method, path, body
}

// Every route has a row and is denied to strangers and to people without
// a right; what has no row is not served.
func TestEveryRouteIsDeniedToStrangersAndToPeopleWithoutRights(t *testing.T) {
	t.Parallel()
	for _, rt := range routes {
		t.Run(rt.pattern, func(t *testing.T) {
			t.Parallel()
			method, path, body := example(rt)
			if openRoutes[rt.pattern] {
				if rt.right != "" {
					t.Fatal("stands among the open ones but needs a right")
				}
				return
			}
			if rt.right == "" {
				t.Fatal("needs no right and does not stand among the open ones")
			}
			w, s := handler(t, withToken)
			got := ask(s, method, path, body)
			switch {
			case rt.form == formAPI && got.Code != http.StatusUnauthorized,
				rt.form == formPage && method == http.MethodPost && got.Code != http.StatusUnauthorized,
				rt.form == formPage && method == http.MethodGet && !strings.HasPrefix(got.Header().Get("Location"), "/login?"):
				t.Errorf("a stranger got %d %s", got.Code, got.Header().Get("Location"))
			}
			if got := ask(s, method, path, body, bearer("wrong-token-of-many-bytes")); got.Code != http.StatusUnauthorized && got.Code != http.StatusSeeOther {
				t.Errorf("a wrong token got %d", got.Code)
			}
			_, s = handler(t, func(o *Options) { withToken(o); o.Rights = noRights{} })
			if got := ask(s, method, path, body, bearer(token)); got.Code != http.StatusForbidden {
				t.Errorf("somebody without rights got %d", got.Code)
			}
			if len(w.pressed) > 0 || len(w.redriven) > 0 {
				t.Error("something was done for a stranger")
			}
		})
	}
}

// The table is the only place that registers anything.
func TestNothingIsServedBesidesTheTable(t *testing.T) {
	t.Parallel()
	files := gotoken.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		tree, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && (sel.Sel.Name == "Handle" || sel.Sel.Name == "HandleFunc") && path != "server.go" {
				if x, ok := sel.X.(*ast.SelectorExpr); !ok || x.Sel.Name != "Router" {
					t.Errorf("%s registers a route", files.Position(call.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, s := handler(t, nil)
	seen := map[string]bool{}
	for _, rt := range routes {
		method, path, _ := example(rt)
		r, _ := http.NewRequest(method, "http://localhost"+path, nil)
		if _, pattern := s.mux.Handler(r); pattern != rt.pattern {
			t.Errorf("%s is served by %q", rt.pattern, pattern)
		}
		if seen[rt.pattern] {
			t.Errorf("%s stands twice", rt.pattern)
		}
		seen[rt.pattern] = true
		switch rt.right {
		case "", bot.View, bot.Respond, bot.Output, bot.Administer:
		default:
			t.Errorf("%s needs the unknown right %q", rt.pattern, rt.right)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/api/v1/nope", "/static/../server.go", "/incidents", "/incidents/", "/.git/config"} {
		if got := ask(s, http.MethodGet, path, ""); got.Code != http.StatusNotFound && got.Code/100 != 3 {
			t.Errorf("GET %s: %d", path, got.Code)
		}
	}
}

// Nothing changes on GET, HEAD or anything else than POST.
func TestWhatChangesTakesPostOnly(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for _, rt := range routes {
		if !rt.changes() || rt.pattern == "POST /login" || strings.HasSuffix(rt.pattern, "{id}/messages") {
			continue // these two have a page of the same address
		}
		_, path, body := example(rt)
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} {
			got := ask(s, method, path, body)
			if got.Code != http.StatusMethodNotAllowed || !strings.Contains(got.Header().Get("Allow"), "POST") {
				t.Errorf("%s %s: %d, Allow %q", method, path, got.Code, got.Header().Get("Allow"))
			}
		}
	}
	if len(w.pressed) > 0 {
		t.Error("something was done")
	}
}

func TestEveryAnswerCarriesTheHeadersThatBindTheBrowser(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	for _, path := range []string{"/", "/incidents/1", "/nope", "/api/v1/incidents", "/api/v1/nope", "/healthz", "/static/nope"} {
		h := ask(s, http.MethodGet, path, "").Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: CSP lacks %s", path, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("X-Request-Id") == "" || h.Get("Server") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}
