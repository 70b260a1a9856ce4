package jira

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// examination gathers what is found.
type examination struct {
	k   *Tracker
	all []tracker.Finding
}

func (x *examination) good(phrase string, args ...string) {
	x.all = append(x.all, tracker.Finding{Good: true, What: incidents.Because(phrase, args...)})
}

func (x *examination) bad(phrase, do string, args ...string) {
	x.all = append(x.all, tracker.Finding{What: incidents.Because(phrase, args...), Do: incidents.Because(do, args...)})
}

// Examine looks at everything that has to be right for tickets to be opened,
// and changes nothing.
func (k *Tracker) Examine(ctx context.Context) []tracker.Finding {
	x := &examination{k: k}
	if x.server(ctx) && x.project(ctx) {
		x.permissions(ctx)
		if x.kind(ctx) {
			x.workflow(ctx)
		}
	}
	if k.Hears() {
		x.good("jira.doctor.hears", "name", k.config.Name)
	} else {
		x.good("jira.doctor.polls", "name", k.config.Name)
	}
	return x.all
}

// said is an error as people read it.
func (x *examination) refused(err error, do string, args ...string) {
	e, ok := asError(err)
	if !ok {
		e = fail("error.jira_unreachable", err.Error(), "error", short(err.Error()))
	}
	x.all = append(x.all, tracker.Finding{What: incidents.Reason{Phrase: e.Phrase, Args: e.Args}, Do: incidents.Because(do, args...)})
}

func (x *examination) server(ctx context.Context) bool {
	var info struct {
		Type    string `json:"deploymentType"`
		Version string `json:"version"`
	}
	c := &x.k.config
	if err := x.k.client.do(ctx, ask{method: http.MethodGet, path: "serverInfo"}, &info); err != nil {
		x.refused(err, "jira.doctor.do.url", "url", c.URL)
		return false
	}
	if cloud := info.Type == "Cloud"; cloud != (c.Flavour == Cloud) {
		x.bad("jira.doctor.flavour", "jira.doctor.do.flavour", "is", bot.Line(info.Type, 40), "flavour", string(c.Flavour))
		return false
	}
	x.good("jira.doctor.server", "url", c.URL, "version", bot.Line(info.Version, 40))
	me, err := x.k.client.me(ctx)
	if err != nil {
		x.refused(err, "jira.doctor.do.token")
		return false
	}
	x.good("jira.doctor.me", "who", bot.Line(me.DisplayName, 80), "account", bot.Line(me.account(), 80))
	return true
}

func (x *examination) project(ctx context.Context) bool {
	var found named
	key := x.k.config.Project
	if err := x.k.client.do(ctx, ask{method: http.MethodGet, path: "project/" + esc(key)}, &found); err != nil {
		x.refused(err, "jira.doctor.do.project", "project", key)
		return false
	}
	x.good("jira.doctor.project", "project", key, "name", bot.Line(found.Name, 80))
	return true
}

// metaPage is a page of create metadata, whatever the flavour calls its list.
type metaPage struct {
	Fields []fieldMeta `json:"fields"`
	Total  int         `json:"total"`
}

func (x *examination) fields(ctx context.Context, kind string) ([]fieldMeta, error) {
	var all []fieldMeta
	for len(all) < 1000 {
		var page struct {
			metaPage
			Values []fieldMeta `json:"values"`
		}
		q := url.Values{"maxResults": {"100"}, "startAt": {strconv.Itoa(len(all))}}
		path := "issue/createmeta/" + esc(x.k.config.Project) + "/issuetypes/" + esc(kind)
		if err := x.k.client.do(ctx, ask{method: http.MethodGet, path: path, query: q}, &page); err != nil {
			return nil, err
		}
		got := append(page.Fields, page.Values...)
		all = append(all, got...)
		if len(got) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
	return all, nil
}

// kind says whether there are issues of the type.
func (x *examination) kind(ctx context.Context) bool {
	c := &x.k.config
	types, err := x.k.types(ctx, c.Project)
	if err != nil {
		x.refused(err, "jira.doctor.do.project", "project", c.Project)
		return false
	}
	i := slices.IndexFunc(types, func(t issueType) bool { return strings.EqualFold(t.Name, c.Type) })
	if i < 0 {
		x.bad("jira.doctor.no_type", "jira.doctor.do.type", "type", c.Type, "types", names(plainTypes(types)))
		return false
	}
	x.good("jira.doctor.type", "type", c.Type)
	if slices.ContainsFunc(types, func(t issueType) bool { return t.Subtask }) {
		x.good("jira.doctor.subtasks")
	} else {
		x.good("jira.doctor.no_subtasks", "type", c.Type)
	}
	fields, err := x.fields(ctx, types[i].ID)
	if err != nil {
		x.refused(err, "jira.doctor.do.project", "project", c.Project)
		return false
	}
	x.required(fields)
	x.priorities(fields)
	return true
}

// required holds what the project wants against what we send.
func (x *examination) required(fields []fieldMeta) {
	sent := x.k.newIssue(bot.Ticket{Marker: "x", Severity: incidents.Sev1}).Fields
	known, missing := map[string]bool{"labels": false}, []string{}
	for _, f := range fields {
		id := f.FieldID
		if id == "" {
			id = f.Key
		}
		known[id] = true
		if _, given := sent[id]; f.Required && !f.HasDefault && !given && id != "reporter" {
			missing = append(missing, bot.Line(f.Name, 60)+" ("+bot.Line(id, 40)+")")
		}
	}
	var unknown []string
	for id := range sent {
		if !known[id] && id != "priority" {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(unknown)
	switch {
	case len(missing) > 0:
		x.bad("jira.doctor.required", "jira.doctor.do.required", "fields", strings.Join(missing, ", "))
	case len(unknown) > 0:
		x.bad("jira.doctor.screen", "jira.doctor.do.screen", "fields", strings.Join(unknown, ", "))
	default:
		x.good("jira.doctor.fields")
	}
}

func (x *examination) priorities(fields []fieldMeta) {
	c := &x.k.config
	i := slices.IndexFunc(fields, func(f fieldMeta) bool { return f.FieldID == "priority" || f.Key == "priority" })
	if len(c.Priorities) == 0 {
		x.good("jira.doctor.no_priorities")
		return
	}
	if i < 0 {
		x.bad("jira.doctor.screen", "jira.doctor.do.screen", "fields", "priority")
		return
	}
	var wrong []string
	for _, p := range c.Priorities {
		if !slices.ContainsFunc(fields[i].Allowed, func(v named) bool { return v.Name == p }) {
			wrong = append(wrong, p)
		}
	}
	if slices.Sort(wrong); len(wrong) > 0 {
		x.bad("jira.doctor.priorities", "jira.doctor.do.priorities", "wrong", strings.Join(wrong, ", "), "known", names(fields[i].Allowed))
		return
	}
	x.good("jira.doctor.priority")
}

func plainTypes(all []issueType) []named {
	var out []named
	for _, t := range all {
		out = append(out, t.named)
	}
	return out
}

func names(all []named) string {
	var out []string
	for _, n := range all {
		out = append(out, bot.Line(n.Name, 60))
	}
	return strings.Join(out, ", ")
}

// Example is a ticket as it would be sent, for people to look at.
func (k *Tracker) Example(t bot.Ticket) any { return k.newIssue(t) }
