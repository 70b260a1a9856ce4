package jira

import (
	"net/http"
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
		if parts[1] != Project && parts[1] != projectID {
			return nil, 0, deny(404, "No project could be found with key '"+parts[1]+"'.")
		}
		return project(), 200, nil
	case path == "mypermissions" && r.Method == http.MethodGet:
		return s.permissions(r.URL.Query().Get("permissions"))
	case at == "GET project" && len(parts) == 3 && parts[2] == "statuses" && parts[1] == Project:
		return s.projectStatuses(), 200, nil
	case strings.HasPrefix(path, "issue/createmeta/") && len(parts) >= 4 && parts[3] == "issuetypes" && r.Method == http.MethodGet:
		return s.createmeta(parts, r.URL.Query())
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
		i := s.find(parts[1])
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
		return s.one(i, r.URL.Query()), 200, nil
	case "PUT ":
		no := s.edit(i, in)
		return nil, 204, no
	case "PUT assignee":
		return nil, 204, s.assign(i, in)
	case "GET transitions":
		return object{"expand": "transitions", "transitions": s.transitions(i, strings.Contains(r.URL.Query().Get("expand"), "transitions.fields"))}, 200, nil
	case "POST transitions":
		return nil, 204, s.transit(i, in, Bot)
	case "GET comment":
		return s.comments(i, r.URL.Query()), 200, nil
	case "POST comment":
		return s.comment(i, in)
	case "GET remotelink":
		return s.remotes(i), 200, nil
	case "POST remotelink":
		return s.remote(i, in)
	}
	s.wrong("no such address: %s issue/%s/%s", r.Method, i.Key, rest)
	return nil, 0, deny(404, "null for uri")
}
