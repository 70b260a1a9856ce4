package gitlab

import (
	"fmt"
	"net/http"
	"slices"
)

// link links two issues, once.
// https://docs.gitlab.com/api/issue_links/
func (s *Server) link(i *Issue, in object) (any, int, *refusal) {
	for k := range in {
		if k != "target_project_id" && k != "target_issue_iid" && k != "link_type" {
			return nil, 0, &refusal{400, k + " is invalid"}
		}
	}
	for _, k := range []string{"target_project_id", "target_issue_iid"} {
		if in[k] == nil {
			return nil, 0, &refusal{400, k + " is missing"}
		}
	}
	if s.NoLinks != 0 {
		return nil, 0, &refusal{s.NoLinks, fmt.Sprint(s.NoLinks, " ", http.StatusText(s.NoLinks))}
	}
	if p := in["target_project_id"]; p != float64(5) && p != "5" && p != Project {
		return nil, 0, &refusal{404, "404 Project Not Found"}
	}
	to := slices.IndexFunc(s.issues, func(o *Issue) bool { return fmt.Sprint(in["target_issue_iid"]) == id(o.IID) })
	if to < 0 || s.issues[to] == i {
		return nil, 0, &refusal{404, "No matching issue found. Make sure that you are adding a valid issue URL."}
	}
	if kind := in["link_type"]; kind != nil && kind != "relates_to" && kind != "blocks" && kind != "is_blocked_by" {
		return nil, 0, &refusal{400, "link_type does not have a valid value"}
	}
	pair := [2]int{min(i.IID, s.issues[to].IID), max(i.IID, s.issues[to].IID)}
	if slices.Contains(s.links, pair) {
		return nil, 0, &refusal{409, "Issue(s) already assigned"}
	}
	s.links = append(s.links, pair)
	s.touch(i)
	return object{"source_issue": s.tell(i), "target_issue": s.tell(s.issues[to]), "link_type": "relates_to"}, http.StatusCreated, nil
}

func (s *Server) linked(i *Issue) []any {
	all := []any{}
	for n, l := range s.links {
		for _, other := range s.issues {
			if other != i && slices.Contains(l[:], i.IID) && slices.Contains(l[:], other.IID) {
				told := s.tell(other)
				told["issue_link_id"], told["link_type"] = n+1, "relates_to"
				all = append(all, told)
			}
		}
	}
	return all
}

// Links are the numbers of issues that are linked, the smaller first.
func (s *Server) Links() [][2]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.links)
}
