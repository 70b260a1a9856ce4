// Package backlog is a Backlog that bites: one project with issues, comments and
// their change logs, a search whose index lags, times without fractions, both
// notations, and what would be somebody's words acting as markup kept as a
// complaint.
//
// Start with New; people do things in it with Change, Say and Copy.
package backlog

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

type object = map[string]any

// What the fake knows from the start.
const (
	Token   = "api-key-of-the-bot"
	Project = "OPS"
	Type    = "障害"
	Bot     = 7 // our account
	Joe     = 8 // people
	Bea     = 9 //
)

var (
	people     = map[int]string{Bot: "bot", Joe: "Joe", Bea: "Bea"}
	statuses   = map[int]string{1: "未対応", 2: "処理中", 3: "処理済み", 4: "完了", 50: "顧客確認中"}
	priorities = map[int]string{2: "高", 3: "中", 4: "低"}

	resolutions = map[int]string{0: "対応済み", 1: "対応しない", 2: "無効", 3: "重複", 4: "再現しない"}
)

// Server is one Backlog.
type Server struct {
	*lies.Liar
	Now      func() time.Time
	Lag      time.Duration // until a search finds an issue
	Hosts    []string      // where links in our texts may lead
	Markdown bool          // the project's notation
	Wikis    []Wiki        // pages, of this project and of others
	NoTasks  bool          // no issue may have children
	NoFiles  int           // the status with which files are refused; 0: they are taken

	mu     sync.Mutex
	issues []*Issue
	next   int
	wrongs []string
	queue  [][]byte
	ours   int
	sent   map[int]*File // files that are on no issue yet
}

// Issue is one issue.
type Issue struct {
	Number, Status, Priority, Author, Assignee int
	Parent                                     int // its number; 0 for none
	Resolution                                 int
	resolved                                   bool // it has one
	Summary, Description                       string
	Comments                                   []*Comment
	Files                                      []*File
	Created, Updated                           time.Time
	Fields                                     url.Values
}

// Comment is what somebody wrote, changed, or both.
type Comment struct {
	ID, Author int
	Content    string
	Created    time.Time
	changes    []object
}

// New makes one.
func New(now func() time.Time) *Server {
	s := &Server{Now: now}
	s.Liar = lies.New(http.HandlerFunc(s.serve), func(h http.Header, _ string) {
		h.Set("X-RateLimit-Limit", "150")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(now().Add(time.Minute).Unix(), 10))
	})
	s.Busy = `{"errors":[{"message":"Rate limit exceeded.","code":13,"moreInfo":""}]}` // TooManyRequestsError
	return s
}

// Start serves it over HTTP.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

func (s *Server) wrong(format string, args ...any) {
	s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
}

// refusal is an error as Backlog says it.
type refusal struct {
	status, code int
	message      string
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	said, status, no := any(nil), http.StatusOK, (*refusal)(nil)
	if r.Header.Get("Backlog-API-Key") != Token {
		no = &refusal{401, 11, "Authentication failure."}
	} else {
		said, status, no = s.route(r)
	}
	if no != nil {
		said, status = object{"errors": []any{object{"message": no.message, "code": no.code, "moreInfo": ""}}}, no.status
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said)
}

func nothing(what string) *refusal { return &refusal{404, 6, "No " + what + "."} }

func invalid(what string) *refusal { return &refusal{400, 7, what + " is invalid."} }

