package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const token = "a-token-of-at-least-16-bytes"

// withToken makes the server one that people sign in to.
func withToken(o *Options) { o.Config.People = []Person{{Name: "bea", Token: token}} }

// noRights allows nobody anything.
type noRights struct{ bot.Open }

func (noRights) May(incidents.Actor, bot.Right, bot.Where) error {
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

func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// served is a server that listens.
type served struct {
	URL    string
	server *Server
	stop   func() // as at the end of the process
	listen net.Addr
}

func serve(t testing.TB, w *world, change func(*Options)) *served {
	t.Helper()
	o := w.options()
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	server := httptest.NewServer(s.Handler())
	stop := func() { cancel(); <-done }
	t.Cleanup(func() {
		stop()
		server.Close()
	})
	return &served{URL: server.URL, server: s, stop: stop, listen: server.Listener.Addr()}
}

// dial connects without reading.
func (s *served) dial(t testing.TB) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.listen.String())
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
		err = conn.(*net.TCPConn).SetReadBuffer(4096)
	}
	return conn, err
}

// someRights allows everything until it is gone.
type someRights struct {
	bot.Open
	gone atomic.Bool
}

func (r *someRights) May(p incidents.Actor, right bot.Right, where bot.Where) error {
	if r.gone.Load() {
		return noRights{}.May(p, right, where)
	}
	return nil
}
