package remote_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

func TestALife(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		ctx := t.Context()
		ticket := ticketOf("hikeshi-inc-42-aaaaaaaaaaaa")
		ref := h.open(h.k, ticket)
		if ref.Key != sys.first || !strings.HasPrefix(ref.URL, "https://") {
			t.Errorf("%+v", ref)
		}
		if i := h.one(); i.severity != h.shown(incidents.Sev2) || i.state != bot.TicketTodo || !strings.Contains(i.text, "INC-42") {
			t.Errorf("%+v", i)
		}
		h.act("joe", ref.Key, act{below: "\nwhat a person wrote"})
		ticket.State, ticket.Severity, ticket.Assignee = bot.TicketDone, incidents.Sev3, incidents.Actor{ID: "slack:T/U", Name: "Bea"}
		ticket.Summary = "[INC-42] over"
		for range 2 {
			if got, err := h.k.Update(ctx, ref.Key, ticket, tracker.Fields); err != nil || got.Status == "" || got.Key != ref.Key {
				t.Fatal(got, err)
			}
		}
		i := h.one()
		if i.state != bot.TicketDone || i.severity != incidents.Sev3 || i.assignee != "bea" || !strings.Contains(i.text, "[INC-42] over") || !strings.HasSuffix(i.text, "\nwhat a person wrote") {
			t.Errorf("%+v", i)
		}
		if n := h.fake().Written(); n != 1 {
			t.Errorf("%d writes; the second time nothing was new", n)
		}
		for range 2 {
			for _, key := range []string{"ev-1", "ev-12"} {
				if err := h.k.Comment(ctx, ref.Key, bot.TicketComment{Key: key, At: noon, By: nasty, Text: nasty}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n := len(h.one().comments); n != 2 {
			t.Errorf("%d comments", n)
		}
		for _, said := range []string{ref.Key, ref.URL} {
			if found, err := h.k.Find(ctx, said); err != nil || found.Key != ref.Key || found.Status == "" {
				t.Error(said, found, err)
			}
		}
		if _, err := h.k.Find(ctx, "no key"); incidents.CodeOf(err) != incidents.NotFound {
			t.Error(err)
		}
	})
}

// shown is the severity that a priority stands for, for trackers with fewer of them.
func (h *house) shown(s incidents.Severity) incidents.Severity {
	if w, ok := h.world.(interface {
		shown(incidents.Severity) incidents.Severity
	}); ok {
		return w.shown(s)
	}
	return s
}

// Whatever the tracker answers: a code, a sentence in both languages, and when
// to come back.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		for _, c := range []struct {
			lie    lies.Lie
			detail string
			code   incidents.Code
			phrase string
			after  time.Duration
		}{
			{lies.Status, "400", incidents.Invalid, "error.tracker_refused", 0},
			{lies.Status, "401", incidents.Unauthenticated, "error.tracker_unauthenticated", 0},
			{lies.Status, "403", incidents.Forbidden, "error.tracker_forbidden", 0},
			{lies.Status, "404", incidents.NotFound, "error.tracker_not_found", 0},
			{lies.Status, "409", incidents.Unavailable, "error.tracker_edited", 3 * time.Second},
			{lies.Status, "410", incidents.NotFound, "error.tracker_not_found", 0},
			{lies.Status, "413", incidents.TooLarge, "error.tracker_too_large", 0},
			{lies.Status, "502", incidents.Unavailable, "error.tracker_away", 0},
			{lies.SlowDown, "", incidents.Overloaded, "error.tracker_busy", time.Minute},
			{lies.HTML, "", incidents.Unavailable, "error.tracker_no_json", 0},
			{lies.Huge, "", incidents.Unavailable, "error.tracker_unreachable", 0},
			{lies.Redirect, "", incidents.Invalid, "error.tracker_redirect", 0},
			{lies.Cut, "", incidents.Unavailable, "error.tracker_unreachable", 0},
		} {
			h.fake().Tell(c.lie, 1, "GET", "", c.detail)
			_, err := h.k.Find(t.Context(), sys.first)
			e, ok := errors.AsType[*incidents.Error](err)
			if !ok || e.Code != c.code || e.Phrase != c.phrase || e.Hint == "" {
				t.Errorf("%s %s: %v", c.lie, c.detail, err)
				continue
			}
			for _, lang := range phrases.Languages {
				if s := phrases.Fill(lang, e.Phrase, e.Args); s == e.Phrase || strings.ContainsAny(s, "{}") || strings.Contains(s, "secret") {
					t.Errorf("%s: %q", lang, s)
				}
			}
			later, _ := errors.AsType[*incidents.Later](err)
			if (later != nil) != (c.after > 0) || later != nil && later.After != c.after {
				t.Errorf("%s %s: %v, want %s", c.lie, c.detail, later, c.after)
			}
			if strings.Contains(err.Error(), "of-the-bot") {
				t.Error("the token is in", err)
			}
		}
	})
}