func (s *Server) route(r *http.Request) (any, int, *refusal) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v2/")
	form := url.Values{}
	if r.Method+" "+path == "POST space/attachment" {
		return s.take(r)
	}
	if r.Method != http.MethodGet {
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
			return nil, 0, invalid("body")
		}
		form = r.PostForm
		if r.Method == http.MethodPatch && len(form) == 0 {
			return nil, 0, invalid("parameters")
		}
	}
	if rest, ok := strings.CutPrefix(path, "projects/"); ok {
		key, rest, _ := strings.Cut(rest, "/")
		if key != Project {
			return nil, 0, nothing("project")
		}
		return s.project(rest)
	}
	switch r.Method + " " + path {
	case "GET users/myself":
		return s.user(Bot), 200, nil
	case "GET priorities":
		return listed(priorities, nil), 200, nil
	case "GET issues":
		return s.list(r.URL.Query())
	case "POST issues":
		return s.create(form)
	case "GET wikis":
		return s.listWikis(r.URL.Query())
	}
	if id, ok := strings.CutPrefix(path, "wikis/"); ok && r.Method == http.MethodGet {
		return s.wiki(id)
	}
	if key, rest, _ := strings.Cut(strings.TrimPrefix(path, "issues/"), "/"); strings.HasPrefix(path, "issues/") {
		n := slices.IndexFunc(s.issues, func(i *Issue) bool { return i.key() == key || strconv.Itoa(i.id()) == key })
		if n < 0 {
			return nil, 0, nothing("issue")
		}
		return s.one(r, s.issues[n], rest, form)
	}
	s.wrong("no such address: %s %s", r.Method, path)
	return nil, 0, nothing("such address")
}

func (i *Issue) key() string { return Project + "-" + strconv.Itoa(i.Number) }
func (i *Issue) id() int     { return firstID + i.Number }

const firstID = 1000 // an id is no number

// listed are things with numbers and names, each with what more says.
func listed(all map[int]string, more func(id int) object) []any {
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		o := object{"id": id, "name": all[id]}
		if more != nil {
			maps.Copy(o, more(id))
		}
		out = append(out, o)
	}
	return out
}

// ofProject is what a project's own statuses and types have besides.
func ofProject(id int) object {
	return object{"projectId": 1, "color": "#ed8077", "displayOrder": 1000 * id}
}

func (s *Server) project(rest string) (any, int, *refusal) {
	switch rest {
	case "":
		rule := map[bool]string{true: "markdown", false: "backlog"}[s.Markdown]
		return object{"id": 1, "projectKey": Project, "name": "運用", "textFormattingRule": rule, "archived": false, "useWiki": true, "useGit": true, "subtaskingEnabled": !s.NoTasks}, 200, nil
	case "issueTypes":
		return listed(map[int]string{5: "タスク", 6: Type}, ofProject), 200, nil
	case "statuses":
		return listed(statuses, ofProject), 200, nil
	case "users":
		return []any{s.user(Bot), s.user(Joe), s.user(Bea)}, 200, nil
	}
	s.wrong("no such address: projects/%s", rest)
	return nil, 0, nothing("such address")
}

func (s *Server) one(r *http.Request, i *Issue, rest string, form url.Values) (any, int, *refusal) {
	switch r.Method + " " + rest {
	case "GET ":
		return s.tell(i), 200, nil
	case "PATCH ":
		return s.edit(i, form)
	case "GET attachments":
		return s.files(i, true), 200, nil
	case "GET comments":
		return s.comments(i, r.URL.Query()), 200, nil
	case "POST comments":
		content := form.Get("content")
		if strings.TrimSpace(content) == "" {
			return nil, 0, invalid("content")
		}
		s.harmless("a comment", content)
		return s.comment(i, s.say(i, Bot, content, nil)), 201, nil
	}
	s.wrong("no such address: %s issues/%s/%s", r.Method, i.key(), rest)
	return nil, 0, nothing("such address")
}

func count(q url.Values) int {
	if n, err := strconv.Atoi(q.Get("count")); err == nil && n > 0 && n <= 100 {
		return n
	}
	return 20
}

