package diagnostics_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// grapher says that it was asked, and by which way.
type grapher struct {
	source
	asked chan string
}

func (g grapher) Graph(context.Context, string, time.Time, time.Time) (diagnostics.Answer, error) {
	g.asked <- g.name
	return diagnostics.Answer{}, nil
}

// landscape has a source of each of two customers, one of everybody and one of ours.
func landscape() (*diagnostics.Investigator, chan string) {
	asked := make(chan string, 20)
	var all []diagnostics.Owned
	for name, whose := range map[string]string{"acme's": "acme", "globex's": "globex", "shared": diagnostics.Everybody, "ours": ""} {
		all = append(all, diagnostics.Owned{Whose: whose, Source: grapher{source{name, func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
			asked <- name
			return diagnostics.Answer{}, errors.New("out of order")
		}}, asked}})
	}
	slices.SortFunc(all, func(a, b diagnostics.Owned) int { return strings.Compare(b.Whose, a.Whose) }) // globex's first, and nobody's last
	return diagnostics.New(diagnostics.Options{Checks: checks(0), Sources: all, Clean: strings.TrimSpace, Now: time.Now}), asked
}

func drained(asked chan string) string {
	var names []string
	for range len(asked) {
		names = append(names, <-asked)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Not even the name of a source is told in another customer's incident.
func TestASourceIsAskedOfItsCustomersIncidentsOnly(t *testing.T) {
	v, asked := landscape()
	for customer, want := range map[string]string{"acme": "acme's shared", "globex": "globex's shared", "initech": "shared", "": "ours shared"} {
		s := opened()
		s.Customer = customer
		for _, ask := range []func() incidents.Diagnosed{
			func() incidents.Diagnosed { return v.Diagnose(t.Context(), s, func(incidents.Diagnosed) {}) },
			func() incidents.Diagnosed { return v.Only(t.Context(), s, "", "") },
		} {
			var named []string
			for _, m := range missing(ask()) {
				named = append(named, strings.TrimSuffix(m, ": clue.missing.failed"))
			}
			slices.Sort(named)
			if got := drained(asked); got != want || strings.Join(named, " ") != want {
				t.Errorf("about %q %s are asked, and %q named", customer, got, named)
			}
		}
	}
}

// Who sees one customer only draws from what is that customer's alone.
func TestWhatAQueryOfOnesOwnMayRead(t *testing.T) {
	v, asked := landscape()
	for _, c := range []struct {
		customer, in string
		own          bool
		asked, fails string
	}{
		{"acme", "", true, "acme's", ""},
		{"acme", "", false, "acme's", ""},
		{"acme", "shared", false, "shared", ""},
		{"acme", "shared", true, "", "error.graph_source"},
		{"acme", "globex's", false, "", "error.graph_source"},
		{"initech", "", true, "", "error.graph_customer"},
		{"initech", "", false, "shared", ""},
		{"", "", false, "shared", ""},
		{"", "acme's", false, "", "error.graph_source"},
	} {
		s := opened()
		s.Customer = c.customer
		_, err := v.Graph(t.Context(), s, c.in, "up", c.own)
		phrase := ""
		if e, ok := errors.AsType[*incidents.Error](err); ok {
			phrase = e.Phrase
			if strings.Contains(e.Error(), "globex's") {
				t.Errorf("%+v names it: %v", c, e)
			}
		}
		if got := drained(asked); got != c.asked || phrase != c.fails {
			t.Errorf("%+v: asked %q, %v", c, got, err)
		}
	}
}

// Two customers have a shop behind one gateway; globex's portal needs it, too.
func TestServicesOfOthersAreNotNamed(t *testing.T) {
	known := diagnostics.NewCatalogue([]diagnostics.Service{
		{Name: "shop", Customer: "acme", Owner: "Ann", DependsOn: []string{"gateway", "acme-db", "globex-pay", "globex-vault"}},
		{Name: "gateway", Customer: diagnostics.Everybody, DependsOn: []string{"power", "globex-pay"}},
		{Name: "shop", Customer: "globex", Owner: "Gus", DependsOn: []string{"gateway"}},
		{Name: "portal", Customer: "globex", DependsOn: []string{"gateway", "shop"}},
		{Name: "kiosk", Customer: "acme", DependsOn: []string{"shop"}},
		{Name: "globex-pay", Customer: "globex"},
		{Name: "backup", DependsOn: []string{"shop"}},
	})
	graph := source{"graph", func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
		return diagnostics.Answer{Services: []diagnostics.Service{
			{Name: "till", DependsOn: []string{"shop"}}, {Name: "globex-till", DependsOn: []string{"shop"}}, {Name: "app", Customer: "acme", DependsOn: []string{"shop"}},
		}}, nil
	}}
	claimed := func(service string) string {
		if strings.HasPrefix(service, "globex-") {
			return "globex"
		}
		return ""
	}
	for customer, want := range map[string]string{
		"acme":    "Ann|3 kiosk, till, app|gateway, acme-db, power", // what is more is not even counted
		"globex":  "Gus|3 portal, till, globex-till|gateway, power, globex-pay",
		"initech": "",
		"":        "Ann|6 portal, kiosk, backup, till, globex-till, app|acme-db, gateway, globex-pay, globex-vault, power", // seen by who sees all
	} {
		v := diagnostics.New(diagnostics.Options{Checks: checks(0), Sources: []diagnostics.Owned{{Source: graph, Whose: diagnostics.Everybody}}, Catalogue: known, Claimed: claimed, Clean: strings.TrimSpace, Now: time.Now})
		s := opened()
		s.Customer = customer
		var got []string
		for _, c := range v.Diagnose(t.Context(), s, func(incidents.Diagnosed) {}).Clues {
			got = append(got, c.Says.Args["owner"]+strings.TrimSpace(c.Says.Args["n"]+" "+c.Says.Args["names"]))
		}
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%q is told %s", customer, all)
		}
	}
}
