package jira

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is a tracker, the Jira behind it, and a clock that is moved by hand.
type house struct {
	t       *testing.T
	jira    *fake.Server
	store   *memory
	tracker *Tracker

	patience time.Duration // with a Jira that hangs; 0: a minute

	mu  sync.Mutex
	now time.Time
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newHouse(t *testing.T, flavour Flavour, change ...func(*Config)) *house {
	t.Helper()
	h := &house{t: t, store: &memory{docs: map[string]incidents.Document{}}, now: noon}
	h.jira = fake.New(string(flavour), h.clock)
	h.jira.Hosts = []string{"hikeshi.example.com"}
	t.Cleanup(h.jira.Close)
	t.Cleanup(func() {
		for _, w := range h.jira.Wrongs() {
			t.Error(w)
		}
	})
	h.tracker = h.another(flavour, change...)
	return h
}

func config(flavour Flavour) Config {
	return Config{
		Name: "jira", Flavour: flavour, URL: "https://jira.example.com", User: map[Flavour]string{Cloud: fake.Mail}[flavour], Token: fake.Token,
		Project: fake.Project, Type: fake.Type, Priorities: map[string]string{"SEV1": "Highest", "SEV2": "High", "SEV3": "Medium", "SEV4": "Low", "SEV5": "Lowest"},
		Components: []string{"Web"}, Labels: []string{"ops"},
	}
}

// another is the tracker of another replica, or after a restart.
func (h *house) another(flavour Flavour, change ...func(*Config)) *Tracker {
	h.t.Helper()
	c := config(flavour)
	c.People = map[string]string{"joe": h.jira.Account(fake.Joe), "bea": h.jira.Account(fake.Bea)}
	for _, f := range change {
		f(&c)
	}
	k, err := New(Options{Config: c, Settings: h.store, Pace: free{}, Transport: h.jira.Transport(), Now: h.clock, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

// memory is a store's settings.
type memory struct {
	mu   sync.Mutex
	docs map[string]incidents.Document
	away error
}

func (m *memory) Setting(_ context.Context, name string) (incidents.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.docs[name], m.away
}

func (m *memory) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away != nil {
		return m.away
	}
	if m.docs[name].Version != expect {
		return incidents.ErrConflict
	}
	m.docs[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

// free is no limit at all.
type free struct{}

func (free) Wait(ctx context.Context, _, _ string, _ limit.Lane) error { return ctx.Err() }

func (free) Close(context.Context, string, string, time.Duration) {}

const nasty = "{code}rm -rf{code} [~admin] !http://evil/x.png! {{quoted}} \\\\ \\{macro} h1. big\nh1. big\nbq. {noformat} |a||b| [link|http://evil] @here *bold* -- ??cite?? {color:red}"

func ticketOf(marker string) bot.Ticket {
	return bot.Ticket{
		Incident: 42, Marker: marker, Summary: "[INC-42] HighErrorRate " + nasty, State: bot.TicketTodo, Severity: incidents.Sev2,
		Body: []bot.Message{{
			Title: nasty, Text: nasty, Fields: []bot.Field{{Name: nasty, Value: nasty}}, Checks: []bot.Check{{State: bot.CheckBad, Name: nasty, Value: nasty}},
			Items: []bot.Item{{Title: nasty, Evidence: nasty}}, Code: []bot.Code{{Label: nasty, Text: nasty + "\n{noformat}\n{code}"}},
			Links: []bot.Link{{Label: nasty, URL: "https://hikeshi.example.com/incidents/INC-42?a=[b]|c"}, {Label: "x", URL: "javascript:alert(1)"}},
		}},
	}
}

func both(t *testing.T, run func(t *testing.T, flavour Flavour)) {
	for _, f := range []Flavour{Cloud, DataCenter} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

// open asks as a worker does, until it works: what says when to come back is
// come back to then, anything else in a second.
func (h *house) open(k *Tracker, ticket bot.Ticket) tracker.Ref {
	h.t.Helper()
	for range 200 {
		ctx, cancel := context.WithTimeout(h.t.Context(), cmp.Or(h.patience, time.Minute))
		ref, err := k.Open(ctx, ticket)
		cancel()
		if err == nil {
			return ref
		}
		if later, ok := errors.AsType[*incidents.Later](err); ok {
			h.wait(later.After)
		} else {
			h.wait(time.Second)
		}
	}
	h.t.Fatal("it never worked")
	return tracker.Ref{}
}

func (h *house) one() fake.Issue {
	h.t.Helper()
	all := h.jira.Issues()
	if len(all) != 1 {
		h.t.Fatalf("%d tickets", len(all))
	}
	return all[0]
}

func TestALife(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		h := newHouse(t, flavour)
		ctx := t.Context()
		ticket := ticketOf("hikeshi-inc-42-aa")
		ref := h.open(h.tracker, ticket)
		if ref.Key != "OPS-1" || ref.URL != "https://jira.example.com/browse/OPS-1" {
			t.Errorf("%+v", ref)
		}
		if i := h.one(); i.Priority != "High" || len(i.Labels) != 3 || i.Properties["hikeshi"] == nil {
			t.Errorf("%+v", i)
		}
		h.jira.Describe("OPS-1", "\nwhat a person wrote")
		ticket.State, ticket.Severity, ticket.Assignee = bot.TicketDone, incidents.Sev1, incidents.Actor{ID: "slack:T/U", Name: "Bea"}
		ticket.Summary = "[INC-42] over"
		for range 2 {
			got, err := h.tracker.Update(ctx, "OPS-1", ticket, tracker.Fields)
			if err != nil || got.Status != "Closed" {
				t.Fatal(got, err)
			}
		}
		i := h.one()
		if fake.CategoryOf(i.Status) != "done" || i.Resolution != "Done" || i.Priority != "Highest" || i.Assignee != fake.Bea || i.Summary != "[INC-42] over" || !strings.HasSuffix(i.Description, "\nwhat a person wrote") || len(i.Remote) != 1 {
			t.Errorf("%+v", i)
		}
		if n := h.jira.Counts()["written"]; n != 3 {
			t.Errorf("%d writes; the second time nothing was new", n)
		}
		for range 2 {
			if err := h.tracker.Comment(ctx, "OPS-1", bot.TicketComment{Key: "ev-1", At: noon, By: nasty, Text: nasty}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(h.one().Comments); n != 1 {
			t.Errorf("%d comments", n)
		}
		if found, err := h.tracker.Find(ctx, "https://jira.example.com/browse/ops-1"); err != nil || found.Status != "Closed" {
			t.Error(found, err)
		}
	})
}
