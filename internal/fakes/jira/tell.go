package jira

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// find is the issue with that key or id, or nil.
func (s *Server) find(keyOrID string) *Issue {
	if i := s.issues[keyOrID]; i != nil {
		return i
	}
	n := slices.IndexFunc(s.order, func(i *Issue) bool { return i.ID == keyOrID })
	if n < 0 {
		return nil
	}
	return s.order[n]
}

const api = "https://jira.example.com/rest/api/2/"

// tell is all of an issue.
func (s *Server) tell(i *Issue, changelog bool) object {
	f := maps.Clone(i.Fields)
	maps.Copy(f, object{
		"summary": i.Summary, "description": i.Description, "status": s.status(i.Status), "labels": i.Labels,
		"priority": object{"id": strconv.Itoa(slices.Index(Priorities, i.Priority) + 1), "name": i.Priority},
		"project":  project(), "issuetype": kindOf(i), "assignee": s.user(i.Assignee), "creator": s.user(i.Creator),
		"created": stamp(i.Created), "updated": stamp(i.Updated), "resolution": nil,
	})
	if i.Resolution != "" {
		f["resolution"] = resolutions[slices.IndexFunc(resolutions, func(r object) bool { return r["name"] == i.Resolution })]
	}
	if len(i.Files) > 0 {
		f["attachment"] = s.files(i.Files)
	}
	if i.Parent != "" {
		f["parent"] = s.brief(s.issues[i.Parent])
	} else if s.Subtasks {
		below := []any{}
		for _, sub := range s.order {
			if sub.Parent == i.Key {
				below = append(below, s.brief(sub))
			}
		}
		f["subtasks"] = below
	}
	out := object{"id": i.ID, "key": i.Key, "self": api + "issue/" + i.ID, "fields": f}
	if changelog {
		histories := slices.Clone(i.histories)
		slices.Reverse(histories)
		out["changelog"] = object{"startAt": 0, "maxResults": len(histories), "total": len(histories), "histories": histories}
	}
	return out
}

// brief is what other issues tell of an issue; nil where it was deleted.
func (s *Server) brief(i *Issue) any {
	if i == nil {
		return nil
	}
	return object{"id": i.ID, "key": i.Key, "self": api + "issue/" + i.ID, "fields": object{"summary": i.Summary, "status": s.status(i.Status), "issuetype": kindOf(i)}}
}

// asked leaves of an issue that was told the fields that somebody wants.
func asked(told object, fields []string) object {
	if len(fields) == 0 || slices.Contains(fields, "*all") || slices.Contains(fields, "*navigable") {
		return told
	}
	maps.DeleteFunc(obj(told["fields"]), func(id string, _ any) bool { return !slices.Contains(fields, id) })
	return told
}

// one is an issue as it was asked for.
func (s *Server) one(i *Issue, q url.Values) object {
	told := s.tell(i, strings.Contains(q.Get("expand"), "changelog"))
	if names := q.Get("properties"); names != "" {
		told["properties"] = object{}
		for name := range strings.SplitSeq(names, ",") {
			if v, ok := i.Properties[name]; ok {
				obj(told["properties"])[name] = v
			}
		}
	}
	if names := q.Get("fields"); names != "" {
		return asked(told, strings.Split(names, ","))
	}
	return told
}

// remotes are the links that lead elsewhere, the oldest first.
func (s *Server) remotes(i *Issue) []any {
	links := slices.SortedFunc(maps.Values(i.Remote), func(a, b object) int { return a["id"].(int) - b["id"].(int) })
	all := []any{}
	for _, l := range links {
		all = append(all, l)
	}
	return all
}

// page is what of a list is asked for, and at most so much.
func page(all []any, q url.Values, most int) (from, size int, some []any) {
	if n, err := strconv.Atoi(q.Get("maxResults")); err == nil {
		most = max(0, min(n, most))
	}
	if n, err := strconv.Atoi(q.Get("startAt")); err == nil {
		from = max(0, n)
	}
	return from, most, all[min(from, len(all)):min(from+most, len(all))]
}
