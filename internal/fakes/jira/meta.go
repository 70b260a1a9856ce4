package jira

import (
	"maps"
	"net/url"
	"slices"
)

// The ids of what the project has.
const (
	projectID   = "10000"
	typeID      = "10002"
	subtaskID   = "10003"
	subtaskType = "Sub-task"
)

func project() object { return object{"id": projectID, "key": Project, "name": "Operations"} }

func kindOf(i *Issue) object {
	if i.Parent != "" {
		return object{"id": subtaskID, "name": subtaskType, "subtask": true}
	}
	return object{"id": typeID, "name": Type, "subtask": false}
}

// createmeta is what can be set when an issue is created.
func (s *Server) createmeta(parts []string, q url.Values) (any, int, *refusal) {
	if parts[2] != Project {
		return nil, 0, deny(400, "Project is not found or you don't have permissions to view it.")
	}
	if len(parts) == 4 {
		types := []any{object{"id": "10001", "name": "Task", "subtask": false}, object{"id": typeID, "name": Type, "subtask": false}}
		if s.Subtasks {
			types = append(types, object{"id": subtaskID, "name": subtaskType, "subtask": true})
		}
		return s.metaPage("issueTypes", types, q), 200, nil
	}
	sub := s.Subtasks && parts[4] == subtaskID
	if parts[4] != typeID && parts[4] != "10001" && !sub {
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
	if sub {
		add(field("parent", "Parent", true))
	}
	add(field("description", "Description", false))
	add(field("labels", "Labels", false))
	add(field("components", "Components", false, object{"id": "1", "name": "Web"}))
	var ps []any
	for i, p := range Priorities {
		ps = append(ps, object{"id": string(rune('1' + i)), "name": p})
	}
	add(field("priority", "Priority", false, ps...))
	for _, id := range slices.Sorted(maps.Keys(s.Required)) {
		add(field(id, s.Required[id], true))
	}
	return s.metaPage("fields", all, q), 200, nil
}

// metaPage is a page in the flavour's words.
func (s *Server) metaPage(name string, all []any, q url.Values) object {
	if s.Flavour == DataCenter {
		name = "values"
	}
	from, most, some := page(all, q, 50)
	return object{"maxResults": most, "startAt": from, "total": len(all), name: some}
}
