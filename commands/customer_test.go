package commands

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// crew knows for whom each works, by their id.
type crew map[string][]string

func (crew) Person(context.Context, string, string) (incidents.Actor, bool) {
	return incidents.Actor{}, false
}

func (c crew) Customers(p incidents.Actor) ([]string, bool) {
	return c[p.ID], len(c[p.ID]) == 0 || c[p.ID][0] == bot.AllCustomers
}

func (crew) Having(bot.Right, bot.Where) []incidents.Actor { return nil }

func (crew) Owns(incidents.Actor, incidents.Scope) bool { return false }

// Somebody's incident is their customer's; who works for several says whose it
// is, and nobody opens one of a customer that is not theirs.
func TestDeclareForACustomer(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.deps.Customers = []string{"acme", "globex", "initech"}
	h.deps.People = crew{bea.ID: {"acme"}, cho.ID: {"acme", "globex"}, "console:all": {bot.AllCustomers}}
	h.route(t)
	all := incidents.Actor{ID: "console:all", Name: "all"}
	for _, c := range []struct {
		who               incidents.Actor
		line, whose, want string
	}{
		{bea, "declare SEV1 it is slow", "acme", "it is slow"},
		{cho, "declare SEV1 customer=globex it is slow", "globex", "it is slow"},
		{all, "declare customer=initech it is slow", "initech", "it is slow"},
		{all, "declare it is slow", "", "it is slow"},
	} {
		reply, err := h.say(c.who, c.line)
		if err != nil {
			t.Errorf("%s: %q: %v", c.who.ID, c.line, err)
		} else if reply.State.Customer != c.whose || reply.State.Title != c.want {
			t.Errorf("%s: %q is %q of %q", c.who.ID, c.line, reply.State.Title, reply.State.Customer)
		}
	}
	h.refused(cho, "declare it is slow", incidents.Invalid)
	h.refused(cho, "declare customer=initech it is slow", incidents.Forbidden)
	h.refused(bea, "declare customer=globex it is slow", incidents.Forbidden)
	h.refused(all, "declare customer=nobody it is slow", incidents.Forbidden)
}

// What burns is listed however many newer ones others have, and another's
// incident is answered as one that does not exist.
func TestOnesOwnFireIsListedBehindOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	roster, err := bot.NewRoster([]bot.Member{{Name: "bea", Accounts: []string{bea.ID}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Customers: []string{"acme"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for id := range incidents.ID(listed + 2) {
		customer := "globex"
		if id == 0 {
			customer = "acme"
		}
		a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "F", "service": "shop"}), StartsAt: someDay}
		if _, err := h.Do(t.Context(), id+42, "", incidents.Open{ID: id + 42, Source: "am", Customer: customer, Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Rules{}.Group("", &a)}); err != nil {
			t.Fatal(err)
		}
	}
	o := &oracle{}
	h.deps.Inquiry = o
	if h.router, err = bot.NewRouter(bot.RouterOptions{Commands: All(h.deps), Rights: roster, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if m := h.must(bea, "list"); len(m.Fields) != 1 || !strings.HasPrefix(m.Fields[0].Name, "INC-42 ") || !strings.Contains(m.Title, "1") || m.Tone == bot.ToneGood {
		t.Errorf("%+v", m)
	}
	if h.must(bea, "graph INC-42 up"); o.asked[len(o.asked)-1] != "of their own only" { // another could read what is globex's
		t.Errorf("asked %q", o.asked)
	}
	h.refused(bea, "status INC-43", incidents.NotFound)
	h.refused(bea, "status INC-999", incidents.NotFound)
}

// A runbook that does not fit a customer's incident may be another's: by its name it is
// answered as one that is not there, to whoever does not see everybody's.
func TestAnothersRunbookIsNotThere(t *testing.T) {
	t.Parallel()
	all := incidents.Actor{ID: "console:all", Name: "all"}
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "bea", Accounts: []string{bea.ID}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder, bot.Approver}, Customers: []string{"globex"}}}},
		{Name: "all", Accounts: []string{all.ID}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}, Customers: []string{bot.AllCustomers}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rb, problems := runbooks.Parse("acme.yaml", []byte(strings.ReplaceAll(runbook, `alertname="HighErrorRate"`, `customer="acme"`)), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	own, problems := runbooks.Parse("own.yaml", []byte(strings.Replace(runbook, "risk:", "customers: [acme]\nrisk:", 1)), nil)
	if own == nil {
		t.Fatal(problems)
	}
	for _, c := range []struct {
		who   incidents.Actor
		whose string
		runs  bool
		rb    *runbooks.Runbook
	}{
		{bea, "globex", false, rb}, {all, "globex", true, rb}, {bea, "acme", true, rb}, // acme's alerts of what is now globex's
		{bea, "acme", false, own}, {all, "globex", false, own}, // acme's alone: not even who sees everything runs it for globex
	} {
		h := newHouse(t)
		rb := c.rb
		h.deps.Library, h.deps.Customers = library{rb}, []string{"acme", "globex"}
		if h.router, err = bot.NewRouter(bot.RouterOptions{Commands: All(h.deps), Rights: roster, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "F", "service": "shop", "customer": c.whose, "instance": "web-1"}), StartsAt: someDay}
		if _, err := h.Do(t.Context(), 42, "", incidents.Open{ID: 42, Source: "am", Customer: "globex", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Rules{}.Group("", &a)}); err != nil {
			t.Fatal(err)
		}
		if c.runs {
			h.must(c.who, "42 run restart-web")
			continue
		}
		for _, line := range []string{"42 run restart-web", "42 run restart-web instance=web-1", "42 run restart-web nosuch=1"} {
			theirs, err := h.say(c.who, line)
			none, _ := h.say(c.who, strings.Replace(line, "restart-web", "nosuch", 1))
			if incidents.CodeOf(err) != incidents.NotFound || strings.ReplaceAll(none.Message.Text, "nosuch", "restart-web") != theirs.Message.Text {
				t.Errorf("%s: %v: %q, and of none %q", line, err, theirs.Message.Text, none.Message.Text)
			}
		}
		if n := len(h.all[42].Approvals); n > 0 {
			t.Errorf("%d requests", n)
		}
	}
}
