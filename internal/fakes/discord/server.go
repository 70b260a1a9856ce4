// Package discord is a strict Discord for tests: one guild, its REST interface,
// its gateway and its signed interactions, in this process. What Discord would
// refuse it refuses with Discord's codes, and what nobody should ever send (an
// address that there is not, a mention, a link that does not say where it
// leads) fails the test. It can lie, too: see Lie.
//
// It promises to know nothing of our adapter, nor of the library that the
// adapter uses. Start with New.
package discord

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Who and where everything is.
const (
	App   = "100000000000000001"
	Bot   = App
	Guild = "200000000000000001"
	Role  = "300000000000000001"
	Token = "MTAwMDAwMDAwMDAwMDAwMDAx.fake01.discord-token-for-tests-only-000000"
)

// object is anything in JSON.
type object = map[string]any

// Server is one Discord. Its exported fields may be set before it is used.
type Server struct {
	URL       string // of the API
	PublicKey string // of the application, in hex
	Perms     int64  // the bot's permissions in the guild
	Hosts     []string
	Intents   int64 // those that the application may ask for
	Endpoint  string
	Pace      Pace
	Patience  time.Duration // for the first answer to an interaction
	Log       bool          // keep exchanges, to hold them against the specification

	t      testing.TB
	key    ed25519.PrivateKey
	server *httptest.Server
	done   chan struct{}

	mu        sync.Mutex
	token     string
	next      int64
	channels  []*channel
	commands  json.RawMessage
	puts      int // of commands
	lies      []*lie
	nonces    map[string]*message
	answers   map[string]*Interaction // by token
	sessions  map[string]*session
	used      map[string][]time.Time // by bucket
	counts    map[string]int         // requests by route
	refused   int                    // 401, 403, 429
	down      bool
	exchanges []Exchange
	changed   chan struct{}
}

type channel struct {
	object
	messages []*message
	pins     []string
}

type message struct{ object }

func (m *message) id() string { return text(m.object["id"]) }

// Pace is how many messages a channel takes; zero: any number.
type Pace struct {
	N   int
	Per time.Duration
}

// Exchange is a request and its answer.
type Exchange struct {
	Method, Path string
	Kind         string
	Asked        []byte
	Status       int
	Header       http.Header
	Said         []byte
}

// AllPerms are all permissions that there are.
const AllPerms int64 = 1<<52 - 1

// New starts one for the test.
func New(t testing.TB) *Server {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		t: t, key: key, PublicKey: hex.EncodeToString(public), Perms: AllPerms, Intents: 1<<25 - 1, Patience: 3 * time.Second, token: Token, next: 1100000000000000000,
		done: make(chan struct{}), nonces: map[string]*message{}, answers: map[string]*Interaction{}, sessions: map[string]*session{},
		used: map[string][]time.Time{}, counts: map[string]int{}, changed: make(chan struct{}), commands: json.RawMessage("[]"),
	}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL + "/api/v10"
	t.Cleanup(func() { close(s.done); s.hangUp(); s.server.CloseClientConnections(); s.server.Close() })
	return s
}

// wrong fails the test: nobody should ever do this.
func (s *Server) wrong(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("discord: "+format, args...)
}

// id is a new snowflake; s.mu is held.
func (s *Server) id() string {
	s.next += 1 << 22
	return strconv.FormatInt(s.next, 10)
}

// touch wakes those who wait for something to change; s.mu is held.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// refusal is an answer that is no success.
type refusal struct {
	status, code int
	what         string
	header       http.Header
	body         any
}

func deny(status, code int, what string, args ...any) *refusal {
	return &refusal{status: status, code: code, what: fmt.Sprintf(what, args...)}
}

// serve is every request: a lie, the pace, then the route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.isDown() {
		http.Error(w, "discord is away", http.StatusServiceUnavailable)
		return
	}
	path := r.URL.Path
	if path == "/ws" || path == "/ws/" {
		s.gateway(w, r)
		return
	}
	for _, v := range []string{"/api/v10", "/api/v9"} {
		path = strings.TrimPrefix(path, v)
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 30<<20))
	l := s.lieFor(r.Method, path)
	if l != nil && l.before(s, w, r) {
		return
	}
	status, out, header := s.answer(r, path, body)
	if l != nil && l.after(s, w, r) {
		return
	}
	for k, v := range header {
		w.Header()[k] = v
	}
	var said []byte
	if out != nil {
		w.Header().Set("Content-Type", "application/json")
		said, _ = json.Marshal(out)
	}
	w.WriteHeader(status)
	_, _ = w.Write(said)
	if s.Log {
		s.mu.Lock()
		s.exchanges = append(s.exchanges, Exchange{r.Method, path + query(r), r.Header.Get("Content-Type"), body, status, w.Header().Clone(), said})
		s.mu.Unlock()
	}
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

func (s *Server) answer(r *http.Request, path string, body []byte) (int, any, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	status, out, bad := s.route(r, path, body)
	header := http.Header{}
	if bad != nil {
		if bad.status == 401 || bad.status == 403 || bad.status == 429 {
			s.refused++
		}
		if bad.header != nil {
			header = bad.header
		}
		if bad.body != nil {
			return bad.status, bad.body, header
		}
		return bad.status, object{"code": bad.code, "message": bad.what}, header
	}
	s.headers(header, r.Method, path)
	return status, out, header
}

// input reads a body, which may be a form with files.
func input(r *http.Request, body []byte) (object, map[string]string, *refusal) {
	in, files := object{}, map[string]string{}
	kind := r.Header.Get("Content-Type")
	if strings.HasPrefix(kind, "multipart/form-data") {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := r.ParseMultipartForm(30 << 20); err != nil {
			return nil, nil, deny(400, 50035, "Invalid Form Body: %v", err)
		}
		body = []byte(r.FormValue("payload_json"))
		for name, fh := range r.MultipartForm.File {
			f, err := fh[0].Open()
			if err != nil {
				return nil, nil, deny(400, 50035, "%v", err)
			}
			b, _ := io.ReadAll(f)
			_ = f.Close()
			files[name] = string(b)
		}
	} else if kind != "application/json" && len(body) > 0 {
		return nil, nil, deny(400, 50035, "Expected \"Content-Type\" header to be application/json")
	}
	if len(body) == 0 {
		return in, files, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if body[0] == '[' {
		var list []any
		if err := dec.Decode(&list); err != nil {
			return nil, nil, deny(400, 50109, "The request body contains invalid JSON.")
		}
		return object{"": list}, files, nil
	}
	if err := dec.Decode(&in); err != nil {
		return nil, nil, deny(400, 50109, "The request body contains invalid JSON.")
	}
	return in, files, nil
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

func number(v any) int64 {
	n, _ := strconv.ParseInt(text(v), 10, 64)
	return n
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func (s *Server) channel(id string) *channel {
	at := slices.IndexFunc(s.channels, func(c *channel) bool { return text(c.object["id"]) == id })
	if at < 0 {
		return nil
	}
	return s.channels[at]
}

func (c *channel) message(id string) *message {
	at := slices.IndexFunc(c.messages, func(m *message) bool { return m.id() == id })
	if at < 0 {
		return nil
	}
	return c.messages[at]
}
