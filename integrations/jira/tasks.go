package jira

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

var _ tracker.Tasker = (*Tracker)(nil)

// defaultRelates is the kind of link between a ticket and a task of it.
const defaultRelates = "Relates"

// Task makes a sub-task of the issue, where its project has such a type, else an
// issue of the project's usual type that is linked to it; once, as Open. Then it
// is done, or not, as t says.
func (k *Tracker) Task(ctx context.Context, key string, t bot.TicketTask) (tracker.Ref, error) {
	task, err := k.task(ctx, key, t)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := k.issue(ctx, task, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	is, want := now.Fields.Status.Category.Key, category[bot.TicketDone]
	switch {
	case t.Done && is != want:
		err = k.move(ctx, now, want)
	case !t.Done && is == want:
		err = k.move(ctx, now, category[bot.TicketTodo])
	}
	return k.ref(now), err
}

// task is the key of the task, which is made where there is none. What was noted of
// an old one may have been dropped for newer ones: then only its incident and Jira's
// search still know it.
func (k *Tracker) task(ctx context.Context, key string, t bot.TicketTask) (string, error) {
	if t.Key != "" {
		return k.follow(ctx, t.Key, t.Marker)
	}
	in, err := k.find(ctx, t.Marker)
	if err != nil {
		return "", err
	}
	if in.Rev == 0 {
		found, err := k.marked(ctx, t.Marker)
		if err == nil && len(found) > 0 {
			err = k.adopt(ctx, in, found)
		}
		if err != nil {
			return "", err
		}
	}
	if in.Key == "" {
		if err := k.makeTask(ctx, in, key, t); err != nil {
			return "", err
		}
	}
	return in.Key, k.relate(ctx, in)
}

// makeTask makes it a sub-task, and where Jira will have none there (the issue
// is one itself, or of another kind) an issue to be linked.
func (k *Tracker) makeTask(ctx context.Context, in *intent, key string, t bot.TicketTask) error {
	project, _, _ := strings.Cut(key, "-")
	types, err := k.types(ctx, project)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(types, func(t issueType) bool { return t.Subtask }); i >= 0 {
		body := k.newTask(t, project, map[string]any{"id": types[i].ID})
		body.Fields["parent"] = map[string]any{"key": key}
		err := k.attempt(ctx, in, func() (string, error) { return k.post(ctx, body, optional(k.config, body)...) })
		if !k.noChild(err) {
			return err
		}
	}
	in.Link = key
	body := k.newTask(t, k.config.Project, map[string]any{"name": k.config.Type})
	return k.attempt(ctx, in, func() (string, error) { return k.post(ctx, body, optional(k.config, body)...) })
}

// noChild says that Jira refuses the issue because of what it would stand below.
func (k *Tracker) noChild(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status == http.StatusBadRequest && (r.fields["parent"] != "" || r.fields["parentId"] != "" || r.fields["issuetype"] != "")
}

func (k *Tracker) newTask(t bot.TicketTask, project string, kind any) update {
	f := map[string]any{}
	maps.Copy(f, k.config.Fields)
	f["project"], f["issuetype"] = map[string]any{"key": project}, kind
	f["summary"], f["description"] = bot.Line("["+t.Incident.String()+"] "+t.Summary, maxSummary), strings.TrimSpace(strings.TrimSuffix(describe(t.Body), ends))
	f["labels"] = append([]string{commonLabel, t.Marker}, k.config.Labels...)
	return update{Fields: f, Properties: []property{k.property(map[string]any{"incident": t.Incident.String(), "marker": t.Marker})}}
}

// optional are the fields that a task can do without: those of the configuration
// are meant for tickets, and may be on no screen of tasks.
func optional(c Config, body update) []string {
	all := slices.Collect(maps.Keys(c.Fields))
	return slices.DeleteFunc(append(all, "description"), func(id string) bool { _, sent := body.Fields[id]; return !sent })
}

// relate links a task that is no sub-task to its ticket. Jira takes the same link
// twice for one, so that whoever is interrupted does it again.
func (k *Tracker) relate(ctx context.Context, in *intent) error {
	if in.Link == "" {
		return nil
	}
	body := map[string]any{
		"type": named{Name: k.config.Relates}, "inwardIssue": map[string]any{"key": in.Key}, "outwardIssue": map[string]any{"key": in.Link},
	}
	failpoint.Hit("jira.task.made")
	err := k.client.do(ctx, ask{method: http.MethodPost, path: "issueLink", body: body, key: in.Key}, nil)
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden:
		k.log.Error("a follow-up could not be linked to its ticket; its text names the incident", "tracker", k.config.Name, "task", in.Key, "ticket", in.Link, "error", err)
	default:
		if err != nil {
			return err
		}
	}
	in.Link = ""
	return k.note(ctx, in)
}

// issueType is one of a project's.
type issueType struct {
	named
	Subtask bool `json:"subtask"`
}

// types are the kinds of issues that can be made in a project.
func (k *Tracker) types(ctx context.Context, project string) ([]issueType, error) {
	var page struct {
		Types  []issueType `json:"issueTypes"` // Cloud
		Values []issueType `json:"values"`     // Data Center
	}
	q := url.Values{"maxResults": {"100"}}
	err := k.client.do(ctx, ask{method: http.MethodGet, path: "issue/createmeta/" + esc(project) + "/issuetypes", query: q}, &page)
	return append(page.Types, page.Values...), err
}
