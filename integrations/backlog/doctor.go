package backlog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Examine looks at everything that has to be right for issues to be opened, and
// changes nothing.
func (k *Tracker) Examine(ctx context.Context) []tracker.Finding {
	x := &remote.Examination{Config: &k.config, System: k.client.System}
	me, err := k.Me(ctx)
	if x.Refused(err, "tracker.doctor.do.token") {
		return x.All
	}
	x.Good("tracker.doctor.me", "who", bot.Line(me.Name, 80), "account", k.config.Name+":"+me.ID)
	p, err := k.project(ctx)
	if x.Refused(err, "backlog.doctor.do.project") {
		return x.All
	}
	x.Good("tracker.doctor.project", "there", bot.Line(p.Name, 120))
	if _, ok := byName(p.types, k.config.Type); !ok {
		x.Bad("backlog.doctor.no_type", "backlog.doctor.do.type", "type", k.config.Type, "types", names(p.types))
	}
	statuses(x, p)
	priorities(x, p)
	var members []remote.Account
	for _, m := range p.members {
		members = append(members, m.account())
	}
	x.People(members)
	x.Hears("POST /v1/backlog/" + k.config.Name + "/…")
	return x.All
}

func statuses(x *remote.Examination, p *project) {
	for _, name := range p.config.Transitions {
		if _, ok := byName(p.statuses, name); !ok {
			x.Bad("backlog.doctor.no_status", "backlog.doctor.do.status", "wrong", name, "known", names(p.statuses))
			return
		}
	}
	word := func(state bot.TicketState) string { return bot.Line(byID(p.statuses, p.status(state)).Name, 60) }
	x.Good("backlog.doctor.statuses", "todo", word(bot.TicketTodo), "doing", word(bot.TicketDoing), "done", word(bot.TicketDone))
}

func priorities(x *remote.Examination, p *project) {
	var mapped []string
	for _, sev := range slices.Sorted(maps.Keys(p.config.Priorities)) {
		name := p.config.Priorities[sev]
		if _, ok := byName(p.priorities, name); !ok {
			x.Bad("backlog.doctor.no_priority", "backlog.doctor.do.priority", "wrong", name, "known", names(p.priorities))
			return
		}
		mapped = append(mapped, sev+" = "+bot.Line(name, 60))
	}
	x.Good("backlog.doctor.priorities", "mapped", strings.Join(mapped, ", "))
}
