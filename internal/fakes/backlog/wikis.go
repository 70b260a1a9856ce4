package backlog

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Wiki is a page.
type Wiki struct {
	ID, ProjectID int // ours is project 1
	Name, Content string
	Updated       time.Time
}

// listWikis answers without what the pages say.
func (s *Server) listWikis(q url.Values) (any, int, *refusal) {
	if p := q.Get("projectIdOrKey"); p != Project && p != "1" {
		return nil, 0, nothing("project")
	}
	all := []any{}
	for i := range s.Wikis {
		if s.Wikis[i].ProjectID == 1 && strings.Contains(s.Wikis[i].Name+s.Wikis[i].Content, q.Get("keyword")) {
			all = append(all, s.page(&s.Wikis[i]))
		}
	}
	return all, 200, nil
}

// wiki is a page of any project that our account may see.
func (s *Server) wiki(id string) (any, int, *refusal) {
	for i := range s.Wikis {
		if w := &s.Wikis[i]; strconv.Itoa(w.ID) == id {
			told := s.page(w)
			told["content"], told["attachments"], told["sharedFiles"], told["stars"] = w.Content, []any{}, []any{}, []any{}
			return told, 200, nil
		}
	}
	return nil, 0, nothing("wiki page")
}

func (s *Server) page(w *Wiki) object {
	return object{
		"id": w.ID, "projectId": w.ProjectID, "name": w.Name, "tags": []any{},
		"createdUser": s.user(Bea), "created": stamp(w.Updated), "updatedUser": s.user(Bea), "updated": stamp(w.Updated),
	}
}
