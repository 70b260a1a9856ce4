package jira

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Priorities are those of the project; the first has the id 1.
var Priorities = []string{"Highest", "High", "Medium", "Low", "Lowest"}

// priorityOf is the one that is meant by its name or its id, or "".
func priorityOf(v object) string {
	for n, name := range Priorities {
		if text(v["name"]) == name || text(v["id"]) == strconv.Itoa(n+1) {
			return name
		}
	}
	return ""
}

func (s *Server) create(in object) (any, int, *refusal) {
	f := obj(in["fields"])
	for k := range in {
		if k != "fields" && k != "update" && k != "properties" {
			return nil, 0, deny(400, "Unrecognized field \""+k+"\"")
		}
	}
	errs := object{}
	if p := obj(f["project"]); text(p["key"]) != Project && text(p["id"]) != projectID {
		errs["project"] = "valid project is required"
	}
	kind := obj(f["issuetype"])
	parent := s.find(cmp.Or(text(obj(f["parent"])["key"]), text(obj(f["parent"])["id"])))
	sub := s.Subtasks && (text(kind["id"]) == subtaskID || text(kind["name"]) == subtaskType)
	switch {
	case !sub && text(kind["name"]) != Type && text(kind["id"]) != typeID:
		errs["issuetype"] = "Specify a valid issue type"
	case sub && (parent == nil || parent.Parent != ""):
		errs["parent"] = "Given parent issue does not exist, or cannot have sub-tasks."
	case !sub && f["parent"] != nil:
		errs["parent"] = "Field 'parent' cannot be set. It is not on the appropriate screen, or unknown."
	}
	if text(f["summary"]) == "" {
		errs["summary"] = "You must specify a summary of the issue."
	}
	for id, name := range s.Required {
		if f[id] == nil {
			errs[id] = name + " is required."
		}
	}
	s.next++
	i := &Issue{
		ID: strconv.Itoa(s.next), Key: Project + "-" + strconv.Itoa(s.next-10000), Status: "10", Priority: "Medium", Creator: Bot,
		Fields: object{}, Properties: object{}, Remote: map[string]object{}, Created: s.Now(),
	}
	if sub && parent != nil {
		i.Parent = parent.Key
	}
	if no := s.set(i, f, true); no != nil {
		for k, v := range no.errors {
			errs[k] = v
		}
	}
	if len(errs) > 0 {
		s.next--
		return nil, 0, &refusal{400, []string{}, errs}
	}
	for _, p := range list(in["properties"]) {
		i.Properties[text(obj(p)["key"])] = obj(p)["value"]
	}
	s.issues[i.Key] = i
	s.order = append(s.order, i)
	s.touched(i)
	return object{"id": i.ID, "key": i.Key, "self": "https://jira.example.com/rest/api/2/issue/" + i.ID}, 201, nil
}

// set takes fields over, all or none.
func (s *Server) set(i *Issue, f object, creating bool) *refusal {
	next := *i
	next.Fields = maps.Clone(i.Fields)
	for id, v := range f {
		if slices.Contains(s.Screen, id) {
			return invalid(id, "Field '"+id+"' cannot be set. It is not on the appropriate screen, or unknown.")
		}
		var no *refusal
		switch id {
		case "project", "issuetype", "parent":
			if !creating {
				no = invalid(id, "cannot be changed")
			}
		case "summary":
			next.Summary = text(v)
			if utf8.RuneCountInString(next.Summary) > 255 || strings.ContainsAny(next.Summary, "\r\n") {
				no = invalid(id, "The summary is invalid because it contains newline characters, or is too long.")
			}
		case "description":
			if next.Description, _ = v.(string); utf8.RuneCountInString(next.Description) > 32767 {
				no = invalid(id, "The entered text is too long. It exceeds the allowed limit of 32,767 characters.")
			}
			s.harmless("description", next.Description)
		case "labels":
			next.Labels = nil
			for _, l := range list(v) {
				next.Labels = append(next.Labels, text(l))
			}
			no = goodLabels(next.Labels)
		case "priority":
			if next.Priority = priorityOf(obj(v)); next.Priority == "" {
				no = invalid(id, "The priority selected is invalid.")
			}
		case "components":
			for _, c := range list(v) {
				if text(obj(c)["name"]) != "Web" {
					no = invalid(id, "Component name '"+text(obj(c)["name"])+"' is not valid")
				}
			}
			next.Fields[id] = v
		case "resolution":
			no = invalid(id, "Field 'resolution' cannot be set. It is not on the appropriate screen, or unknown.")
		default:
			if s.Required[id] == "" && !strings.HasPrefix(id, "customfield_") {
				no = invalid(id, "Field '"+id+"' cannot be set. It is not on the appropriate screen, or unknown.")
			}
			next.Fields[id] = v
		}
		if no != nil {
			return no
		}
	}
	*i = next
	return nil
}

func goodLabels(all []string) *refusal {
	for _, l := range all {
		if l == "" || len(l) > 255 || strings.ContainsAny(l, " \t\n") {
			return invalid("labels", "The label '"+l+"' contains spaces which is invalid.")
		}
	}
	return nil
}

