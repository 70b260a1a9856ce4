// Package gitlab is a GitLab that bites: one project with issues, notes, labels
// and their events, a search whose index lags, quick actions that act, and what
// would be somebody's words acting as markup kept as a complaint.
//
// Start with New; people do things in it with Close, Label, Assign and Say.
package gitlab

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

type object = map[string]any

// What the fake knows from the start.
const (
	Token   = "glpat-token-of-the-bot"
	Project = "ops/incidents"
	Bot     = 7 // our account
	Joe     = 8 // people
	Bea     = 9 //
)

var names = map[int]string{Bot: "bot", Joe: "joe", Bea: "bea"}

// Server is one GitLab.
type Server struct {
	*lies.Liar
	Now   func() time.Time
	Lag   time.Duration     // until a search finds an issue
	Hosts []string          // where links in our texts may lead
	Files map[string]string // of the repository, by path, or by branch and path: "next:docs/a.md"

	NoFiles int               // the status with which files are refused; 0: they are taken
	Uploads map[string]string // what was sent, by its address
	NoLinks int               // the status with which links are refused; 0: they are taken

	mu     sync.Mutex
	issues []*Issue
	next   int
	wrongs []string
	queue  [][]byte
	ours   int
	links  [][2]int // numbers of issues that are linked, the smaller first
}

// Issue is one issue.
type Issue struct {
	IID                       int
	Title, Description, State string
	Labels                    []string
	Author, Assignee          int
	Notes                     []*Note
	Created, Updated          time.Time
	Fields                    object

	events  map[string][]object // by their kind
	indexed time.Time
}

// Note is one comment, or what GitLab says of a change.
type Note struct {
	ID, Author       int
	Body             string
	System           bool
	Created, Updated time.Time
}

// New makes one.
func New(now func() time.Time) *Server {
	s := &Server{Now: now, Files: map[string]string{}, Uploads: map[string]string{}}
	s.Liar = lies.New(http.HandlerFunc(s.serve), func(h http.Header, detail string) {
		if detail != "" {
			h.Set("Retry-After", detail)
		}
		h.Set("RateLimit-Reset", strconv.FormatInt(now().Add(time.Minute).Unix(), 10))
	})
	return s
}

// Start serves it over HTTP.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

func (s *Server) wrong(format string, args ...any) {
	s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
}

// refusal is an error as GitLab says it.
type refusal struct {
	status  int
	message any
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	said, status, no := any(nil), http.StatusOK, (*refusal)(nil)
	if r.Header.Get("Private-Token") != Token {
		no = &refusal{401, "401 Unauthorized"}
	} else {
		said, status, no = s.route(w, r)
	}
	if no != nil {
		said, status = object{"message": no.message}, no.status
	}
	if raw, ok := said.(string); ok {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, raw)
		return
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said)
}

var (
	id       = strconv.Itoa
	notFound = &refusal{404, "404 Project Not Found"}
)

func (s *Server) route(w http.ResponseWriter, r *http.Request) (any, int, *refusal) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v4/")
	if path == "user" {
		return s.user(Bot), 200, nil
	}
	rest, ours := strings.CutPrefix(path+"/", "projects/"+strings.ReplaceAll(Project, "/", "%2F")+"/")
	if !ours {
		return nil, 0, notFound
	}
	rest = strings.TrimSuffix(rest, "/")
	if r.Method+" "+rest == "POST uploads" {
		return s.upload(r)
	}
	var in object
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&in) != nil {
			return nil, 0, &refusal{400, "the body is no JSON"}
		}
	}
	parts := strings.Split(rest, "/")
	switch at := r.Method + " " + parts[0]; {
	case rest == "" && r.Method == http.MethodGet:
		return object{"id": 5, "name": "incidents", "path_with_namespace": Project, "issues_enabled": true, "archived": false}, 200, nil
	case rest == "issues" && r.Method == http.MethodPost:
		return s.create(in)
	case rest == "issues":
		return s.list(w, r)
	case at == "GET members":
		return page(w, r, []any{s.user(Joe), s.user(Bea)}), 200, nil
	case at == "GET labels":
		return []any{}, 200, nil
	case at == "GET repository" && len(parts) == 4 && parts[3] == "raw":
		return s.file(parts[2], r.URL.Query().Get("ref"))
	case parts[0] == "issues" && len(parts) >= 2:
		n := slices.IndexFunc(s.issues, func(i *Issue) bool { return id(i.IID) == parts[1] })
		if n < 0 {
			return nil, 0, &refusal{404, "404 Not found"}
		}
		return s.one(w, r, s.issues[n], strings.Join(parts[2:], "/"), in)
	}
	s.wrong("no such address: %s %s", r.Method, path)
	return nil, 0, &refusal{404, "404 Not Found"}
}

