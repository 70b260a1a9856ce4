package gitlab

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Issues are copies of all there are, the oldest first.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Issue
	for _, i := range s.issues {
		all = append(all, *i)
	}
	return all
}

// Wrongs is what a real GitLab would not complain about, and people would.
func (s *Server) Wrongs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrongs)
}

// Written is how often we changed a state, a severity or an assignee.
func (s *Server) Written() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ours
}

// Deliveries takes the webhooks that wait to be sent.
func (s *Server) Deliveries() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all
}

func (s *Server) deliver(e object) {
	b, err := json.Marshal(e)
	if err != nil {
		panic("fake gitlab: " + err.Error())
	}
	s.queue = append(s.queue, b)
}

// by does something in somebody's name, and sends the webhook.
func (s *Server) by(who, iid int, do func(i *Issue)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[iid-1]
	do(i)
	s.touch(i)
	s.deliver(object{
		"object_kind": "issue", "event_type": "issue", "user": s.user(who), "project": object{"id": 5, "path_with_namespace": Project},
		"object_attributes": object{"id": 1000 + iid, "iid": iid, "title": i.Title, "state": i.State, "action": "update"},
	})
}

// SetState is a person who closes or reopens an issue.
func (s *Server) SetState(who, iid int, to string) {
	s.by(who, iid, func(i *Issue) { s.state(i, who, to) })
}

// Label is a person who changes labels.
func (s *Server) Label(who, iid int, on, off []string) {
	s.by(who, iid, func(i *Issue) { s.relabel(i, who, on, off) })
}

// Assign is a person who does that.
func (s *Server) Assign(who, iid, to int) {
	s.by(who, iid, func(i *Issue) { s.assign(i, who, to) })
}

// Describe is a person who adds to a description.
func (s *Server) Describe(who, iid int, more string) {
	s.by(who, iid, func(i *Issue) { i.Description += more })
}

// Say is a person who comments.
func (s *Server) Say(who, iid int, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.say(s.issues[iid-1], who, words)
	s.deliver(object{
		"object_kind": "note", "event_type": "note", "user": s.user(who), "project": object{"id": 5, "path_with_namespace": Project},
		"object_attributes": object{"id": n.ID, "note": words, "noteable_type": "Issue"}, "issue": object{"id": 1000 + iid, "iid": iid},
	})
}

// Copy is a person who makes an issue with the same text and labels.
func (s *Server) Copy(who, iid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *s.issues[iid-1]
	c.IID, c.Author, c.Notes, c.events, c.Created = len(s.issues)+1, who, nil, map[string][]object{}, s.Now()
	s.issues = append(s.issues, &c)
	s.touch(&c)
}

var (
	command  = regexp.MustCompile(`(?m)^[ \t]*/[a-z_]+`)
	ownMarks = regexp.MustCompile(`(?m)^(### |- )|&(amp|lt|gt);|^Duplicate of #[0-9]+\.`)
	comments = regexp.MustCompile(`<!-- hikeshi[a-zA-Z0-9 -]+ -->`)
	goodLink = regexp.MustCompile(`\[((?:[^\[\]\\]|\\.)*)\]\(([^)]+)\)`)
	escaped  = regexp.MustCompile(`\\[^\\\p{L}\p{N}]`)
	bold     = regexp.MustCompile(`\*\*([^*]*)\*\*`)
	acts     = regexp.MustCompile("[@#!~%$&^]\\p{L}|[#!$&%]\\p{N}|[\\[\\]`*_|]|<[a-zA-Z/!]|[a-z]://")
)

// harmless reads text as GitLab does: after what is preformatted, our own links
// and what is escaped, nothing may be left that acts.
func (s *Server) harmless(where, t string) {
	if c := command.FindString(t); c != "" {
		s.wrong("%s has the quick action %q: %.300q", where, c, t)
	}
	rest := comments.ReplaceAllString(unfenced(t), "")
	if where == "a title" { // no Markdown there
		rest = strings.NewReplacer("[", "", "]", "", "`", "", "*", "", "_", "", "|", "", "<", "").Replace(rest)
	}
	for _, l := range goodLink.FindAllStringSubmatch(rest, -1) {
		if s.Uploads[l[2]] != "" {
			continue
		}
		if u, err := url.Parse(l[2]); err != nil || !slices.Contains(s.Hosts, u.Hostname()) {
			s.wrong("%s links to %s", where, l[2])
		}
	}
	rest = goodLink.ReplaceAllString(rest, "$1")
	rest = bold.ReplaceAllString(escaped.ReplaceAllString(rest, ""), "$1")
	if bad := acts.FindString(ownMarks.ReplaceAllString(rest, "")); bad != "" {
		s.wrong("%s has %q, which acts: %.300q", where, bad, rest)
	}
}

// unfenced is what stands outside the blocks of code, each of which ends with a
// line of as many marks as it began with.
func unfenced(t string) string {
	var out []string
	marks := ""
	for l := range strings.SplitSeq(t, "\n") {
		begin := strings.TrimSuffix(l, "text")
		switch {
		case marks != "":
			if strings.Trim(l, "`") == "" && len(l) >= len(marks) {
				marks = ""
			}
		case len(begin) >= 3 && strings.Trim(begin, "`") == "":
			marks = begin
		default:
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}
