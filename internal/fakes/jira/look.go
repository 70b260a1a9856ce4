package jira

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Issues are copies of all there are, the oldest first.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Issue
	for _, i := range s.order {
		c := *i
		c.Remote = maps.Clone(i.Remote)
		all = append(all, c)
	}
	return all
}

// Counts is how often each kind of request came; "written" are changes by us.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Links are the pairs of issues that were linked.
func (s *Server) Links() [][2]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.links)
}

// Wrongs is what a real Jira would not complain about, and people would.
func (s *Server) Wrongs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrongs)
}

// Exchanges are what was asked and said, with Log.
func (s *Server) Exchanges() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.exchanges)
}

// Deliveries takes the webhooks that wait to be sent.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all
}

func (s *Server) deliver(e object) {
	b, err := json.Marshal(e)
	if err != nil {
		panic("fake jira: " + err.Error())
	}
	s.next++
	s.queue = append(s.queue, Delivery{strconv.Itoa(s.next), b})
}

// Move is a person who brings the issue into the status; false where the
// workflow does not lead there.
func (s *Server) Move(who, key, to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[key]
	for _, w := range s.ways() {
		if (w.from == "" || w.from == i.Status) && w.to != i.Status && statuses[w.to][0] == to {
			return s.transit(i, object{"transition": object{"id": w.id}, "fields": object{"resolution": object{"name": "Done"}}}, who) == nil
		}
	}
	return false
}

// SetPriority is a person who does that.
func (s *Server) SetPriority(who, key, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.issues[key]; i.Priority != to {
		before := i.Priority
		i.Priority = to
		s.changed(i, who, "priority", before, to)
	}
}

// SetAssignee is a person who does that.
func (s *Server) SetAssignee(who, key, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.issues[key]; i.Assignee != to {
		before := i.Assignee
		i.Assignee = to
		s.changed(i, who, "assignee", before, to)
	}
}

// Say is a person who comments.
func (s *Server) Say(who, key, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[key]
	s.next++
	c := &Comment{ID: strconv.Itoa(s.next), Body: words, Author: who, Created: s.Now(), Updated: s.Now()}
	i.Comments = append(i.Comments, c)
	s.touched(i)
	s.deliver(object{"webhookEvent": "comment_created", "timestamp": s.Now().UnixMilli(), "comment": s.said(c, false), "issue": s.tell(i, false)})
}

// Describe is a person who adds to a description.
func (s *Server) Describe(key, more string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues[key].Description += more
	s.touched(s.issues[key])
}

// Clone is a person who copies an issue: labels go with it, properties do not.
func (s *Server) Clone(who, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *s.issues[key]
	s.next++
	c.ID, c.Key, c.Creator = strconv.Itoa(s.next), Project+"-"+strconv.Itoa(s.next-10000), who
	c.Properties, c.Remote, c.Comments, c.histories, c.versions = object{}, map[string]object{}, nil, nil, nil
	c.Created = s.Now()
	s.issues[c.Key] = &c
	s.order = append(s.order, &c)
	s.touched(&c)
	return c.Key
}

// Delete removes an issue.
func (s *Server) Delete(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order = slices.DeleteFunc(s.order, func(i *Issue) bool { return i.Key == key })
	delete(s.issues, key)
}

// CategoryOf is the category of a status.
func CategoryOf(id string) string { return statuses[id][1] }

var (
	preformatted = regexp.MustCompile(`(?s)\{noformat\}\n.*?\n\{noformat\}\n`)
	goodLink     = regexp.MustCompile(`\[((?:[^\[\]|\\]|\\.)*)\|([^\]|]+)\]`)
	escaped      = regexp.MustCompile(`\\[^\\\p{L}\p{N}]`)
	acts         = regexp.MustCompile(`[{}\[\]!|@]|\\\\|~|\?\?|<|(?m)^(bq|h[12456])\.`)
)

// leads says whether a link may go there.
func (s *Server) leads(u *url.URL) bool {
	if slices.Contains(s.Hosts, "*") {
		return (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	}
	return slices.Contains(s.Hosts, u.Hostname())
}

// harmless reads text as Jira's renderer does: after what is preformatted, our
// own links and what is escaped, nothing may be left that acts.
func (s *Server) harmless(where, t string) {
	rest := preformatted.ReplaceAllString(t, "")
	for _, l := range goodLink.FindAllStringSubmatch(rest, -1) {
		if u, err := url.Parse(l[2]); err != nil || !s.leads(u) {
			s.wrong("%s links to %s", where, l[2])
		}
	}
	rest = goodLink.ReplaceAllString(rest, "")
	rest = escaped.ReplaceAllString(rest, "")
	if bad := acts.FindString(strings.ReplaceAll(rest, "<", "")); bad != "" {
		s.wrong("%s has %q, which acts: %.300q", where, bad, t)
	}
}

// Changed is how many entries the histories of all issues have by somebody.
func (s *Server) Changed(who string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, i := range s.order {
		for _, h := range i.histories {
			if u := obj(h["author"]); text(u["displayName"]) == text(obj(s.user(who))["displayName"]) {
				n++
			}
		}
	}
	return n
}