// The configuration's mistakes are told by their keys.
func TestMistakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		for key, change := range map[string]func(*remote.Config){
			"url":           func(c *remote.Config) { c.URL = "gitlab" },
			"token":         func(c *remote.Config) { c.Token = "a b" },
			"project":       func(c *remote.Config) { c.Project = "no project!" },
			"webhook_token": func(c *remote.Config) { c.Hook = "short" },
			"priorities":    func(c *remote.Config) { c.Priorities = map[string]string{"grave": "x"} },
			"transitions":   func(c *remote.Config) { c.Transitions = map[bot.TicketState]string{"gone": "x"} },
			"people":        func(c *remote.Config) { c.People = map[string]string{"bea": "bea"} },
			"fields":        func(c *remote.Config) { c.Fields = map[string]any{"description": "x"} },
		} {
			_, err := h.make(h.store, h.fake(), change)
			e, _ := errors.AsType[*incidents.Error](err)
			if e == nil || e.Args["key"] != key {
				t.Errorf("%s: %v", key, err)
				continue
			}
			for _, lang := range phrases.Languages {
				if s := phrases.Fill(lang, e.Phrase, e.Args); s == e.Phrase {
					t.Errorf("%s: %q", lang, s)
				}
			}
		}
	})
}

func TestTheDoctors(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		h := newHouse(t, sys, 0)
		for _, f := range h.k.Examine(t.Context()) {
			if !f.Good {
				t.Errorf("%+v", f)
			}
		}
		for phrase, change := range map[string]func(*remote.Config){
			"error.tracker_not_found": func(c *remote.Config) {
				c.Project = map[string]string{"gitlab": "no/where", "backlog": "NONE", "servicenow": "nowhere"}[sys.name]
			},
			"error.tracker_unauthenticated": func(c *remote.Config) { c.Token = "wrong" },
			"tracker.doctor.stranger": func(c *remote.Config) {
				c.People = map[string]string{"zoe": "99"}
				if sys.name == "servicenow" { // accounts have no numbers there
					c.People["zoe"] = strings.Repeat("99", 16)
				}
			},
		} {
			all := h.another(change).Examine(t.Context())
			if !slices.ContainsFunc(all, func(f tracker.Finding) bool { return !f.Good && f.What.Phrase == phrase }) {
				t.Errorf("%s was not found: %+v", phrase, all)
			}
			for _, f := range all {
				for _, r := range []incidents.Reason{f.What, f.Do} {
					for _, lang := range phrases.Languages {
						if s := phrases.Fill(lang, r.Phrase, r.Args); r.Phrase != "" && (s == r.Phrase || strings.ContainsAny(s, "{}")) {
							t.Errorf("%s: %q", lang, s)
						}
					}
				}
			}
		}
		if len(h.tickets()) != 0 || h.fake().Written() != 0 {
			t.Error("the doctor created something")
		}
	})
}
