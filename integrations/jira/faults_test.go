package jira

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
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// Whatever Jira answers: a code, a sentence in both languages, and when to come
// back.
func TestWhatJiraRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie    fake.Lie
		detail string
		code   incidents.Code
		phrase string
		after  time.Duration
	}{
		{fake.Status, "401", incidents.Unauthenticated, "error.jira_unauthenticated", 0},
		{fake.Status, "403", incidents.Forbidden, "error.jira_forbidden", 0},
		{fake.Status, "404", incidents.NotFound, "error.jira_not_found", 0},
		{fake.Status, "409", incidents.Unavailable, "error.jira_edited", 3 * time.Second},
		{fake.Status, "410", incidents.Invalid, "error.jira_removed", 0},
		{fake.Status, "413", incidents.TooLarge, "error.jira_too_large", 0},
		{fake.Status, "502", incidents.Unavailable, "error.jira_away", 0},
		{fake.SlowDown, "7", incidents.Overloaded, "error.jira_busy", 7 * time.Second},
		{fake.SlowDown, "2.5", incidents.Overloaded, "error.jira_busy", 2500 * time.Millisecond},
		{fake.SlowDown, noon.Add(time.Minute).Format("Mon, 02 Jan 2006 15:04:05 GMT"), incidents.Overloaded, "error.jira_busy", time.Minute},
		{fake.SlowDown, "", incidents.Overloaded, "error.jira_busy", 5 * time.Second},
		{fake.SlowDown, "-3", incidents.Overloaded, "error.jira_busy", time.Second},
		{fake.SlowDown, "999999999", incidents.Overloaded, "error.jira_busy", time.Hour},
		{fake.SlowDown, "soon", incidents.Overloaded, "error.jira_busy", 5 * time.Second},
		{fake.HTML, "", incidents.Unavailable, "error.jira_no_json", 0},
		{fake.Huge, "", incidents.Unavailable, "error.jira_unreachable", 0},
		{fake.Redirect, "", incidents.Invalid, "error.jira_redirect", 0},
		{fake.Cut, "", incidents.Unavailable, "error.jira_unreachable", 0},
	} {
		h := newHouse(t, Cloud)
		h.jira.Lies(c.lie, 1, "GET", "", c.detail)
		_, err := h.tracker.Find(t.Context(), "OPS-1")
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Code != c.code || e.Phrase != c.phrase {
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
		if strings.Contains(err.Error(), fake.Token) {
			t.Error("the token is in", err)
		}
	}
}

func TestWhatAProjectWants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, Cloud)
	h.jira.Required["customfield_10010"] = "Environment"
	_, err := h.tracker.Open(t.Context(), ticketOf("m"))
	if e, _ := errors.AsType[*incidents.Error](err); e == nil || e.Code != incidents.Invalid || !strings.Contains(e.Args["why"], "Environment is required") {
		t.Fatal(err)
	}
	k := h.another(Cloud, func(c *Config) { c.Fields = map[string]any{"customfield_10010": map[string]any{"value": "Prod"}} })
	if ref, err := k.Open(t.Context(), ticketOf("m")); err != nil || ref.Key != "OPS-1" {
		t.Error("at once, because it was surely refused:", ref, err)
	}
	h.jira.Screen = []string{"priority"}
	if ref, err := k.Open(t.Context(), ticketOf("n")); err != nil || ref.Key != "OPS-2" {
		t.Error("without a priority:", ref, err)
	}
	h.jira.Delete("OPS-2")
	if _, err := k.Update(t.Context(), "OPS-2", ticketOf("n"), tracker.Fields); incidents.CodeOf(err) != incidents.NotFound {
		t.Error("deleted:", err)
	}
}

