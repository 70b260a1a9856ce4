package servicenow

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Tracker is one table of one instance.
type Tracker struct {
	*api
	remote.Adapter
}

var (
	_ tracker.Tracker  = (*Tracker)(nil)
	_ tracker.Attacher = (*Tracker)(nil)
	_ tracker.Tasker   = (*Tracker)(nil)
)

// Rates are the limits that are kept: an instance has few threads for REST, and
// an administrator sets limits an hour.
func Rates() map[string]limit.Rate {
	return map[string]limit.Rate{remote.ClassWrite: {N: 5, Per: time.Second}, limit.AllClasses: {N: 15, Per: time.Second}}
}

// Defaults.
var (
	usualPriorities = map[string]string{"SEV1": "1/1", "SEV2": "1/2", "SEV3": "2/2", "SEV4": "2/3", "SEV5": "3/3"}
	usualStates     = map[bot.TicketState]string{bot.TicketTodo: "1", bot.TicketDoing: "2", bot.TicketDone: "6"}
)

const (
	usualTable     = "incident"
	usualCloseCode = "Solution provided"
)

var (
	table  = regexp.MustCompile(`^[a-z][a-z0-9_]{1,79}$`)
	column = regexp.MustCompile(`^[a-z][a-z0-9_]{0,79}$`)
	digits = regexp.MustCompile(`^-?[0-9]{1,4}$`)
)

// ours are the columns that have a key of their own, or none.
var ours = map[string]bool{
	"short_description": true, "description": true, "state": true, "impact": true, "urgency": true, "priority": true, "assigned_to": true,
	"correlation_id": true, "correlation_display": true, "work_notes": true, "comments": true, "close_code": true, "close_notes": true,
	"number": true, "sys_id": true,
}

// Validate says what is wrong; Args["key"] of each is the key.
func Validate(c remote.Config) error {
	check := remote.Check{Config: c, Account: sysID}
	check.Common()
	if c.Project != "" && !table.MatchString(c.Project) {
		check.Bad("project", "config.servicenow.project", "no name of a table")
	}
	for name, word := range c.Priorities {
		if _, _, ok := grades(word); !ok {
			check.Bad("priorities", "config.servicenow.priorities", name+" is no impact/urgency")
		}
	}
	for state, word := range c.Transitions {
		if !digits.MatchString(word) {
			check.Bad("transitions", "config.servicenow.transitions", string(state)+" is no number of a state")
		}
	}
	for name, v := range c.Fields {
		if _, text := v.(string); ours[name] || !text || !column.MatchString(name) {
			check.Bad("fields", "config.servicenow.fields", name+" cannot be set")
		}
	}
	return check.Err()
}

// authorization is what says who asks.
func authorization(token string) string {
	if strings.Contains(token, ":") {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(token))
	}
	return "Bearer " + token
}

// New makes one. Config.Project is the table, Config.Resolution the close code,
// and Config.Token "user:password" or an OAuth token.
func New(o remote.Options) (*Tracker, error) {
	if err := Validate(o.Config); err != nil {
		return nil, err
	}
	c := o.Settled()
	if c.Project == "" {
		c.Project = usualTable
	}
	if c.Resolution == "" {
		c.Resolution = usualCloseCode
	}
	if len(c.Priorities) == 0 {
		c.Priorities = usualPriorities
	}
	states := maps.Clone(usualStates)
	maps.Copy(states, c.Transitions)
	c.Transitions = states
	system := remote.System{Name: "ServiceNow", Doctor: "hikeshi servicenow doctor", Words: said, Wait: wait}
	a := &api{config: c, markup: plain(), client: o.Client(system, "/api/now/", http.Header{"Authorization": {authorization(c.Token)}})}
	return &Tracker{api: a, Adapter: o.Adapter(&a.config, system, a, a.page)}, nil
}

// plain is text without markup: descriptions have none, and a work note has only
// what stands between [code] and [/code], which is HTML.
func plain() remote.Markup {
	same := func(s string) string { return s }
	text := func(s string) string { return strings.ReplaceAll(s, "[", "["+remote.Joiner) }
	return remote.Markup{
		Plain: text, Heading: same, Bold: same, Item: func(line string) string { return "- " + line }, Code: text,
		Link: func(label, address string) string { return label + ": " + address }, Break: "\n",
	}
}

// Update makes the fields say what t says. What already means that is left
// alone. The answer's key is another one where the record was the younger of two.
func (k *Tracker) Update(ctx context.Context, key string, t bot.Ticket, due []tracker.Field) (tracker.Ref, error) {
	key, err := k.Follow(ctx, key, t.Marker)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := k.record(ctx, key, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	if body := k.edits(now, t, due); len(body) > 0 {
		err = k.edit(ctx, now, body)
	}
	return k.ref(now), err
}

// Find looks a record up, by its number or the address of its page.
func (k *Tracker) Find(ctx context.Context, key string) (tracker.Ref, error) {
	number := strings.ToUpper(strings.TrimSpace(key[strings.LastIndexAny(key, "=/")+1:]))
	if !recordKey.MatchString(number) {
		return tracker.Ref{}, incidents.Fail(incidents.NotFound, "error.tracker_key", "that is no number of a record", "key", bot.Line(number, 60)).WithHint("/inc ticket link INC0010042")
	}
	found, err := k.record(ctx, number, limit.Urgent)
	if err != nil {
		return tracker.Ref{}, err
	}
	return k.ref(found), nil
}

// Handler takes what a business rule sends: {"number": "INC0010042"}, and the
// token in a header.
func (k *Tracker) Handler(to tracker.Changer) http.Handler {
	return k.Hear(remote.Hook{Given: func(r *http.Request) string { return r.Header.Get("X-Hikeshi-Token") }, Keys: hookKeys}, to)
}
