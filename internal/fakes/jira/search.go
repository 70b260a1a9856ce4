package jira

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

var (
	byLabel = regexp.MustCompile(`^labels = "([^"\\]+)"(?: AND updated >= -([0-9]+)m ORDER BY updated ASC)?$`)
	pageOf  = 50
)

// search answers from the index, which knows what was so Lag ago. The issues
// themselves are told as they are.
func (s *Server) search(in object) (any, int, *refusal) {
	m := byLabel.FindStringSubmatch(text(in["jql"]))
	if m == nil {
		s.wrong("jql that nobody expected: %q", in["jql"])
		return nil, 0, deny(400, "Error in the JQL Query.")
	}
	known := map[string]bool{"jql": true, "fields": true, "maxResults": true, "startAt": s.Flavour == DataCenter, "nextPageToken": s.Flavour == Cloud}
	for k := range in {
		if !known[k] {
			return nil, 0, deny(400, "Invalid request payload. Unrecognized field "+k)
		}
	}
	horizon := s.Now().Add(-s.Lag)
	var found []*Issue
	for _, i := range s.order {
		var at *version
		for n := range i.versions {
			if !i.versions[n].at.After(horizon) {
				at = &i.versions[n]
			}
		}
		if at == nil || !slices.Contains(at.labels, m[1]) {
			continue
		}
		if n, err := strconv.Atoi(m[2]); err == nil && at.at.Before(s.Now().Add(-time.Duration(n)*time.Minute)) {
			continue
		}
		found = append(found, i)
	}
	from := 0
	if n, ok := in["startAt"].(float64); ok {
		from = int(n)
	} else if n, err := strconv.Atoi(text(in["nextPageToken"])); err == nil {
		from = n
	}
	page := []any{}
	for n := from; n < min(from+pageOf, len(found)); n++ {
		told := s.tell(found[n], false)
		if slices.Contains(s.Garbled, found[n].Key) {
			told["fields"] = "?"
		}
		page = append(page, told)
	}
	out := object{"issues": page}
	if s.Flavour == DataCenter {
		out["startAt"], out["maxResults"], out["total"] = from, pageOf, len(found)
		return out, 200, nil
	}
	out["isLast"] = from+pageOf >= len(found)
	if from+pageOf < len(found) {
		out["nextPageToken"] = strconv.Itoa(from + pageOf)
	}
	return out, 200, nil
}
