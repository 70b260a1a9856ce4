package servicenow

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// references are the columns that hold a record of another table.
var references = map[string]string{"assigned_to": "sys_user", "parent": "task"}

// show is a row with the fields that were asked for, or all of them, each as it is
// kept, as people see it, or both. Of a reference there is a link besides, unless
// that is not wanted.
func (s *Server) show(row object, r *http.Request) object {
	q := r.URL.Query()
	fields := slices.Sorted(maps.Keys(row))
	if only := q.Get("sysparm_fields"); only != "" {
		fields = strings.Split(only, ",")
	}
	out := object{}
	for _, name := range fields {
		v := text(row[name])
		both := object{"value": v, "display_value": s.shown(name, v)}
		if table := references[name]; table != "" && v != "" && q.Get("sysparm_exclude_reference_link") != "true" {
			both["link"] = "http://" + r.Host + "/api/now/table/" + table + "/" + v
		}
		switch display := q.Get("sysparm_display_value"); {
		case display == "all":
			out[name] = both
		case both["link"] != nil && display == "true":
			delete(both, "value")
			out[name] = both
		case both["link"] != nil:
			delete(both, "display_value")
			out[name] = both
		case display == "true":
			out[name] = both["display_value"]
		default:
			out[name] = v
		}
	}
	return out
}

// shown is a value as people see it.
func (s *Server) shown(column, v string) string {
	switch column {
	case "state":
		return map[string]string{"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed"}[v]
	case "impact", "urgency":
		return map[string]string{"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}[v]
	case "assigned_to":
		return names[v]
	case "parent":
		for _, rec := range s.records {
			if rec.Columns["sys_id"] == v {
				return rec.Columns["number"]
			}
		}
	case "sys_updated_on": // in the account's time zone
		if t, err := time.Parse(seconds, v); err == nil {
			return t.Add(-8 * time.Hour).Format(seconds)
		}
	}
	return v
}
