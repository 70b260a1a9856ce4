package jira

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// rights are the permissions that the account needs in the project.
var rights = []string{
	"BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "RESOLVE_ISSUES", "ASSIGN_ISSUES", "LINK_ISSUES", "CREATE_ATTACHMENTS",
}

// permissions asks Jira what the account may do there.
func (x *examination) permissions(ctx context.Context) {
	c := &x.k.config
	q := url.Values{"projectKey": {c.Project}}
	if c.Flavour == Cloud { // wants to be told which; Data Center tells all
		q.Set("permissions", strings.Join(rights, ","))
	}
	var mine struct {
		Permissions map[string]struct {
			Name string `json:"name"`
			Have bool   `json:"havePermission"`
		} `json:"permissions"`
	}
	if err := x.k.client.do(ctx, ask{method: http.MethodGet, path: "mypermissions", query: q}, &mine); err != nil {
		x.refused(err, "jira.doctor.do.token")
		return
	}
	var missing []string
	for _, key := range rights {
		if p, told := mine.Permissions[key]; !told || !p.Have {
			name := p.Name
			if name == "" {
				name = key
			}
			missing = append(missing, bot.Line(name, 60))
		}
	}
	if len(missing) > 0 {
		x.bad("jira.doctor.permissions", "jira.doctor.do.permissions", "missing", strings.Join(missing, ", "), "project", c.Project)
		return
	}
	x.good("jira.doctor.permitted")
}

// workflow looks whether a ticket can be moved: one of ours, where there is one,
// else whether the type has statuses of each category.
func (x *examination) workflow(ctx context.Context) {
	c := &x.k.config
	found, err := x.k.search(ctx, "labels = "+quote(commonLabel), 1, limit.Normal)
	if err != nil {
		x.refused(err, "jira.doctor.do.project", "project", c.Project)
		return
	}
	i := slices.IndexFunc(found, func(i issue) bool { return strings.HasPrefix(i.Key, c.Project+"-") && !i.broken })
	if i < 0 {
		x.statuses(ctx)
		return
	}
	now := &found[i]
	want := bot.TicketDone
	if now.Fields.Status.Category.Key == category[want] {
		want = bot.TicketDoing // it would be reopened
	}
	ways, err := x.k.transitions(ctx, now.Key)
	if err != nil {
		x.refused(err, "jira.doctor.do.project", "project", c.Project)
		return
	}
	args := []string{"ticket", now.Key, "status", bot.Line(now.Fields.Status.Name, 60), "offered", offered(ways), "want", category[want]}
	way, ok := x.k.choose(ways, category[want], []string{now.Fields.Status.ID})
	if !ok {
		x.bad("jira.doctor.no_way", "jira.doctor.do.no_way", append(args, "blocked", x.blocked(ways))...)
		return
	}
	x.good("jira.doctor.way", append(args, "way", bot.Line(way.Name, 60))...)
}

// blocked are the ways that want a field which we do not fill.
func (x *examination) blocked(ways []transition) string {
	var names []string
	for _, w := range ways {
		if x.k.fillable(w) {
			continue
		}
		for id, f := range w.Fields {
			if f.Required && !f.HasDefault {
				names = append(names, bot.Line(w.Name, 40)+" ("+bot.Line(id, 40)+")")
			}
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

func (x *examination) statuses(ctx context.Context) {
	c := &x.k.config
	var types []struct {
		Name     string   `json:"name"`
		Statuses []status `json:"statuses"`
	}
	if err := x.k.client.do(ctx, ask{method: http.MethodGet, path: "project/" + esc(c.Project) + "/statuses"}, &types); err != nil {
		x.refused(err, "jira.doctor.do.project", "project", c.Project)
		return
	}
	var names, missing []string
	have := map[string]bool{}
	for _, t := range types {
		if !strings.EqualFold(t.Name, c.Type) {
			continue
		}
		for _, s := range t.Statuses {
			have[s.Category.Key] = true
			names = append(names, bot.Line(s.Name, 40))
		}
	}
	for _, state := range []bot.TicketState{bot.TicketTodo, bot.TicketDoing, bot.TicketDone} {
		if !have[category[state]] {
			missing = append(missing, category[state])
		}
	}
	if len(missing) > 0 {
		x.bad("jira.doctor.statuses", "jira.doctor.do.statuses", "missing", strings.Join(missing, ", "), "type", c.Type)
		return
	}
	x.good("jira.doctor.status", "statuses", strings.Join(names, ", "))
}
