package web

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const token = "a-token-of-at-least-16-bytes"

// withToken makes the server one that people sign in to.
func withToken(o *Options) { o.Config.People = []Person{{Name: "bea", Token: token}} }

// noRights allows nobody anything.
type noRights struct{}

func (noRights) May(incidents.Actor, bot.Right, string) error {
	return incidents.Fail(incidents.Forbidden, "error.right", "you may not do this", "right", "any")
}

// handler is a server over a small world, without a network.
func handler(t testing.TB, change func(*Options)) (*world, *Server) {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	asking(t, w, c)
	o := w.options()
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w, s
}

// ask sends one request, from this machine unless changed.
func ask(s *Server, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(path, "/api/") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

// named is the name cookie of the local mode.
func named(name string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: nameCookie, Value: queryEscape(name)}) }
}

// fails checks an API's refusal: the status, and the code in the body.
func fails(t *testing.T, got *httptest.ResponseRecorder, status int, code incidents.Code) {
	t.Helper()
	var body struct {
		Error problem `json:"error"`
	}
	if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil || got.Code != status || body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("got %d %s, want %d with code %s", got.Code, got.Body, status, code)
	}
}

// into decodes an answer.
func into[T any](t *testing.T, got *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if got.Code != http.StatusOK {
		t.Fatalf("status %d: %s", got.Code, got.Body)
	}
	if err := json.NewDecoder(got.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func read(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
