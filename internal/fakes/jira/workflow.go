package jira

import (
	"slices"
	"strconv"
)

// statuses of the project: name and category.
var statuses = map[string][2]string{
	"10": {"To Do", "new"}, "11": {"In Progress", "indeterminate"}, "12": {"In Review", "indeterminate"}, "13": {"Closed", "done"},
}

// way is a transition.
type way struct {
	id, name, from, to string // from "" is everywhere
	resolution         bool   // is wanted
}

// ways are the workflow: with short cuts, or step by step.
func (s *Server) ways() []way {
	if s.Linear {
		return []way{
			{"1", "Start", "10", "11", false}, {"2", "Review", "11", "12", false}, {"3", "Close Issue", "12", "13", true},
			{"4", "Reopen", "13", "11", false}, {"5", "Back", "11", "10", false}, {"6", "Rework", "12", "11", false},
		}
	}
	return []way{
		{"21", "To Do", "", "10", false}, {"31", "Start", "", "11", false}, {"41", "Review", "11", "12", false}, {"51", "Done", "", "13", true},
	}
}

// resolutions are those of the project.
var resolutions = []object{{"id": "1", "name": "Won't Do"}, {"id": "2", "name": "Done"}}

func (s *Server) status(id string) object {
	st := statuses[id]
	n := map[string]int{"new": 2, "indeterminate": 4, "done": 3}[st[1]]
	return object{"id": id, "name": st[0], "statusCategory": object{"id": n, "key": st[1], "name": st[0]}}
}

// transitions are the ways from where the issue is, and what each wants only for who
// asks for that.
func (s *Server) transitions(i *Issue, fields bool) []any {
	all := []any{}
	for _, w := range s.ways() {
		if w.from != "" && w.from != i.Status || w.to == i.Status {
			continue
		}
		t := object{"id": w.id, "name": w.name, "to": s.status(w.to)}
		if fields {
			t["fields"] = object{}
		}
		if fields && s.Stuck {
			t["fields"] = object{"customfield_10020": object{"required": true, "hasDefaultValue": false, "key": "customfield_10020", "name": "Root cause", "operations": []any{"set"}, "schema": object{"type": "string"}}}
		}
		if fields && w.resolution && !s.Stuck {
			t["fields"] = object{"resolution": object{
				"required": true, "hasDefaultValue": false, "key": "resolution", "name": "Resolution",
				"operations": []any{"set"}, "schema": object{"type": "resolution"},
				"allowedValues": resolutions,
			}}
		}
		all = append(all, t)
	}
	return all
}

func (s *Server) transit(i *Issue, in object, who string) *refusal {
	id := text(obj(in["transition"])["id"])
	n := slices.IndexFunc(s.ways(), func(w way) bool { return w.id == id && (w.from == "" || w.from == i.Status) && w.to != i.Status })
	if n < 0 {
		return deny(400, "It seems that you have tried to perform a workflow operation ("+id+") that is not valid for the current state of this issue.")
	}
	w := s.ways()[n]
	resolution, given := "", obj(obj(in["fields"])["resolution"])
	for _, r := range resolutions {
		if given["name"] == r["name"] || given["id"] == r["id"] {
			resolution = text(r["name"])
		}
	}
	if w.resolution && resolution == "" {
		return invalid("resolution", "Resolution is required.")
	}
	before := i.Status
	i.Status, i.Resolution = w.to, resolution
	if who == Bot {
		s.counts["written"]++
	}
	s.changed(i, who, "status", statuses[before][0], statuses[w.to][0])
	return nil
}

// changed notes a change in the issue's history and sends the webhook.
func (s *Server) changed(i *Issue, who, field, from, to string) {
	s.next++
	items := []any{object{"field": field, "fieldtype": "jira", "fieldId": field, "from": from, "fromString": from, "to": to, "toString": to}}
	i.histories = append(i.histories, object{"id": strconv.Itoa(s.next), "author": s.user(who), "created": stamp(s.Now()), "items": items})
	s.touched(i)
	s.deliver(object{
		"webhookEvent": "jira:issue_updated", "timestamp": s.Now().UnixMilli(), "user": s.user(who), "issue": s.tell(i, false),
		"changelog": object{"id": strconv.Itoa(s.next), "items": items},
	})
}
