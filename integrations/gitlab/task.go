package gitlab

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

var _ remote.Relater = (*api)(nil)

// CreateTask makes an issue of the usual kind, which Relate then links to the
// ticket: what GitLab calls tasks its issues of REST cannot have.
func (a *api) CreateTask(ctx context.Context, _ string, t bot.TicketTask) (string, error) {
	body := a.fields("["+t.Incident.String()+"] "+t.Summary, a.describe(t.Body, t.Marker))
	delete(body, "issue_type") // a follow-up of an incident is none
	return a.post(ctx, body)
}

// Relate links the task to its ticket.
// https://docs.gitlab.com/api/issue_links/
func (a *api) Relate(ctx context.Context, task, ticket string) error {
	now, err := a.issue(ctx, task, limit.Normal)
	if err != nil {
		return err
	}
	iid, err := strconv.ParseInt(strings.TrimPrefix(ticket, "#"), 10, 64)
	if err != nil {
		return a.client.Fail(incidents.NotFound, "error.tracker_not_found", "there is no such issue", "what", bot.Line(ticket, 60))
	}
	body := map[string]any{"target_project_id": now.Project, "target_issue_iid": iid, "link_type": "relates_to"}
	err = a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: a.of(task, "links"), JSON: body}, nil)
	if r, refused := errors.AsType[*remote.Refusal](err); refused && r.Status == http.StatusConflict { // it is linked
		return nil
	}
	return err
}

// Tick closes the task, or opens it again.
func (a *api) Tick(ctx context.Context, task string, t bot.TicketTask) (tracker.Ref, error) {
	now, err := a.issue(ctx, task, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	if to, turn := remote.Turn(a.state(now), t.Done); turn {
		err = a.edit(ctx, task, a.edits(now, bot.Ticket{State: to}, []tracker.Field{tracker.Status}), now)
	}
	return a.ref(now), err
}