// A workflow without short cuts is walked; one without a way is said to be one,
// and what else there is to tell is told.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		h.jira.Linear = true
		ticket := ticketOf("m")
		ref := h.open(h.tracker, ticket)
		for _, state := range []bot.TicketState{bot.TicketDone, bot.TicketTodo, bot.TicketDoing, bot.TicketDone, bot.TicketDoing, bot.TicketTodo} {
			ticket.State = state
			if _, err := h.tracker.Update(t.Context(), ref.Key, ticket, []tracker.Field{tracker.Status}); err != nil {
				t.Fatal(state, err)
			}
			if got := fake.CategoryOf(h.one().Status); got != category[state] {
				t.Errorf("%s: %s", state, got)
			}
		}
	})
}

func TestTheDoctor(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		for _, f := range h.tracker.Examine(t.Context()) {
			if !f.Good {
				t.Errorf("%+v", f)
			}
		}
		h.jira.Required["customfield_10010"] = "Environment"
		h.jira.Denied, h.jira.NoDone = []string{"LINK_ISSUES", "CREATE_ATTACHMENTS"}, true
		other := map[Flavour]Flavour{Cloud: DataCenter, DataCenter: Cloud}[flavour]
		for phrase, change := range map[string]func(*Config){
			"jira.doctor.required":       func(*Config) {},
			"jira.doctor.permissions":    func(*Config) {},
			"jira.doctor.statuses":       func(*Config) {},
			"jira.doctor.no_type":        func(c *Config) { c.Type = "Bug" },
			"jira.doctor.priorities":     func(c *Config) { c.Priorities = map[string]string{"SEV1": "Panic"} },
			"error.jira_not_found":       func(c *Config) { c.Project = "NONE" },
			"error.jira_unauthenticated": func(c *Config) { c.Flavour, c.User, c.Token = flavour, fake.Mail, "wrong" },
			"jira.doctor.flavour":        func(*Config) {},
		} {
			f := flavour
			if phrase == "jira.doctor.flavour" {
				h.jira.Flavour = string(other)
				f = other
			}
			k := h.another(f, change)
			if phrase == "jira.doctor.flavour" { // it may come in, and is another one
				k.config.Flavour = flavour
			}
			found := false
			for _, d := range k.Examine(t.Context()) {
				found = found || !d.Good && d.What.Phrase == phrase
				for _, r := range []incidents.Reason{d.What, d.Do} {
					for _, lang := range phrases.Languages {
						if s := phrases.Fill(lang, r.Phrase, r.Args); r.Phrase != "" && (s == r.Phrase || strings.ContainsAny(s, "{}")) {
							t.Errorf("%s: %q", lang, s)
						}
					}
				}
			}
			if !found {
				t.Errorf("%s was not found", phrase)
			}
			h.jira.Flavour = string(flavour)
		}
		if len(h.jira.Issues()) != 0 {
			t.Error("the doctor created something")
		}
	})
}

// The doctor misses each right that the account has not.
func TestTheDoctorMissesEachRight(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		for _, right := range []string{
			"BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "RESOLVE_ISSUES", "ASSIGN_ISSUES", "LINK_ISSUES", "CREATE_ATTACHMENTS",
		} {
			h.jira.Denied = []string{right}
			missed := func(f tracker.Finding) bool { return !f.Good && f.What.Phrase == "jira.doctor.permissions" }
			if !slices.ContainsFunc(h.tracker.Examine(t.Context()), missed) {
				t.Errorf("%s is denied, and all is well", right)
			}
		}
	})
}

// Where there is a ticket of ours, the doctor looks whether it can be moved.
func TestTheDoctorLooksAtATicket(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		h.open(h.tracker, ticketOf("m"))
		said := func() map[string]bool {
			all := map[string]bool{}
			for _, f := range h.tracker.Examine(t.Context()) {
				all[f.What.Phrase] = f.Good
			}
			return all
		}
		if all := said(); !all["jira.doctor.way"] {
			t.Error(all)
		}
		h.jira.Stuck = true
		if all := said(); all["jira.doctor.no_way"] || all["jira.doctor.way"] || len(all) < 8 {
			t.Error(all)
		}
		h.jira.Stuck = false
	})
}
