package backlog

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// change is what differs in an issue; what is zero does not.
type change struct{ status, priority, assignee int }

func (s *Server) edit(i *Issue, form url.Values) (any, int, *refusal) {
	var c change
	for k, v := range form {
		n, err := strconv.Atoi(v[0])
		switch k {
		case "summary":
			if v[0] == "" || utf8.RuneCountInString(v[0]) > 255 {
				return nil, 0, invalid(k)
			}
		case "description", "comment":
		case "attachmentId[]":
			if !s.mayGive(v) {
				return nil, 0, invalid("attachmentId")
			}
		case "statusId":
			if c.status = n; err != nil || statuses[n] == "" {
				return nil, 0, invalid(k)
			}
		case "priorityId":
			if c.priority = n; err != nil || priorities[n] == "" {
				return nil, 0, invalid(k)
			}
		case "assigneeId":
			if c.assignee = n; err != nil || people[n] == "" {
				return nil, 0, invalid(k)
			}
		case "resolutionId":
			if err != nil || resolutions[n] == "" {
				return nil, 0, invalid(k)
			}
		default:
			return nil, 0, invalid(k)
		}
	}
	if form.Has("summary") {
		i.Summary = form.Get("summary")
	}
	if form.Has("resolutionId") {
		i.Resolution, _ = strconv.Atoi(form.Get("resolutionId"))
		i.resolved = true
	}
	if form.Has("description") {
		i.Description = form.Get("description")
		s.harmless("a description", i.Description)
	}
	s.give(i, form["attachmentId[]"])
	if c != (change{}) {
		s.ours++
	}
	s.apply(i, Bot, c, form.Get("comment"))
	i.Updated = s.Now()
	return s.tell(i), 200, nil
}

// apply changes an issue and notes it as Backlog does, in a comment.
func (s *Server) apply(i *Issue, who int, c change, words string) {
	var log []object
	note := func(field string, to int, now *int, names map[int]string) {
		if to != 0 && to != *now {
			log = append(log, object{"field": field, "originalValue": names[*now], "newValue": names[to]})
			*now = to
		}
	}
	note("status", c.status, &i.Status, statuses)
	note("priority", c.priority, &i.Priority, priorities)
	note("assigner", c.assignee, &i.Assignee, people)
	if len(log) > 0 || words != "" {
		s.say(i, who, words, log)
	}
}

func (s *Server) say(i *Issue, who int, words string, log []object) *Comment {
	s.next++
	if log == nil {
		log = []object{}
	}
	c := &Comment{ID: s.next, Author: who, Content: words, Created: s.Now(), changes: log}
	i.Comments = append(i.Comments, c)
	i.Updated = s.Now()
	return c
}

var known = []string{"projectId[]", "createdUserId[]", "keyword", "statusId[]", "sort", "order", "count", "offset"}

// list answers from the index, which knows an issue after Lag.
func (s *Server) list(q url.Values) (any, int, *refusal) {
	for k := range q {
		if !slices.Contains(known, k) {
			s.wrong("no such parameter: %s", k)
		}
	}
	var found []*Issue
	for _, i := range s.issues {
		if p := q["projectId[]"]; len(p) > 0 && !slices.Contains(p, "1") {
			break
		}
		if of := q["statusId[]"]; len(of) > 0 && !slices.Contains(of, strconv.Itoa(i.Status)) {
			continue
		}
		late := s.Lag > 0 && i.Created.After(s.Now().Add(-s.Lag))
		who := q.Get("createdUserId[]")
		if late || who != "" && who != strconv.Itoa(i.Author) || !strings.Contains(i.Summary+i.Description, q.Get("keyword")) {
			continue
		}
		found = append(found, i)
	}
	slices.SortStableFunc(found, func(a, b *Issue) int {
		if q.Get("sort") == "updated" {
			return a.Updated.Compare(b.Updated)
		}
		return a.Created.Compare(b.Created)
	})
	if q.Get("order") != "asc" {
		slices.Reverse(found)
	}
	from, _ := strconv.Atoi(q.Get("offset"))
	all := []any{}
	for _, i := range found[min(from, len(found)):min(from+count(q), len(found))] {
		all = append(all, s.tell(i))
	}
	return all, 200, nil
}

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

// Wrongs is what a real Backlog would not complain about, and people would.
func (s *Server) Wrongs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrongs)
}

// Written is how often we changed a state, a priority or an assignee.
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

// Change is a person who changes what is not zero, and says something where
// words are.
func (s *Server) Change(who, number, status, priority, assignee int, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[number-1]
	s.apply(i, who, change{status, priority, assignee}, words)
	kind := 2
	if words != "" {
		kind = 3
	}
	b, err := json.Marshal(object{
		"id": 1, "type": kind, "created": stamp(s.Now()), "createdUser": s.user(who), "project": object{"id": 1, "projectKey": Project, "name": "運用"},
		"content": object{"id": 1000 + number, "key_id": number, "summary": i.Summary, "description": i.Description},
	})
	if err != nil {
		panic("fake backlog: " + err.Error())
	}
	s.queue = append(s.queue, b)
}

// Describe is a person who adds to a description.
func (s *Server) Describe(number int, more string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues[number-1].Description += more
	s.issues[number-1].Updated = s.Now()
}

// Copy is a person who makes an issue with the same text.
func (s *Server) Copy(who, number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := *s.issues[number-1]
	c.Number, c.Author, c.Comments, c.Created, c.Updated = len(s.issues)+1, who, nil, s.Now(), s.Now()
	s.issues = append(s.issues, &c)
}

var (
	codes    = regexp.MustCompile(`(?s)\{code\}\n.*?\n\{/code\}\n`)
	ownLink  = regexp.MustCompile(`\[\[([^\[\]>]*)>(https?://[^\]]+)\]\]`)
	boldWord = regexp.MustCompile(`''([^']*)''`)
	acts     = regexp.MustCompile(`\{/?(code|quote)|\[\[|''|%%|&(br|color)|#(image|thumbnail|attach|contents)|[a-z]://|<@|(?m)^(\*|>|\||\+ |={3}|-{3})`)
)

// harmless reads text as Backlog does, in its own notation: after what is
// preformatted and our own links, nothing may be left that acts.
func (s *Server) harmless(where, t string) {
	if s.Markdown {
		return // GitLab's fake reads the same words
	}
	rest := codes.ReplaceAllString(t, "")
	for _, l := range ownLink.FindAllStringSubmatch(rest, -1) {
		if u, err := url.Parse(l[2]); err != nil || !slices.Contains(s.Hosts, u.Hostname()) {
			s.wrong("%s links to %s", where, l[2])
		}
	}
	rest = boldWord.ReplaceAllString(ownLink.ReplaceAllString(rest, ""), "$1")
	rest = regexp.MustCompile(`(?m)^\*\* `).ReplaceAllString(rest, "")
	if bad := acts.FindString(rest); bad != "" {
		s.wrong("%s has %q, which acts: %.300q", where, bad, rest)
	}
}