func (s *Server) user(n int) any {
	if n == 0 {
		return nil
	}
	return object{"id": n, "userId": strings.ToLower(people[n]), "name": people[n], "roleType": 2, "lang": "ja"}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (s *Server) tell(i *Issue) object {
	return object{
		"id": i.id(), "projectId": 1, "issueKey": i.key(), "keyId": i.Number, "issueType": object{"id": 6, "projectId": 1, "name": Type},
		"summary": i.Summary, "description": i.Description, "status": object{"id": i.Status, "projectId": 1, "name": statuses[i.Status]},
		"priority": object{"id": i.Priority, "name": priorities[i.Priority]}, "assignee": s.user(i.Assignee), "resolution": s.resolution(i),
		"parentIssueId": i.parentID(), "category": []any{}, "versions": []any{}, "milestone": []any{}, "customFields": []any{}, "attachments": s.files(i, false), "sharedFiles": []any{}, "stars": []any{},
		"createdUser": s.user(i.Author), "created": stamp(i.Created), "updatedUser": s.user(i.Author), "updated": stamp(i.Updated),
	}
}

func (s *Server) resolution(i *Issue) any {
	if name := resolutions[i.Resolution]; name != "" && i.resolved {
		return object{"id": i.Resolution, "name": name}
	}
	return nil
}

// comments are those after minId, the newest first unless asked otherwise.
func (s *Server) comments(i *Issue, q url.Values) []any {
	after, _ := strconv.Atoi(q.Get("minId"))
	all := []any{}
	for n := len(i.Comments) - 1; n >= 0 && i.Comments[n].ID > after; n-- {
		all = append(all, s.comment(i, i.Comments[n]))
	}
	if q.Get("order") == "asc" {
		slices.Reverse(all)
	}
	return all[:min(len(all), count(q))]
}

func (s *Server) comment(i *Issue, c *Comment) object {
	content := any(c.Content)
	if c.Content == "" {
		content = nil
	}
	return object{
		"id": c.ID, "projectId": 1, "issueId": i.id(), "content": content, "changeLog": c.changes, "createdUser": s.user(c.Author),
		"created": stamp(c.Created), "updated": stamp(c.Created), "stars": []any{}, "notifications": []any{},
	}
}

// mayBeParent says whether the id is of an issue that is no child itself.
func (s *Server) mayBeParent(id string) bool {
	n, err := strconv.Atoi(id)
	n -= firstID
	return err == nil && !s.NoTasks && n >= 1 && n <= len(s.issues) && s.issues[n-1].Parent == 0
}

func (i *Issue) parentID() any {
	if i.Parent == 0 {
		return nil
	}
	return firstID + i.Parent
}

func (s *Server) create(form url.Values) (any, int, *refusal) {
	for k := range form {
		switch k {
		case "projectId", "issueTypeId", "priorityId", "summary", "description", "assigneeId", "customField_1", "categoryId[]", "parentIssueId":
		default:
			return nil, 0, invalid(k)
		}
	}
	priority, _ := strconv.Atoi(form.Get("priorityId"))
	assignee, _ := strconv.Atoi(form.Get("assigneeId"))
	switch {
	case form.Has("assigneeId") && people[assignee] == "":
		return nil, 0, invalid("assigneeId")
	case form.Has("parentIssueId") && !s.mayBeParent(form.Get("parentIssueId")):
		return nil, 0, invalid("parentIssueId")
	case form.Get("projectId") != "1":
		return nil, 0, invalid("projectId")
	case form.Get("issueTypeId") != "6":
		return nil, 0, invalid("issueTypeId")
	case priorities[priority] == "":
		return nil, 0, invalid("priorityId")
	case form.Get("summary") == "" || utf8.RuneCountInString(form.Get("summary")) > 255:
		return nil, 0, invalid("summary")
	}
	i := &Issue{Number: len(s.issues) + 1, Status: 1, Priority: priority, Author: Bot, Assignee: assignee, Summary: form.Get("summary"), Description: form.Get("description"), Created: s.Now(), Updated: s.Now(), Fields: form}
	if n, err := strconv.Atoi(form.Get("parentIssueId")); err == nil {
		i.Parent = n - firstID
	}
	s.harmless("a description", i.Description)
	s.issues = append(s.issues, i)
	return s.tell(i), 201, nil
}
