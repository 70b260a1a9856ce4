package commands

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
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
