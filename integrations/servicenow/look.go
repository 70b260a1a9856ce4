package servicenow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// note is an entry of the journal: a comment or a work note.
type note struct {
	SysID   string `json:"sys_id"`
	Value   string `json:"value"`
	By      string `json:"sys_created_by"` // a user_name
	Created string `json:"sys_created_on"`
}

// audited is one field that changed.
type audited struct {
	SysID   string `json:"sys_id"`
	Field   string `json:"fieldname"`
	By      string `json:"user"` // a user_name
	Created string `json:"sys_created_on"`
}

const maxEntries = 200

// notes are the latest, the newest first.
func (a *api) notes(ctx context.Context, r *record) ([]note, error) {
	var found []note
	query := "name=" + esc(a.config.Project) + "^element_id=" + esc(r.SysID.Value) + "^elementINcomments,work_notes^ORDERBYDESCsys_created_on"
	err := a.rows(ctx, "sys_journal_field", query, "sys_id,value,sys_created_by,sys_created_on", 0, maxEntries, "false", limit.Normal, &found)
	return found, err
}

var fieldOf = map[string]tracker.Field{"state": tracker.Status, "impact": tracker.Priority, "urgency": tracker.Priority, "assigned_to": tracker.Assignee}

// changes are the latest, the newest first.
func (a *api) changes(ctx context.Context, r *record) ([]audited, error) {
	var found []audited
	query := "tablename=" + esc(a.config.Project) + "^documentkey=" + esc(r.SysID.Value) +
		"^fieldnameINstate,impact,urgency,assigned_to^ORDERBYDESCsys_created_on^ORDERBYDESCrecord_checkpoint"
	err := a.rows(ctx, "sys_audit", query, "sys_id,fieldname,user,sys_created_on", 0, maxEntries, "false", limit.Normal, &found)
	return found, err
}

// Look reads a record with what happened in it.
func (a *api) Look(ctx context.Context, key string) (*remote.Look, error) {
	was, err := a.record(ctx, key, limit.Idle)
	if err != nil {
		return nil, err
	}
	changes, err := a.changes(ctx, was)
	if err != nil {
		return nil, err
	}
	notes, err := a.notes(ctx, was)
	if err != nil {
		return nil, err
	}
	now, err := a.record(ctx, key, limit.Idle) // after what happened, so that it shows all of that
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, c := range changes {
		names = append(names, c.By)
	}
	for _, n := range notes {
		names = append(names, n.By)
	}
	users, err := a.usersOf(ctx, names)
	if err != nil {
		return nil, err
	}
	l := &remote.Look{Key: key, State: a.state(now), Word: bot.Line(a.word(now), 60), Severity: a.severity(now), Updated: was.updated()}
	if id := now.AssignedTo.Value; id != "" {
		l.Assignee = remote.Account{ID: id, Name: now.AssignedTo.Display}
	}
	for _, c := range changes {
		if f := fieldOf[c.Field]; f != "" {
			l.Entries = append(l.Entries, remote.Entry{ID: "a/" + c.SysID, At: stamp(c.Created), By: users[c.By].account(), Fields: []tracker.Field{f}})
		}
	}
	for _, n := range notes {
		l.Entries = append(l.Entries, remote.Entry{
			ID: "n/" + n.SysID, At: stamp(n.Created), By: users[n.By].account(),
			Comment: &tracker.Comment{ID: n.SysID, Text: bot.Clean(n.Value)},
		})
	}
	return l, nil
}

const maxUsers = 4096 // are remembered

// usersOf are the users of these names. One who is not found has no account.
func (a *api) usersOf(ctx context.Context, names []string) (map[string]user, error) {
	a.mu.Lock()
	if a.users == nil || len(a.users) > maxUsers {
		a.users = map[string]user{}
	}
	found, ask := map[string]user{}, []string{}
	for _, name := range names {
		if u, known := a.users[name]; known {
			found[name] = u
		} else if name != "" && !strings.ContainsAny(name, ",^") { // a comma would be two names
			found[name] = user{UserName: name, Name: name}
			ask = append(ask, name)
		}
	}
	a.mu.Unlock()
	if len(ask) == 0 {
		return found, nil
	}
	var rows []user
	if err := a.rows(ctx, "sys_user", "user_nameIN"+strings.Join(ask, ","), "sys_id,user_name,name", 0, len(ask), "false", limit.Idle, &rows); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range rows {
		found[u.UserName], a.users[u.UserName] = u, u
	}
	return found, nil
}

// Changed are the records of ours that changed since then. A time in a query
// would be read in the account's time zone, an age is the same everywhere.
func (a *api) Changed(ctx context.Context, since time.Time) ([]remote.Stub, error) {
	me, err := a.me(ctx)
	if err != nil {
		return nil, err
	}
	minutes := int(a.client.Now().Sub(since)/time.Minute) + 2
	query := fmt.Sprintf("correlation_display=%s^sys_updated_onRELATIVEGE@minute@ago@%d^ORDERBYsys_updated_on^ORDERBYnumber", whose, minutes)
	var all []remote.Stub
	for offset := 0; offset < remote.MaxChanged; offset += pageOf {
		found, err := a.records(ctx, query, offset, pageOf, limit.Idle)
		if err != nil {
			return nil, err
		}
		for i := range found {
			if r := &found[i]; recordKey.MatchString(r.Number.Value) {
				all = append(all, remote.Stub{Key: r.Number.Value, Updated: r.updated(), Marker: markerOf(r, me)})
			}
		}
		if len(found) < pageOf {
			break
		}
	}
	return all, nil
}

// pageOf is how many records an answer has at most.
const pageOf = 200

// hookKeys is the record that a webhook is about.
func hookKeys(body []byte) ([]string, bool) {
	var e struct {
		Number string `json:"number"`
	}
	if json.Unmarshal(body, &e) != nil {
		return nil, false
	}
	if !recordKey.MatchString(e.Number) {
		return nil, true
	}
	return []string{e.Number}, true
}
