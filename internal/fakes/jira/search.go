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
	minutes := -1
	if n, err := strconv.Atoi(m[2]); err == nil {
		minutes = n
	}
	found := s.indexed(m[1], minutes)
	from := 0
	if n, ok := in["startAt"].(float64); ok {
		from = int(n)
	} else if n, err := strconv.Atoi(text(in["nextPageToken"])); err == nil {
		from = n
	}
	size := pageOf
	if n, ok := in["maxResults"].(float64); ok {
		size = min(int(n), pageOf)
	}
	page := []any{}
	for n := from; n < min(from+size, len(found)); n++ {
		page = append(page, s.hit(found[n], in["fields"]))
	}
	out := object{"issues": page}
	if s.Flavour == DataCenter {
		out["startAt"], out["maxResults"], out["total"] = from, size, len(found)
		return out, 200, nil
	}
	out["isLast"] = from+size >= len(found)
	if from+size < len(found) {
		out["nextPageToken"] = strconv.Itoa(from + size)
	}
	return out, 200, nil
}

// indexed are the issues of which the index knows that label, and that they were
// updated lately; minutes below zero are any time.
func (s *Server) indexed(label string, minutes int) []*Issue {
	horizon := s.Now().Add(-s.Lag)
	var found []*Issue
	for _, i := range s.order {
		var at *version
		for n := range i.versions {
			if !i.versions[n].at.After(horizon) {
				at = &i.versions[n]
			}
		}
		if at == nil || !slices.Contains(at.labels, label) {
			continue
		}
		if minutes >= 0 && at.at.Before(s.Now().Add(-time.Duration(minutes)*time.Minute)) {
			continue
		}
		found = append(found, i)
	}
	return found
}

// hit is an issue that was found, with the fields that were asked for.
func (s *Server) hit(i *Issue, fields any) object {
	told := s.tell(i, false)
	if fields == nil && s.Flavour == Cloud {
		told = object{"id": told["id"]} // more only for who asks for it
	}
	var names []string
	for _, name := range list(fields) {
		names = append(names, text(name))
	}
	told = asked(told, names)
	if slices.Contains(s.Garbled, i.Key) {
		told["fields"] = "?"
	}
	return told
}
