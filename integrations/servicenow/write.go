package servicenow

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// What the columns of the incident table take, in characters; more is cut there
// without a word.
const (
	maxShort       = 160
	maxDescription = 4000
	maxOurs        = 3000 // of a description: the rest is for what people write below
	maxCloseNotes  = 1000
)

// whose stands in correlation_display of what has to do with an incident.
const whose = "Hikeshi"

// Create makes a record.
func (a *api) Create(ctx context.Context, t bot.Ticket) (string, error) {
	made, err := a.write(ctx, http.MethodPost, "table/"+a.config.Project, a.newRecord(t), limit.Urgent)
	if err != nil {
		return "", err
	}
	return made.Number.Value, nil
}

func (a *api) newRecord(t bot.Ticket) map[string]string {
	body := a.columns(t.Summary, t.Body, t.Marker)
	if impact, urgency, ok := grades(a.config.PriorityOf(t.Severity)); ok {
		body["impact"], body["urgency"] = impact, urgency
	}
	if t.State != bot.TicketDone { // it is resolved in a step of its own, with why
		body["state"] = a.config.Transitions[t.State]
	}
	return body
}

// columns are those that each record of ours has.
func (a *api) columns(summary string, text []bot.Message, marker string) map[string]string {
	body := map[string]string{}
	for name, v := range a.config.Fields {
		if s, ok := v.(string); ok { // Validate lets nothing else in
			body[name] = s
		}
	}
	body["short_description"], body["description"] = short(summary), a.describe(text, marker)
	body["correlation_id"], body["correlation_display"] = marker, whose
	return body
}

func short(summary string) string { return remote.Parted(summary, maxShort) }

// describe is our part of the description. Its last line, by which what people
// write below is told from it, is never cut.
func (a *api) describe(text []bot.Message, marker string) string {
	all := a.markup.Describe(text, " · "+marker)
	if utf8.RuneCountInString(all) <= maxOurs {
		return all
	}
	end := strings.LastIndexByte(all, '\n') + 1
	room := maxOurs - utf8.RuneCountInString(all[end:]) - 2
	return string([]rune(all[:end])[:room]) + "…\n" + all[end:]
}

// Example is a record as it would be sent, for people to look at.
func (a *api) Example(t bot.Ticket) any { return a.newRecord(t) }

// Marked are ours with the marker.
func (a *api) Marked(ctx context.Context, marker string) ([]string, error) {
	me, err := a.me(ctx)
	if err != nil {
		return nil, err
	}
	query := "correlation_id=" + esc(marker) + "^sys_created_by=" + esc(me.UserName) + "^ORDERBYsys_created_on^ORDERBYnumber"
	found, err := a.records(ctx, query, 0, 100, limit.Urgent)
	if err != nil {
		return nil, err
	}
	var keys []string
	for i := range found {
		if markerOf(&found[i], me) == marker && recordKey.MatchString(found[i].Number.Value) {
			keys = append(keys, found[i].Number.Value)
		}
	}
	return keys, nil
}

// markerOf is whose ticket it is, where we made it: a copy that a person made has
// the marker too, and is theirs.
func markerOf(r *record, me user) string {
	if r.CreatedBy.Value != me.UserName {
		return ""
	}
	return r.Correlation.Value
}

// Retire resolves the younger of two records.
func (a *api) Retire(ctx context.Context, younger, older, marker string) error {
	now, err := a.record(ctx, younger, limit.Normal)
	if err != nil || now.Correlation.Value != marker {
		return err
	}
	body := a.closing("Duplicate of " + older + ".")
	body["correlation_id"], body["work_notes"] = "", "Duplicate of "+older+"."
	return a.edit(ctx, now, body)
}

// closing is what a resolution must say: without a code and notes ServiceNow
// refuses it.
func (a *api) closing(why string) map[string]string {
	return map[string]string{"state": a.config.Transitions[bot.TicketDone], "close_code": a.config.Resolution, "close_notes": why}
}

