package jira

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// transition is one way out of a status.
type transition struct {
	ID     string               `json:"id"`
	Name   string               `json:"name"`
	To     status               `json:"to"`
	Fields map[string]fieldMeta `json:"fields"`
}

type fieldMeta struct {
	FieldID    string  `json:"fieldId"`
	Key        string  `json:"key"`
	Name       string  `json:"name"`
	Required   bool    `json:"required"`
	HasDefault bool    `json:"hasDefaultValue"`
	Allowed    []named `json:"allowedValues"`
}

// maxHops is how many statuses lie between two categories, at most, in
// workflows that people make.
const maxHops = 4

// move brings the issue into a status of the category, by whatever transitions
// its workflow offers, over others where none leads there directly. now has
// the status that it ends in.
func (k *Tracker) move(ctx context.Context, now *issue, want string) error {
	been := []string{now.Fields.Status.ID}
	for range maxHops {
		if now.Fields.Status.Category.Key == want {
			return nil
		}
		ways, err := k.transitions(ctx, now.Key)
		if err != nil {
			return err
		}
		way, ok := k.choose(ways, want, been)
		if !ok {
			return noWay(now, want, ways)
		}
		body := update{Transition: &named{ID: way.ID}, Fields: k.filled(way)}
		if err := k.client.do(ctx, ask{method: http.MethodPost, path: "issue/" + esc(now.Key) + "/transitions", body: body, key: now.Key}, nil); err != nil {
			return err
		}
		now.Fields.Status = way.To
		been = append(been, way.To.ID)
	}
	if now.Fields.Status.Category.Key == want {
		return nil
	}
	return noWay(now, want, nil)
}

func (k *Tracker) transitions(ctx context.Context, key string) ([]transition, error) {
	var found struct {
		Transitions []transition `json:"transitions"`
	}
	q := url.Values{"expand": {"transitions.fields"}}
	err := k.client.do(ctx, ask{method: http.MethodGet, path: "issue/" + esc(key) + "/transitions", query: q}, &found)
	return found.Transitions, err
}

// choose prefers what the configuration names, then what leads to the wanted
// category, then what leads into work, from where most workflows go on.
func (k *Tracker) choose(ways []transition, want string, been []string) (transition, bool) {
	ways = slices.DeleteFunc(slices.Clone(ways), func(w transition) bool { return slices.Contains(been, w.To.ID) || !k.fillable(w) })
	name := k.config.Transitions[stateOf(want)]
	for _, fits := range []func(transition) bool{
		func(w transition) bool {
			return name != "" && w.To.Category.Key == want && (strings.EqualFold(w.Name, name) || strings.EqualFold(w.To.Name, name))
		},
		func(w transition) bool { return w.To.Category.Key == want },
		func(w transition) bool { return w.To.Category.Key == category[bot.TicketDoing] },
		func(w transition) bool { return w.To.Category.Key == category[bot.TicketTodo] },
	} {
		if i := slices.IndexFunc(ways, fits); i >= 0 {
			return ways[i], true
		}
	}
	return transition{}, false
}

// fillable says whether all that the transition wants is a resolution.
func (k *Tracker) fillable(w transition) bool {
	for id, f := range w.Fields {
		if f.Required && !f.HasDefault && (id != "resolution" || k.config.Resolution == "" && len(f.Allowed) == 0) {
			return false
		}
	}
	return true
}

func (k *Tracker) filled(w transition) map[string]any {
	f, has := w.Fields["resolution"]
	if !has || !f.Required && k.config.Resolution == "" {
		return nil
	}
	name := k.config.Resolution
	for _, usual := range []string{"Done", "Fixed", "Resolved", "完了"} {
		if name == "" && slices.ContainsFunc(f.Allowed, func(v named) bool { return v.Name == usual }) {
			name = usual
		}
	}
	if name == "" {
		name = f.Allowed[0].Name
	}
	return map[string]any{"resolution": named{Name: name}}
}

// noWay says which status the workflow does not let us leave, and what it offers.
func noWay(now *issue, want string, ways []transition) error {
	return incidents.Fail(incidents.Invalid, "error.jira_no_way", "the workflow leads from "+now.Fields.Status.Name+" to no status of category "+want,
		"status", bot.Line(now.Fields.Status.Name, 60), "want", want, "offered", offered(ways)).WithHint("hikeshi jira doctor")
}

// offered names the ways.
func offered(ways []transition) string {
	var names []string
	for _, w := range ways {
		names = append(names, bot.Line(w.Name, 40))
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

// retire closes the younger of two tickets of one incident: it is linked to the
// older one, told so, closed, and loses the marker last, so that whoever is
// interrupted does it again.
func (k *Tracker) retire(ctx context.Context, in *intent, twin *issue) error {
	k.log.Warn("one incident had two tickets; the younger is closed", "tracker", k.config.Name, "ticket", in.Key, "younger", twin.Key)
	body := map[string]any{
		"type": named{Name: k.config.Duplicate}, "inwardIssue": map[string]any{"key": twin.Key}, "outwardIssue": map[string]any{"key": in.Key},
	}
	if err := k.client.do(ctx, ask{method: http.MethodPost, path: "issueLink", body: body, key: twin.Key}, nil); err != nil && incidents.CodeOf(err) != incidents.Invalid && incidents.CodeOf(err) != incidents.NotFound {
		return err // without that kind of link, the label and the status still say it
	}
	if err := k.move(ctx, twin, category[bot.TicketDone]); err != nil && incidents.CodeOf(err) != incidents.Invalid {
		return err
	}
	off := update{Update: map[string]any{"labels": []any{map[string]any{"remove": in.Marker}}}}
	if err := k.client.do(ctx, ask{method: http.MethodPut, path: "issue/" + esc(twin.Key), body: off, key: twin.Key}, nil); err != nil {
		return err
	}
	k.healed.Add(1)
	return nil
}
