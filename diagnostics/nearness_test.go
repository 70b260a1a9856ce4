package diagnostics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What is another customer's is not told, nor to a customer what may be anybody's.
func TestACustomersIncidentIsToldTheirChangesOnly(t *testing.T) {
	var all diagnostics.Answer
	s := opened()
	for _, x := range []struct{ customer, service string }{{"", "shop"}, {"", "globex-pay"}, {"", ""}, {"acme", "mail"}, {"acme", ""}, {"globex", "shop"}, {"globex", ""}} {
		all.Changes = append(all.Changes, diagnostics.Change{At: s.OpenedAt.Add(-time.Hour), Customer: x.customer, Service: x.service, Title: "by " + x.customer})
	}
	for customer, want := range map[string]string{
		"acme": "shop: by |by acme|mail: by acme", "globex": "shop: by |shop: by globex|by globex", "": "shop: by |by |globex-pay: by ",
	} {
		s.Customer = customer
		v := diagnostics.New(diagnostics.Options{Checks: checks(0), Sources: []diagnostics.Owned{{Source: after(0, all), Whose: diagnostics.Everybody}}, Clean: func(s string) string { return s }, Now: time.Now})
		var got []string
		for _, c := range v.Diagnose(t.Context(), s, func(incidents.Diagnosed) {}).Clues {
			if c.Kind == incidents.ClueChange {
				got = append(got, c.Title)
			}
		}
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%q is told %s", customer, all)
		}
	}
}

func TestTheNearestChangeComesFirst(t *testing.T) {
	s := opened()
	at := func(before time.Duration) time.Time { return s.OpenedAt.Add(-before) }
	changes := diagnostics.Answer{Changes: []diagnostics.Change{
		{At: at(time.Minute), Service: "mail", Title: "stranger"}, {At: at(time.Hour), Service: "bank", Title: "needed"},
		{At: at(2 * time.Hour), Service: "shop", Title: "older"}, {At: at(time.Hour), Service: "shop", Title: "newer"},
		{At: at(9 * time.Hour), Service: "shop", Title: "too old"}, {At: at(-5 * time.Minute), Service: "shop", Title: "afterwards"},
	}}
	v := diagnostics.New(diagnostics.Options{
		Checks: checks(0), Sources: []diagnostics.Owned{{Source: after(0, changes)}}, Clean: strings.TrimSpace, Now: time.Now,
		Catalogue: diagnostics.NewCatalogue([]diagnostics.Service{ // a circle ends
			{Name: "shop", Owner: "web team", DependsOn: []string{"payment"}}, {Name: "payment", DependsOn: []string{"bank"}},
			{Name: "bank", DependsOn: []string{"shop"}}, {Name: "front", DependsOn: []string{"shop"}},
		}),
	})
	var got, names []string
	for _, c := range v.Diagnose(t.Context(), s, func(incidents.Diagnosed) {}).Clues {
		switch c.Kind {
		case incidents.ClueChange:
			got = append(got, c.Title)
		case incidents.ClueService:
			names = append(names, c.Says.Args["owner"]+c.Says.Args["names"])
		}
	}
	if all := strings.Join(got, "; "); all != "shop: newer; shop: older; bank: needed; mail: stranger" {
		t.Errorf("changes: %s", all)
	}
	if all := strings.Join(names, "; "); all != "web team; bank, front, payment; payment, bank" {
		t.Errorf("services: %s", all)
	}
}
