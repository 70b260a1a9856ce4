package servicenow

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// attachment is the Attachment API: its list, and the way in which the body is the
// file. What is no parameter of theirs is a mistake that is kept.
// https://www.servicenow.com/docs/r/api-reference/rest-apis/c_AttachmentAPI.html
func (s *Server) attachment(r *http.Request, at string) (any, int, *refusal) {
	q := r.URL.Query()
	allowed := map[string][]string{
		"GET ": {"sysparm_query", "sysparm_limit", "sysparm_offset"}, "POST /file": {"table_name", "table_sys_id", "file_name", "encryption_context"},
	}[r.Method+" "+at]
	if allowed == nil {
		s.wrong("no such address: %s %s", r.Method, r.URL.Path)
		return nil, 0, &refusal{400, "Requested URI does not represent any resource", ""}
	}
	for k := range q {
		if !slices.Contains(allowed, k) {
			s.wrong("no such parameter: %s", k)
		}
	}
	if r.Method == http.MethodPost {
		return s.attach(r)
	}
	out := []any{}
	for _, f := range s.query(s.files, q.Get("sysparm_query")) {
		out = append(out, metadata(f))
	}
	if n, err := strconv.Atoi(q.Get("sysparm_limit")); err == nil && len(out) > n {
		out = out[:n]
	}
	return out, http.StatusOK, nil
}

func (s *Server) attach(r *http.Request) (any, int, *refusal) {
	q := r.URL.Query()
	for _, must := range []string{"table_name", "table_sys_id", "file_name"} {
		if q.Get(must) == "" {
			return nil, 0, &refusal{400, "Missing parameter: " + must, ""}
		}
	}
	if r.Header.Get("Content-Type") == "" {
		return nil, 0, &refusal{400, "Content-Type header is missing", ""}
	}
	if s.NoFiles != 0 {
		return nil, 0, &refusal{s.NoFiles, "Operation Failed", "Insert Aborted"}
	}
	at := slices.IndexFunc(s.records, func(rec *Record) bool { return rec.Columns["sys_id"] == q.Get("table_sys_id") })
	if at < 0 || q.Get("table_name") != Table {
		return nil, 0, &refusal{404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || len(text) == 0 {
		return nil, 0, &refusal{400, "Requested file is empty", ""}
	}
	s.next++
	f := object{
		"sys_id": fmt.Sprintf("%032x", s.next), "table_name": Table, "table_sys_id": q.Get("table_sys_id"), "file_name": q.Get("file_name"),
		"content_type": r.Header.Get("Content-Type"), "size_bytes": strconv.Itoa(len(text)), "sys_created_by": names[Bot], "sys_created_on": s.stamp(), "text": string(text),
	}
	s.files = append(s.files, f)
	s.touch(s.records[at])
	return metadata(f), http.StatusCreated, nil
}

// metadata is a file without what is in it.
func metadata(f object) object {
	told := maps.Clone(f)
	delete(told, "text")
	return told
}

// Files are what a record has, by their names.
func (s *Server) Files(number string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, rec := range s.records {
		for _, f := range s.files {
			if rec.Columns["number"] == number && f["table_sys_id"] == rec.Columns["sys_id"] {
				all[text(f["file_name"])+"/"+text(f["sys_id"])] = text(f["text"])
			}
		}
	}
	return all
}