func (s *Server) one(w http.ResponseWriter, r *http.Request, i *Issue, rest string, in object) (any, int, *refusal) {
	switch r.Method + " " + rest {
	case "GET ":
		return s.tell(i), 200, nil
	case "PUT ":
		return s.edit(i, in)
	case "GET notes":
		all := []any{}
		for n := len(i.Notes) - 1; n >= 0; n-- {
			all = append(all, s.note(i.Notes[n]))
		}
		if r.URL.Query().Get("sort") == "asc" {
			slices.Reverse(all)
		}
		return page(w, r, all), 200, nil
	case "POST notes":
		body := text(in["body"])
		if strings.TrimSpace(body) == "" {
			return nil, 0, &refusal{400, "400 Bad request - Note can't be blank"}
		}
		s.harmless("a note", body)
		return s.note(s.say(i, Bot, body)), 201, nil
	case "POST links":
		return s.link(i, in)
	case "GET links":
		return page(w, r, s.linked(i)), 200, nil
	case "GET resource_state_events", "GET resource_label_events":
		return page(w, r, i.events[strings.TrimPrefix(rest, "resource_")]), 200, nil
	}
	s.wrong("no such address: %s issues/%d/%s", r.Method, i.IID, rest)
	return nil, 0, &refusal{404, "404 Not Found"}
}

func perPage(r *http.Request) int {
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 && n <= 100 {
		return n
	}
	return 20
}

// page is the one that is asked for, and says where the next one is.
// https://docs.gitlab.com/api/rest/#pagination
func page[T any](w http.ResponseWriter, r *http.Request, all []T) []T {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	from := min((n-1)*perPage(r), len(all))
	pages := max(1, (len(all)+perPage(r)-1)/perPage(r))
	h := w.Header()
	h.Set("X-Total", id(len(all)))
	h.Set("X-Total-Pages", id(pages))
	h.Set("X-Page", id(n))
	h.Set("X-Per-Page", id(perPage(r)))
	h.Set("X-Next-Page", "")
	if n < pages {
		q := r.URL.Query()
		q.Set("page", id(n+1))
		h.Set("X-Next-Page", id(n+1))
		h.Set("Link", "<http://"+r.Host+r.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	return append([]T{}, all[from:min(from+perPage(r), len(all))]...)
}

func text(v any) string { s, _ := v.(string); return s }

func (s *Server) user(n int) object {
	if n == 0 {
		return nil
	}
	return object{"id": n, "username": names[n], "name": strings.ToUpper(names[n][:1]) + names[n][1:], "state": "active"}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) tell(i *Issue) object {
	assignees := []any{}
	if i.Assignee != 0 {
		assignees = append(assignees, s.user(i.Assignee))
	}
	return object{
		"id": 1000 + i.IID, "iid": i.IID, "project_id": 5, "title": i.Title, "description": i.Description, "state": i.State, "labels": i.Labels,
		"author": s.user(i.Author), "assignees": assignees, "created_at": stamp(i.Created), "updated_at": stamp(i.Updated),
		"references": object{"short": "#" + id(i.IID), "relative": "#" + id(i.IID), "full": Project + "#" + id(i.IID)}, "closed_at": i.closedAt(),
		"web_url": "https://gitlab.example.com/" + Project + "/-/issues/" + id(i.IID),
	}
}

func (i *Issue) closedAt() any {
	if i.State != "closed" {
		return nil
	}
	return stamp(i.Updated)
}

func (s *Server) note(n *Note) object {
	return object{
		"id": n.ID, "body": n.Body, "author": s.user(n.Author), "system": n.System, "created_at": stamp(n.Created), "updated_at": stamp(n.Updated),
		"noteable_type": "Issue", "internal": false,
	}
}
