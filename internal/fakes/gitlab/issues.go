package gitlab

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func split(labels string) []string {
	var all []string
	for l := range strings.SplitSeq(labels, ",") {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

func (s *Server) create(in object) (any, int, *refusal) {
	i := &Issue{IID: len(s.issues) + 1, State: "opened", Author: Bot, Created: s.Now(), Labels: []string{}, Fields: object{}, events: map[string][]object{}}
	for k, v := range in {
		switch k {
		case "title", "description", "labels", "assignee_ids":
		case "confidential", "issue_type", "due_date", "milestone_id", "weight":
			i.Fields[k] = v
		default:
			return nil, 0, &refusal{400, k + " is invalid"}
		}
	}
	i.Title, i.Description = text(in["title"]), text(in["description"])
	if i.Title == "" || utf8.RuneCountInString(i.Title) > 255 {
		return nil, 0, &refusal{400, object{"title": []any{"can't be blank or too long (maximum is 255 characters)"}}}
	}
	s.harmless("a title", i.Title)
	s.harmless("a description", i.Description)
	s.issues = append(s.issues, i)
	i.indexed = s.Now()
	s.relabel(i, Bot, split(text(in["labels"])), nil)
	if no := s.assignTo(i, in); no != nil {
		return nil, 0, no
	}
	s.touch(i)
	return s.tell(i), 201, nil
}

func (s *Server) assignTo(i *Issue, in object) *refusal {
	ids, ok := in["assignee_ids"].([]any)
	if !ok || len(ids) != 1 {
		return nil
	}
	who, _ := ids[0].(float64)
	if names[int(who)] == "" {
		return &refusal{400, object{"assignees": []any{"is invalid"}}}
	}
	s.assign(i, Bot, int(who))
	return nil
}

// touch moves the issue's clock on.
func (s *Server) touch(i *Issue) { i.Updated = s.Now() }

func (s *Server) edit(i *Issue, in object) (any, int, *refusal) {
	if len(in) == 0 {
		return nil, 0, &refusal{400, "at least one parameter must be provided"}
	}
	for k := range in {
		if !slices.Contains([]string{"title", "description", "add_labels", "remove_labels", "state_event", "assignee_ids"}, k) {
			return nil, 0, &refusal{400, k + " is invalid"}
		}
	}
	if v, ok := in["title"]; ok {
		if i.Title = text(v); i.Title == "" || utf8.RuneCountInString(i.Title) > 255 {
			return nil, 0, &refusal{400, object{"title": []any{"is too long (maximum is 255 characters)"}}}
		}
		s.harmless("a title", i.Title)
	}
	if v, ok := in["description"]; ok {
		i.Description = text(v)
		s.harmless("a description", i.Description)
	}
	s.relabel(i, Bot, split(text(in["add_labels"])), split(text(in["remove_labels"])))
	if no := s.assignTo(i, in); no != nil {
		return nil, 0, no
	}
	switch text(in["state_event"]) {
	case "close":
		s.state(i, Bot, "closed")
	case "reopen":
		s.state(i, Bot, "opened")
	}
	for _, k := range []string{"add_labels", "remove_labels", "state_event", "assignee_ids"} {
		if in[k] != nil {
			s.ours++
			break
		}
	}
	s.touch(i)
	return s.tell(i), 200, nil
}

func (s *Server) event(i *Issue, kind string, who int, more object) {
	s.next++
	e := object{"id": s.next, "user": s.user(who), "created_at": stamp(s.Now()), "resource_type": "Issue", "resource_id": 1000 + i.IID}
	for k, v := range more {
		e[k] = v
	}
	i.events[kind] = append(i.events[kind], e)
}

func (s *Server) relabel(i *Issue, who int, on, off []string) {
	for _, l := range off {
		if slices.Contains(i.Labels, l) {
			i.Labels = slices.DeleteFunc(slices.Clone(i.Labels), func(x string) bool { return x == l })
			s.event(i, "label_events", who, object{"action": "remove", "label": object{"id": 1, "name": l}})
		}
	}
	for _, l := range on {
		if !slices.Contains(i.Labels, l) {
			i.Labels = append(slices.Clone(i.Labels), l)
			s.event(i, "label_events", who, object{"action": "add", "label": object{"id": 1, "name": l}})
		}
	}
}

func (s *Server) state(i *Issue, who int, to string) {
	if i.State == to {
		return
	}
	i.State = to
	s.event(i, "state_events", who, object{"state": map[string]string{"closed": "closed", "opened": "reopened"}[to]})
}

func (s *Server) assign(i *Issue, who, to int) {
	if i.Assignee == to {
		return
	}
	body := "assigned to @" + names[to]
	if i.Assignee != 0 {
		body += " and unassigned @" + names[i.Assignee]
	}
	i.Assignee = to
	s.say(i, who, body).System = true
}

func (s *Server) say(i *Issue, who int, body string) *Note {
	s.next++
	n := &Note{ID: s.next, Author: who, Body: body, Created: s.Now(), Updated: s.Now()}
	i.Notes = append(i.Notes, n)
	s.touch(i)
	return n
}

var known = map[string]bool{
	"labels": true, "search": true, "in": true, "author_id": true, "order_by": true, "sort": true, "per_page": true, "page": true,
	"updated_after": true, "state": true, "scope": true, "assignee_id": true,
}

// list answers from the index, which knows an issue after Lag.
func (s *Server) list(w http.ResponseWriter, r *http.Request) (any, int, *refusal) {
	q := r.URL.Query()
	for k := range q {
		if !known[k] {
			s.wrong("no such parameter: %s", k)
		}
	}
	after, _ := time.Parse(time.RFC3339, q.Get("updated_after"))
	var found []*Issue
	for _, i := range s.issues {
		if s.finds(i, q) && !i.Updated.Before(after) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b *Issue) int {
		if q.Get("order_by") == "updated_at" {
			return a.Updated.Compare(b.Updated)
		}
		return a.Created.Compare(b.Created)
	})
	if q.Get("sort") != "asc" {
		slices.Reverse(found)
	}
	all := []any{}
	for _, i := range found {
		all = append(all, s.tell(i))
	}
	return page(w, r, all), 200, nil
}

func (s *Server) finds(i *Issue, q url.Values) bool {
	if i.indexed.After(s.Now().Add(-s.Lag)) && s.Lag > 0 {
		return false
	}
	for _, l := range split(q.Get("labels")) {
		if !slices.Contains(i.Labels, l) {
			return false
		}
	}
	if state := q.Get("state"); state != "" && state != "all" && state != i.State {
		return false
	}
	if who := q.Get("author_id"); who != "" && who != id(i.Author) {
		return false
	}
	return strings.Contains(i.Description, q.Get("search")) || q.Get("in") != "description" && strings.Contains(i.Title, q.Get("search"))
}

// file is one of the default branch, or of the branch "next", where it may be
// another one.
func (s *Server) file(escaped, ref string) (any, int, *refusal) {
	path, err := url.PathUnescape(escaped)
	content, ok := s.Files[path]
	if other, there := s.Files[ref+":"+path]; there {
		content, ok = other, true
	} else if ref != "" && ref != "HEAD" && ref != "main" && ref != "next" {
		return nil, 0, &refusal{404, "404 Commit Not Found"}
	}
	if err != nil || !ok {
		return nil, 0, &refusal{404, "404 File Not Found"}
	}
	return content, 200, nil
}
