package diagnostics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestTheNearestChangeComesFirst(t *testing.T) {
	s := opened()
	at := func(before time.Duration) time.Time { return s.OpenedAt.Add(-before) }
	changes := diagnostics.Answer{Changes: []diagnostics.Change{
		{At: at(time.Minute), Service: "mail", Title: "stranger"}, {At: at(time.Hour), Service: "bank", Title: "needed"},
		{At: at(2 * time.Hour), Service: "shop", Title: "older"}, {At: at(time.Hour), Service: "shop", Title: "newer"},
		{At: at(9 * time.Hour), Service: "shop", Title: "too old"}, {At: at(-5 * time.Minute), Service: "shop", Title: "afterwards"},
	}}
	v := diagnostics.New(diagnostics.Options{
		Checks: checks(0), Sources: []diagnostics.Source{after(0, changes)}, Clean: strings.TrimSpace, Now: time.Now,
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
