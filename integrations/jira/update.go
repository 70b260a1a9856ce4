package jira

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Update makes the fields say what t says. What already means that is left
// alone: a priority that stands for the severity, a status of the right
// category, whichever of them a person chose. The answer's key is another one
// where the ticket was moved, or was the younger of two.
func (k *Tracker) Update(ctx context.Context, key string, t bot.Ticket, due []tracker.Field) (tracker.Ref, error) {
	key, err := k.follow(ctx, key, t.Marker)
	if err != nil {
		return tracker.Ref{}, err
	}
	now, err := k.issue(ctx, key, limit.Normal)
	if err != nil {
		return tracker.Ref{}, err
	}
	var refused []error // the other parts are still told
	for _, step := range []func() error{
		func() error { return k.edit(ctx, now, t, due) },
		func() error { return k.assign(ctx, now, t, due) },
		func() error {
			if !slices.Contains(due, tracker.Status) {
				return nil
			}
			return k.move(ctx, now, category[t.State])
		},
		func() error { return k.remote(ctx, now.Key, t) },
	} {
		err := step()
		switch incidents.CodeOf(err) {
		case incidents.Invalid, incidents.Forbidden, incidents.NotFound, incidents.TooLarge:
			refused = append(refused, err)
		default:
			if err != nil {
				return k.ref(now), err
			}
		}
	}
	return k.ref(now), errors.Join(refused...)
}

// edit writes the fields that a form would.
func (k *Tracker) edit(ctx context.Context, now *issue, t bot.Ticket, due []tracker.Field) error {
	body := update{Fields: map[string]any{}}
	if slices.Contains(due, tracker.Text) {
		if s := bot.Line(t.Summary, maxSummary); s != now.Fields.Summary {
			body.Fields["summary"] = s
		}
		if d := keep(describe(t.Body), now.Fields.Description); d != "" && !same(d, now.Fields.Description) {
			body.Fields["description"] = d
		}
	}
	p := k.config.priorityOf(t.Severity)
	if slices.Contains(due, tracker.Priority) && p != "" && k.config.severityOf(now.Fields.priority()) != t.Severity && !strings.EqualFold(p, now.Fields.priority()) {
		body.Fields["priority"] = named{Name: p}
	}
	if !slices.Contains(now.Fields.Labels, commonLabel) { // one that a person chose: now it is found by those who look for all of ours
		body.Update = map[string]any{"labels": []any{map[string]any{"add": commonLabel}}}
	}
	var first error
	for len(body.Fields)+len(body.Update) > 0 {
		err := k.client.do(ctx, ask{method: http.MethodPut, path: "issue/" + esc(now.Key), body: body, key: now.Key}, nil)
		if err == nil || !without(body.Fields, err, "priority", "summary", "description") {
			return errors.Join(first, err)
		}
		first = err
	}
	return first
}

// assign makes the commander the assignee, where their account is known.
func (k *Tracker) assign(ctx context.Context, now *issue, t bot.Ticket, due []tracker.Field) error {
	account := k.config.accountOf(t.Assignee)
	if !slices.Contains(due, tracker.Assignee) || account == "" || account == now.Fields.Assignee.account() {
		return nil
	}
	return k.client.do(ctx, ask{method: http.MethodPut, path: "issue/" + esc(now.Key) + "/assignee", body: k.client.assignment(account), key: now.Key}, nil)
}

// remote puts the links to the rooms and the console beside the ticket. With
// the same global id Jira changes the link that stands.
func (k *Tracker) remote(ctx context.Context, key string, t bot.Ticket) error {
	if len(t.Body) == 0 {
		return nil
	}
	for i, l := range t.Body[0].Links {
		if i >= maxLinks || link(l) == "" {
			continue
		}
		sum := sha256.Sum256([]byte(l.URL))
		id := "hikeshi:" + t.Marker + "/" + hex.EncodeToString(sum[:6])
		if k.knownLink(key + " " + id) {
			continue
		}
		body := map[string]any{
			"globalId": id, "relationship": "incident",
			"application": map[string]any{"type": "hikeshi", "name": "Hikeshi"},
			"object":      map[string]any{"url": l.URL, "title": bot.Line(t.Incident.String()+" "+l.Label, 200)},
		}
		if err := k.client.do(ctx, ask{method: http.MethodPost, path: "issue/" + esc(key) + "/remotelink", body: body, key: key, lane: limit.Idle}, nil); err != nil {
			return err
		}
		k.rememberLink(key + " " + id)
	}
	return nil
}

const maxLinks = 6

func (k *Tracker) knownLink(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.linked[id]
}

func (k *Tracker) rememberLink(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.linked) >= maxKnown {
		clear(k.linked)
	}
	k.linked[id] = true
}