func (s *Server) edit(i *Issue, in object) *refusal {
	before := *i
	if no := s.set(i, obj(in["fields"]), false); no != nil {
		return no
	}
	for field, ops := range obj(in["update"]) {
		if field != "labels" {
			return invalid(field, "cannot be set")
		}
		labels := slices.Clone(i.Labels)
		for _, op := range list(ops) {
			for what, l := range obj(op) {
				labels = slices.DeleteFunc(labels, func(x string) bool { return x == text(l) })
				if what == "add" {
					labels = append(labels, text(l))
				}
			}
		}
		if no := goodLabels(labels); no != nil {
			return no
		}
		i.Labels = labels
	}
	if before.Priority != i.Priority {
		s.changed(i, Bot, "priority", before.Priority, i.Priority)
	}
	s.counts["written"]++
	s.touched(i)
	return nil
}

func (s *Server) assign(i *Issue, in object) *refusal {
	who := text(in["name"])
	if s.Flavour == Cloud {
		who, _ = strings.CutPrefix(text(in["accountId"]), "557058:")
		if in["name"] != nil {
			return deny(400, "'accountId' must be the only user identifying query parameter in GDPR strict mode.")
		}
	}
	account, said := in[map[string]string{Cloud: "accountId", DataCenter: "name"}[s.Flavour]]
	nobody := said && account == nil
	if !nobody && who != Joe && who != Bea && who != Bot {
		return invalid("assignee", "User '"+who+"' cannot be assigned issues.")
	}
	before := i.Assignee
	i.Assignee = who
	s.counts["written"]++
	s.changed(i, Bot, "assignee", before, who)
	s.touched(i)
	return nil
}

// touched moves the issue's clock on; the index follows after the lag.
func (s *Server) touched(i *Issue) {
	i.Updated = s.Now()
	i.versions = append(i.versions, version{i.Updated, slices.Clone(i.Labels)})
}

func (s *Server) comments(i *Issue, q url.Values) object {
	all := []any{}
	for n := range i.Comments {
		c := i.Comments[len(i.Comments)-1-n]
		if q.Get("orderBy") != "-created" {
			c = i.Comments[n]
		}
		all = append(all, s.said(c, strings.Contains(q.Get("expand"), "properties")))
	}
	from, most, some := page(all, q, 50)
	return object{"startAt": from, "maxResults": most, "total": len(all), "comments": some}
}

func (s *Server) said(c *Comment, properties bool) object {
	o := object{"id": c.ID, "body": c.Body, "author": s.user(c.Author), "updateAuthor": s.user(c.Author), "created": stamp(c.Created), "updated": stamp(c.Updated)}
	if properties && c.Properties != nil {
		o["properties"] = c.Properties
	}
	return o
}

func (s *Server) comment(i *Issue, in object) (any, int, *refusal) {
	body := text(in["body"])
	if body == "" || utf8.RuneCountInString(body) > 32767 {
		return nil, 0, invalid("comment", "Comment body is empty or too long!")
	}
	s.harmless("comment", body)
	s.next++
	c := &Comment{ID: strconv.Itoa(s.next), Body: body, Author: Bot, Created: s.Now(), Updated: s.Now(), Properties: list(in["properties"])}
	i.Comments = append(i.Comments, c)
	s.counts["written"]++
	s.touched(i)
	s.deliver(object{"webhookEvent": "comment_created", "timestamp": s.Now().UnixMilli(), "comment": s.said(c, false), "issue": s.tell(i, false)})
	return s.said(c, true), 201, nil
}

func (s *Server) remote(i *Issue, in object) (any, int, *refusal) {
	o := obj(in["object"])
	id := text(in["globalId"])
	if text(o["url"]) == "" || text(o["title"]) == "" || len(id) > 255 {
		return nil, 0, invalid("title", "'title' is required.")
	}
	old, had := i.Remote[id]
	n, _ := old["id"].(int)
	if !had {
		s.next++
		n = s.next
	}
	if id == "" {
		id = strconv.Itoa(n) // one more each time
	}
	link := maps.Clone(in)
	link["id"] = n
	i.Remote[id] = link
	status := 201
	if had || s.Flavour == DataCenter {
		status = 200
	}
	return object{"id": n, "self": "https://jira.example.com/rest/api/2/issue/" + i.Key + "/remotelink/" + strconv.Itoa(n)}, status, nil
}

func (s *Server) link(in object) (any, int, *refusal) {
	a, b := text(obj(in["inwardIssue"])["key"]), text(obj(in["outwardIssue"])["key"])
	if kind := text(obj(in["type"])["name"]); kind != "Duplicate" && kind != "Relates" {
		return nil, 0, deny(404, "No issue link type with name '"+text(obj(in["type"])["name"])+"' found.")
	}
	if s.issues[a] == nil || s.issues[b] == nil {
		return nil, 0, deny(404, "Issue does not exist")
	}
	if !slices.Contains(s.links, [2]string{a, b}) {
		s.links = append(s.links, [2]string{a, b})
	}
	return nil, 201, nil
}
