// Package servicenow is a ServiceNow that bites: the Table API over one incident
// table with its journal and audit, data policies that want a close code, columns
// that cut without a word, clocks that have seconds only, and an account in another
// time zone, so that a literal time in a query is a mistake that is kept.
//
// Start with New; people do things in it with Set, Say and Copy.
package servicenow

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
	Token = "hikeshi:password-of-the-bot"
	Table = "incident"
	Bot   = "6816f79cc0a8016401c5a33be04be441" // our account
	Joe   = "5137153cc611227c000bbd1bd8cd2005" // people
	Bea   = "46ca0887a9fe19810191e08e51927ebf"
)

var names = map[string]string{Bot: "hikeshi", Joe: "joe", Bea: "bea"} // user_name by sys_id

// Server is one instance.
type Server struct {
	*lies.Liar
	Now func() time.Time
	Lag time.Duration // until a query finds a record: its transaction is not over

	NoFiles int // the status with which files are refused; 0: they are taken

	mu      sync.Mutex
	records []*Record
	journal []object
	audit   []object
	files   []object
	next    int
	wrongs  []string
	queue   [][]byte
	ours    int
}

// Record is one incident: its columns as they are kept.
type Record struct {
	Columns map[string]string
	Notes   []string // ours
	made    time.Time
	changes int
}

// New makes one.
func New(now func() time.Time) *Server {
	s := &Server{Now: now}
	s.Liar = lies.New(http.HandlerFunc(s.serve), func(h http.Header, detail string) {
		if detail != "" {
			h.Set("Retry-After", detail)
		}
		h.Set("X-RateLimit-Reset", strconv.FormatInt(now().Add(time.Minute).Unix(), 10))
	})
	return s
}

// Start serves it over HTTP.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

func (s *Server) wrong(format string, args ...any) {
	s.wrongs = append(s.wrongs, fmt.Sprintf(format, args...))
}

// refusal is an error as ServiceNow says it.
type refusal struct {
	status          int
	message, detail string
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	said, status, no := any(nil), http.StatusOK, (*refusal)(nil)
	if r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(Token)) {
		no = &refusal{401, "User Not Authenticated", "Required to provide Auth information"}
	} else {
		said, status, no = s.route(r)
	}
	if no != nil {
		w.WriteHeader(no.status)
		_ = json.NewEncoder(w).Encode(object{"error": object{"message": no.message, "detail": no.detail}, "status": "failure"})
		return
	}
	w.WriteHeader(status)
	if status == http.StatusNoContent {
		return
	}
	_ = json.NewEncoder(w).Encode(object{"result": said})
}

// known are the parameters of the Table API.
// https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html
var known = []string{
	"sysparm_query", "sysparm_fields", "sysparm_limit", "sysparm_offset", "sysparm_display_value", "sysparm_exclude_reference_link",
	"sysparm_suppress_pagination_header", "sysparm_no_count",
}

func (s *Server) route(r *http.Request) (any, int, *refusal) {
	if at, ok := strings.CutPrefix(r.URL.Path, "/api/now/attachment"); ok {
		return s.attachment(r, at)
	}
	for k := range r.URL.Query() {
		if !slices.Contains(known, k) {
			s.wrong("no such parameter: %s", k)
		}
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/now/table/"), "/")
	switch {
	case r.Method == http.MethodGet && len(parts) == 1:
		rows, no := s.rows(parts[0], r)
		return rows, http.StatusOK, no
	case parts[0] != Table:
	case r.Method == http.MethodPost && len(parts) == 1:
		return s.create(r)
	case len(parts) == 2:
		return s.one(r, parts[1])
	}
	s.wrong("no such address: %s %s", r.Method, r.URL.Path)
	return nil, 0, &refusal{400, "Invalid table " + parts[0], ""}
}

// one is a record by its sys_id; PUT and PATCH both leave the other columns alone.
func (s *Server) one(r *http.Request, sysID string) (any, int, *refusal) {
	at := slices.IndexFunc(s.records, func(rec *Record) bool { return rec.Columns["sys_id"] == sysID })
	switch {
	case at < 0:
		return nil, 0, &refusal{404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"}
	case r.Method == http.MethodGet:
		return s.show(asObject(s.records[at].Columns), r), http.StatusOK, nil
	case r.Method == http.MethodPatch, r.Method == http.MethodPut:
		return s.patch(s.records[at], r)
	case r.Method == http.MethodDelete:
		s.records = slices.Delete(s.records, at, at+1)
		return nil, http.StatusNoContent, nil
	}
	return nil, 0, &refusal{405, "Method not supported", ""}
}

func (s *Server) rows(table string, r *http.Request) ([]any, *refusal) {
	var all []object
	switch table {
	case Table:
		for _, rec := range s.records {
			if s.Now().Sub(rec.made) >= s.Lag {
				all = append(all, asObject(rec.Columns))
			}
		}
	case "sys_journal_field":
		all = s.journal
	case "sys_audit":
		all = s.audit
	case "sys_user":
		for id, name := range names {
			all = append(all, object{"sys_id": id, "user_name": name, "name": name})
		}
	case "sys_choice":
		for _, c := range [][2]string{{"state", "1"}, {"state", "2"}, {"state", "3"}, {"state", "6"}, {"close_code", "Solution provided"}} {
			all = append(all, object{"name": Table, "element": c[0], "value": c[1], "label": c[1], "inactive": "false"})
		}
	default:
		return nil, &refusal{400, "Invalid table " + table, ""}
	}
	found := s.query(all, r.URL.Query().Get("sysparm_query"))
	if n, err := strconv.Atoi(r.URL.Query().Get("sysparm_offset")); err == nil {
		found = found[min(n, len(found)):]
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("sysparm_limit")); err == nil && len(found) > n {
		found = found[:n]
	}
	out := []any{}
	for _, row := range found {
		out = append(out, s.show(row, r))
	}
	return out, nil
}

const seconds = "2006-01-02 15:04:05"

func (s *Server) stamp() string { return s.Now().UTC().Format(seconds) }

func asObject(m map[string]string) object {
	out := object{}
	for k, v := range m {
		out[k] = v
	}
	return out
}
