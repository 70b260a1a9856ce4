package jira

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) route(r *http.Request, path string, in object) (any, int, *refusal) {
	parts := strings.Split(path, "/")
	at := r.Method + " " + parts[0]
	switch {
	case path == "myself" && r.Method == http.MethodGet:
		return s.user(Bot), 200, nil
	case path == "serverInfo" && r.Method == http.MethodGet:
		kind := map[string]string{Cloud: "Cloud", DataCenter: "Server"}[s.Flavour]
		return object{"baseUrl": "https://jira.example.com", "deploymentType": kind, "version": "10.3.0", "serverTitle": "Jira"}, 200, nil
	case at == "GET project" && len(parts) == 2:
		if parts[1] != Project {
			return nil, 0, deny(404, "No project could be found with key '"+parts[1]+"'.")
		}
		return object{"id": "10000", "key": Project, "name": "Operations"}, 200, nil
	case path == "mypermissions" && r.Method == http.MethodGet:
		return s.permissions(r.URL.Query().Get("permissions"))
	case at == "GET project" && len(parts) == 3 && parts[2] == "statuses" && parts[1] == Project:
		return s.projectStatuses(), 200, nil
	case strings.HasPrefix(path, "issue/createmeta/") && len(parts) >= 4 && parts[3] == "issuetypes" && r.Method == http.MethodGet:
		return s.createmeta(parts)
	case path == "issue" && r.Method == http.MethodPost:
		return s.create(in)
	case path == "search/jql" && r.Method == http.MethodPost:
		if s.Flavour != Cloud {
			return nil, 0, deny(404, "null for uri: /rest/api/2/search/jql")
		}
		return s.search(in)
	case path == "search":
		if s.Flavour == Cloud {
			return nil, 0, deny(410, "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.")
		}
		if r.Method == http.MethodPost {
			return s.search(in)
		}
	case path == "issueLink" && r.Method == http.MethodPost:
		return s.link(in)
	case parts[0] == "issue" && len(parts) >= 2:
		i := s.issues[parts[1]]
		if i == nil {
			return nil, 0, deny(404, "Issue does not exist or you do not have permission to see it.")
		}
		return s.issueRoute(r, i, strings.Join(parts[2:], "/"), in)
	}
	s.wrong("no such address: %s %s", r.Method, path)
	return nil, 0, deny(404, "null for uri: "+path)
}

func (s *Server) issueRoute(r *http.Request, i *Issue, rest string, in object) (any, int, *refusal) {
	switch r.Method + " " + rest {
	case "GET ":
		return s.tell(i, strings.Contains(r.URL.Query().Get("expand"), "changelog")), 200, nil
	case "PUT ":
		no := s.edit(i, in)
		return nil, 204, no
	case "PUT assignee":
		return nil, 204, s.assign(i, in)
	case "GET transitions":
		return object{"expand": "transitions", "transitions": s.transitions(i)}, 200, nil
	case "POST transitions":
		return nil, 204, s.transit(i, in, Bot)
	case "GET comment":
		return s.comments(i, r.URL.Query()), 200, nil
	case "POST comment":
		return s.comment(i, in)
	case "POST remotelink":
		return s.remote(i, in)
	}
	s.wrong("no such address: %s issue/%s/%s", r.Method, i.Key, rest)
	return nil, 0, deny(404, "null for uri")
}

// createmeta is what can be set when an issue is created.
func (s *Server) createmeta(parts []string) (any, int, *refusal) {
	if parts[2] != Project {
		return nil, 0, deny(400, "Project is not found or you don't have permissions to view it.")
	}
	if len(parts) == 4 {
		types := []any{object{"id": "10001", "name": "Task", "subtask": false}, object{"id": "10002", "name": Type, "subtask": false}}
		if s.Subtasks {
			types = append(types, object{"id": "10003", "name": "Sub-task", "subtask": true})
		}
		return s.metaPage("issueTypes", types), 200, nil
	}
	if parts[4] != "10002" && parts[4] != "10001" {
		return nil, 0, deny(400, "Issue type does not exist.")
	}
	field := func(id, name string, required bool, allowed ...any) object {
		f := object{"fieldId": id, "key": id, "name": name, "required": required, "hasDefaultValue": false, "operations": []any{"set"}, "schema": object{"type": "string"}}
		if len(allowed) > 0 {
			f["allowedValues"] = allowed
		}
		return f
	}
	var all []any
	add := func(f object) {
		if !slices.Contains(s.Screen, text(f["fieldId"])) {
			all = append(all, f)
		}
	}
	add(field("summary", "Summary", true))
	add(field("issuetype", "Issue Type", true))
	add(field("project", "Project", true))
	add(field("description", "Description", false))
	add(field("labels", "Labels", false))
	add(field("components", "Components", false, object{"id": "1", "name": "Web"}))
	var ps []any
	for i, p := range Priorities {
		ps = append(ps, object{"id": string(rune('1' + i)), "name": p})
	}
	add(field("priority", "Priority", false, ps...))
	for id, name := range s.Required {
		add(field(id, name, true))
	}
	return s.metaPage("fields", all), 200, nil
}

// metaPage is a page in the flavour's words.
func (s *Server) metaPage(name string, all []any) object {
	if s.Flavour == DataCenter {
		name = "values"
	}
	return object{"maxResults": 50, "startAt": 0, "total": len(all), name: all}
}
