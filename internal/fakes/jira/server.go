// Package jira is a Jira that bites: both flavours, a search whose index lags,
// workflows with transitions, required fields, texts that are markup, and lies
// on demand. What a real Jira would refuse it refuses in the same words, what
// it does not have any more is gone here too, and what would be a person's or
// an alert's text acting as markup is kept as a complaint that fails the test.
//
// Start with New, then Server.Transport or Server.Start.
package jira

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

type object = map[string]any

// The flavours.
const (
	Cloud      = "cloud"
	DataCenter = "data_center"
)

// What the fake knows from the start.
const (
	Mail    = "bot@example.com"
	Token   = "api-token-of-the-bot"
	Bot     = "bot" // our account
	Joe     = "joe" // people
	Bea     = "bea" //
	Project = "OPS"
	Type    = "Incident"
)

// Server is one Jira.
type Server struct {
	Flavour  string
	Now      func() time.Time
	Lag      time.Duration     // until search finds a change
	Required map[string]string // fields that an issue must have: id → name
	Linear   bool              // the workflow has no short cuts
	Screen   []string          // fields that are on no screen, and refused
	Garbled  []string          // issues of which a search tells what nobody can read
	Stuck    bool              // each transition wants a field that nobody fills
	Denied   []string          // permissions that the account has not
	NoDone   bool              // no status is of the category done
	Subtasks bool              // the project has a type for them
	NoFiles  int               // the status with which files are refused; 0: they are taken
	Hosts    []string          // where links in our texts may lead; "*": anywhere on the web
	Log      bool              // keep the exchanges
	Tiers    bool              // refuse what comes faster than Jira takes it

	mu        sync.Mutex
	issues    map[string]*Issue
	order     []*Issue
	links     [][2]string
	next      int
	lies      []*lie
	counts    map[string]int
	wrongs    []string
	exchanges []Exchange
	came      map[string][]time.Time // lately, by what they count for
	queue     []Delivery
	done      chan struct{}
	once      sync.Once
}

// Issue is one issue.
type Issue struct {
	ID, Key                      string
	Summary, Description, Status string
	Priority, Assignee, Creator  string
	Labels                       []string
	Parent                       string // of a sub-task
	Resolution                   string
	Fields                       object
	Properties                   object
	Remote                       map[string]object
	Comments                     []*Comment
	Files                        []File
	Created, Updated             time.Time

	histories []object
	versions  []version // for the index
}

type version struct {
	at     time.Time
	labels []string
}

// Comment is one comment.
type Comment struct {
	ID, Body, Author string
	Created, Updated time.Time
	Properties       []any
}

// File is an attachment.
type File struct {
	ID, Name, Author string
	Text             []byte
	Created          time.Time
}

// Exchange is one request and its answer.
type Exchange struct {
	Method, Path string // with the query, without /rest/api/2
	Asked, Said  []byte
	Kind         string // the type of what was asked
	Status       int
	Header       http.Header
}

// Delivery is a webhook on its way.
type Delivery struct {
	Identifier string
	Body       []byte
}

// New makes a Jira of that flavour.
func New(flavour string, now func() time.Time) *Server {
	return &Server{Flavour: flavour, Now: now, Required: map[string]string{}, issues: map[string]*Issue{}, counts: map[string]int{}, came: map[string][]time.Time{}, done: make(chan struct{}), next: 10000}
}

// Close lets go of who waits for an answer that never comes.
func (s *Server) Close() { s.once.Do(func() { close(s.done) }) }

// Start serves it over HTTP.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

// Transport carries requests to it without a network.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	rec := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, fmt.Errorf("the connection ended: %w", io.ErrUnexpectedEOF)
			if r.Context().Err() != nil {
				err = r.Context().Err()
			}
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	t.s.ServeHTTP(rec, r)
	return rec.Result(), nil
}

// refusal is an error as Jira says it.
type refusal struct {
	status   int
	messages []string
	errors   object
}

func deny(status int, message string) *refusal { return &refusal{status, []string{message}, object{}} }

func invalid(field, message string) *refusal {
	return &refusal{http.StatusBadRequest, []string{}, object{field: message}}
}

func (s *Server) wrong(format string, args ...any) {
	s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/rest/api/2/")
	if s.Tiers && s.tooFast(w, r.Method, path) {
		return
	}
	l := s.lieFor(r.Method, path)
	if l != nil && l.before(w, r) {
		return
	}
	rec := httptest.NewRecorder()
	if !ok {
		rec.WriteHeader(http.StatusNotFound)
	} else {
		s.answer(rec, r, path, body)
	}
	if l != nil && l.after(s, w, r) {
		return
	}
	if s.Log {
		s.mu.Lock()
		full := path
		if r.URL.RawQuery != "" {
			full += "?" + r.URL.RawQuery
		}
		s.exchanges = append(s.exchanges, Exchange{r.Method, full, body, rec.Body.Bytes(), r.Header.Get("Content-Type"), rec.Code, rec.Header().Clone()})
		s.mu.Unlock()
	}
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[r.Method+" "+shape(path)]++
	said, status, no := any(nil), http.StatusOK, s.authentic(r)
	if no == nil {
		said, status, no = s.understand(r, path, body)
	}
	if no != nil {
		said, status = object{"errorMessages": no.messages, "errors": no.errors}, no.status
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	if said != nil {
		_ = json.NewEncoder(w).Encode(said)
	}
}

func (s *Server) understand(r *http.Request, path string, body []byte) (any, int, *refusal) {
	if strings.HasSuffix(path, "/attachments") {
		return s.attach(r, path, body)
	}
	var in object
	if len(body) > 0 && (json.Unmarshal(body, &in) != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")) {
		return nil, 0, deny(400, "Unexpected character: the body is no JSON")
	}
	return s.route(r, path, in)
}

func (s *Server) authentic(r *http.Request) *refusal {
	if s.Flavour == Cloud {
		if u, p, ok := r.BasicAuth(); ok && u == Mail && p == Token {
			return nil
		}
	} else if r.Header.Get("Authorization") == "Bearer "+Token {
		return nil
	}
	return deny(401, "Client must be authenticated to access this resource.")
}

// shape is a path without the key in it.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if _, err := strconv.Atoi(p[strings.LastIndex(p, "-")+1:]); err == nil {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

// stamp writes a time as Jira does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

func text(v any) string { s, _ := v.(string); return s }

func obj(v any) object { o, _ := v.(object); return o }

func list(v any) []any { l, _ := v.([]any); return l }

// user is an account in the flavour's form.
func (s *Server) user(account string) any {
	if account == "" {
		return nil
	}
	u := object{"displayName": strings.ToUpper(account[:1]) + account[1:], "active": true, "timeZone": "Etc/UTC"}
	if s.Flavour == Cloud {
		u["accountId"], u["accountType"] = "557058:"+account, "atlassian"
	} else {
		u["name"], u["key"] = account, "JIRAUSER-"+account
	}
	return u
}

// Account is how the flavour calls somebody.
func (s *Server) Account(who string) string {
	if s.Flavour == Cloud {
		return "557058:" + who
	}
	return who
}
