package servicenow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// choice is a value that a column may have.
type choice struct {
	Element string `json:"element"`
	Value   string `json:"value"`
	Label   string `json:"label"`
}

// Examine looks at everything that has to be right for records to be opened, and
// changes nothing.
func (k *Tracker) Examine(ctx context.Context) []tracker.Finding {
	x := &remote.Examination{Config: &k.config, System: k.client.System}
	me, err := k.Me(ctx)
	if x.Refused(err, "tracker.doctor.do.token") {
		return x.All
	}
	x.Good("tracker.doctor.me", "who", bot.Line(me.Name, 80), "account", k.config.Name+":"+me.ID)
	_, err = k.records(ctx, "correlation_display="+whose, 0, 1, limit.Normal)
	if r, refused := errors.AsType[*remote.Refusal](err); refused && strings.HasPrefix(r.Said, "Invalid table") { // said with 400
		err = k.missing(k.config.Project)
	}
	if x.Refused(err, "servicenow.doctor.do.table") {
		return x.All
	}
	x.Good("servicenow.doctor.table", "table", k.config.Project)
	none := &record{SysID: pair{Value: strings.Repeat("0", 32)}}
	_, err = k.notes(ctx, none)
	if err == nil {
		_, err = k.changes(ctx, none)
	}
	if !x.Refused(err, "servicenow.doctor.do.history") {
		x.Good("servicenow.doctor.history")
	}
	var found []choice
	query := "name=" + esc(k.config.Project) + "^elementINstate,close_code^inactive=false"
	if err := k.rows(ctx, "sys_choice", query, "element,value,label", 0, 200, "false", limit.Normal, &found); !x.Refused(err, "servicenow.doctor.do.history") {
		k.choices(x, found)
	}
	k.people(ctx, x)
	x.Hears("POST /v1/servicenow/" + k.config.Name)
	return x.All
}

// people looks for the configured ones.
func (k *Tracker) people(ctx context.Context, x *remote.Examination) {
	ids := slices.Compact(slices.Sorted(maps.Values(k.config.People)))
	if len(ids) == 0 {
		return
	}
	var found []user
	err := k.rows(ctx, "sys_user", "sys_idIN"+strings.Join(ids, ","), "sys_id,user_name,name", 0, len(ids), "false", limit.Normal, &found)
	if x.Refused(err, "servicenow.doctor.do.history") {
		return
	}
	var all []remote.Account
	for _, u := range found {
		all = append(all, u.account())
	}
	x.People(all)
}

// choices holds the states and the close code against those that there are.
func (k *Tracker) choices(x *remote.Examination, found []choice) {
	var wrong []string
	known := map[string][]string{}
	has := func(element, value string) bool {
		return slices.ContainsFunc(found, func(c choice) bool { return c.Element == element && c.Value == value })
	}
	for _, c := range found {
		known[c.Element] = append(known[c.Element], bot.Line(c.Value+" "+c.Label, 60))
	}
	for state, value := range k.config.Transitions {
		if !has("state", value) {
			wrong = append(wrong, string(state)+": "+value)
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		x.Bad("servicenow.doctor.no_state", "servicenow.doctor.do.state", "wrong", strings.Join(wrong, ", "), "known", strings.Join(known["state"], ", "))
	} else {
		x.Good("servicenow.doctor.states")
	}
	if !has("close_code", k.config.Resolution) {
		x.Bad("servicenow.doctor.no_code", "servicenow.doctor.do.code", "wrong", k.config.Resolution, "known", strings.Join(known["close_code"], ", "))
		return
	}
	x.Good("servicenow.doctor.code", "code", k.config.Resolution)
}
