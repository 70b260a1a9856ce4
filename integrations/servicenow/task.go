package servicenow

import (
	"context"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// CreateTask makes a record of the same table whose parent is the ticket. It is the
// "parent" that all tasks have, and not "parent_incident": that one's children are
// resolved with it, and a follow-up is what is left to do then.
// https://www.servicenow.com/docs/r/washingtondc/it-service-management/incident-management/parent-child-state-sync.html
func (a *api) CreateTask(ctx context.Context, ticket string, t bot.TicketTask) (string, error) {
	above, err := a.record(ctx, ticket, limit.Normal)
	if err != nil {
		return "", remote.NotSent(err)
	}
	body := a.columns("["+t.Incident.String()+"] "+t.Summary, t.Body, t.Marker)
	body["parent"], body["state"] = above.SysID.Value, a.config.Transitions[bot.TicketTodo]
	made, err := a.write(ctx, http.MethodPost, "table/"+a.config.Project, body, limit.Normal)
	if err != nil {
		return "", err
	}
	return made.Number.Value, nil
}

// Tick resolves the task, or opens it again.
func (a *api) Tick(ctx context.Context, task string, t bot.TicketTask) (tracker.Ref, error) {
	now, err := a.record(ctx, task, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	if to, turn := remote.Turn(a.state(now), t.Done); turn {
		as := bot.Ticket{Incident: t.Incident, Summary: t.Summary, State: to}
		err = a.edit(ctx, now, a.edits(now, as, []tracker.Field{tracker.Status}))
	}
	return a.ref(now), err
}
