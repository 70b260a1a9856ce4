package jira

import (
	"slices"
	"strings"
)

// permissions are those that are asked for; without words Data Center tells all
// and Cloud refuses.
func (s *Server) permissions(asked string) (any, int, *refusal) {
	keys := strings.Split(asked, ",")
	if asked == "" {
		if s.Flavour == Cloud {
			return nil, 0, deny(400, "The 'permissions' query parameter is required.")
		}
		keys = []string{"BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "RESOLVE_ISSUES", "ASSIGN_ISSUES", "LINK_ISSUES", "CREATE_ATTACHMENTS", "ADMINISTER"}
	}
	all := object{}
	for _, key := range keys {
		name := strings.ReplaceAll(strings.ToLower(key), "_", " ")
		all[key] = object{"id": "1", "key": key, "name": strings.ToUpper(name[:1]) + name[1:], "type": "PROJECT", "description": "", "havePermission": key != "ADMINISTER" && !slices.Contains(s.Denied, key)}
	}
	return object{"permissions": all}, 200, nil
}

func (s *Server) projectStatuses() []any {
	var all []any
	for _, id := range []string{"10", "11", "12", "13"} {
		st := s.status(id)
		if s.NoDone && id == "13" {
			continue
		}
		st["self"] = "https://jira.example.com/rest/api/2/status/" + id
		all = append(all, st)
	}
	self := "https://jira.example.com/rest/api/2/issuetype/" + typeID
	return []any{object{"id": typeID, "self": self, "name": Type, "subtask": false, "statuses": all}}
}
