package backlog

import (
	"context"
	"net/url"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// CreateTask makes a child of the issue. Where there are none (the project has none,
// or the issue is a child itself) it is an issue that begins with the other's key, of
// which Backlog makes a link.
// https://developer.nulab.com/docs/backlog/api/2/add-issue/
func (a *api) CreateTask(ctx context.Context, ticket string, t bot.TicketTask) (string, error) {
	p, err := a.project(ctx)
	if err != nil {
		return "", remote.NotSent(err)
	}
	above, err := a.issue(ctx, ticket, limit.Normal)
	if err != nil {
		return "", remote.NotSent(err)
	}
	text := describe(p, t.Body, t.Marker)
	form, err := a.form(p, "["+t.Incident.String()+"] "+t.Summary, text, incidents.Sev3)
	if err != nil {
		return "", remote.NotSent(err)
	}
	form.Del(parentField)
	if p.subtasks && above.Parent == 0 && above.ID > 0 {
		form.Set(parentField, strconv.Itoa(above.ID))
		key, err := a.post(ctx, form)
		if incidents.CodeOf(err) != incidents.Invalid {
			return key, err
		}
		form.Del(parentField) // what was known of the project is old
	}
	form.Set("description", above.Key+"\n\n"+text)
	return a.post(ctx, form)
}

const parentField = "parentIssueId"

// Tick makes the task done or not.
func (a *api) Tick(ctx context.Context, task string, t bot.TicketTask) (tracker.Ref, error) {
	p, err := a.project(ctx)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := a.issue(ctx, task, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	if to, turn := remote.Turn(p.state(now.Status), t.Done); turn {
		err = a.edit(ctx, task, url.Values{"statusId": {strconv.Itoa(p.status(to))}}, now)
	}
	return a.ref(now), err
}