// edits are what has to be written for the record to say what t says.
func (a *api) edits(now *record, t bot.Ticket, due []tracker.Field) map[string]string {
	body := map[string]string{}
	if slices.Contains(due, tracker.Text) {
		if s := short(t.Summary); s != now.Short.Value {
			body["short_description"] = s
		}
		if d := remote.Keep(a.describe(t.Body, t.Marker), now.Description.Value, maxDescription); d != "" && !remote.Same(d, now.Description.Value) {
			body["description"] = d
		}
	}
	if impact, urgency, ok := grades(a.config.PriorityOf(t.Severity)); ok && slices.Contains(due, tracker.Priority) && a.severity(now) != t.Severity {
		body["impact"], body["urgency"] = impact, urgency
	}
	if slices.Contains(due, tracker.Status) && a.state(now) != t.State {
		body["state"] = a.config.Transitions[t.State]
		if t.State == bot.TicketDone {
			for name, v := range a.closing(remote.Parted("Resolved in "+t.Incident.String()+": "+t.Summary, maxCloseNotes)) {
				body[name] = v
			}
		}
	}
	if id := a.config.AccountOf(t.Assignee); id != "" && slices.Contains(due, tracker.Assignee) && id != now.AssignedTo.Value {
		body["assigned_to"] = id
	}
	if now.Whose.Value == "" && now.Correlation.Value == "" { // one that a person chose: now it is found by those who look for all of ours
		body["correlation_display"] = whose
	}
	return body
}

// Comment writes a work note, unless it stands there already.
func (a *api) Comment(ctx context.Context, key string, c bot.TicketComment) error {
	now, err := a.record(ctx, key, limit.Normal)
	if err != nil {
		return err
	}
	me, err := a.me(ctx)
	if err != nil {
		return err
	}
	there, err := a.notes(ctx, now)
	if err != nil {
		return err
	}
	sign := "(hikeshi " + c.Key + ")"
	for i := range there {
		if there[i].By == me.UserName && strings.HasSuffix(strings.TrimSpace(there[i].Value), sign) {
			return nil
		}
	}
	return a.edit(ctx, now, map[string]string{"work_notes": a.markup.Comment(c, sign)})
}

// grades reads "2/1": an impact and an urgency, from which ServiceNow makes the
// priority.
func grades(word string) (impact, urgency string, ok bool) {
	impact, urgency, ok = strings.Cut(word, "/")
	return impact, urgency, ok && grade(impact) && grade(urgency)
}

func grade(s string) bool { return s == "1" || s == "2" || s == "3" }

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// severity is what impact and urgency mean together. Other pairs than the
// configured ones mean what their sum means: 2/1 is as grave as 1/2.
func (a *api) severity(r *record) incidents.Severity {
	word := r.Impact.Value + "/" + r.Urgency.Value
	if sev := a.config.SeverityOf(word); sev != incidents.SevUnknown {
		return sev
	}
	best := incidents.SevUnknown
	sum := number(r.Impact.Value) + number(r.Urgency.Value)
	for name, w := range a.config.Priorities {
		impact, urgency, ok := grades(w)
		sev, _ := incidents.ParseSeverity(name)
		if ok && number(impact)+number(urgency) == sum && (best == incidents.SevUnknown || sev < best) {
			best = sev
		}
	}
	return best
}

// state is how far a record is. On hold is on its way.
func (a *api) state(r *record) bot.TicketState {
	switch r.State.Value {
	case a.config.Transitions[bot.TicketDone], "6", "7", "8": // resolved, closed, cancelled
		return bot.TicketDone
	case a.config.Transitions[bot.TicketTodo], "1":
		return bot.TicketTodo
	}
	return bot.TicketDoing
}

func (a *api) word(r *record) string {
	if r.State.Display != "" {
		return r.State.Display
	}
	return string(a.state(r))
}
