package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestOverlapsOfCustomersAreTold(t *testing.T) {
	t.Parallel()
	customer := func(name string, services []string, match ...string) incidents.Customer {
		c := incidents.Customer{Name: name, Services: services}
		for _, text := range match {
			m, err := incidents.ParseMatcher(text)
			if err != nil {
				t.Fatal(err)
			}
			c.Match = append(c.Match, m)
		}
		return c
	}
	shop := []string{"shop", "db"}
	acme := customer("acme", shop, `customer="acme"`)
	for name, x := range map[string]struct {
		all  incidents.Customers
		want []string
	}{
		"none":             {nil, nil},
		"labels apart":     {incidents.Customers{customer("acme", nil, `customer="acme"`), customer("globex", nil, `customer="globex"`)}, nil},
		"services apart":   {incidents.Customers{customer("acme", shop), customer("globex", []string{"mail"})}, nil},
		"said to be apart": {incidents.Customers{acme, customer("globex", nil, `customer="globex"`, `service!~"shop|db"`)}, nil},
		"service of two":   {incidents.Customers{customer("acme", shop), customer("globex", []string{"mail", "db"})}, []string{"acme globex db"}},
		"by its match":     {incidents.Customers{customer("acme", shop), customer("globex", nil, `service=~"d."`)}, []string{"acme globex db"}},
		"its labels": {
			incidents.Customers{acme, customer("globex", nil, `customer="globex"`), customer("initech", nil, `cluster=~"ini-.*"`)},
			[]string{`acme globex, initech shop customer="globex"`},
		},
		"taken by one before": {
			incidents.Customers{customer("acme", []string{"shop"}), customer("globex", []string{"shop"}), customer("initech", nil, `customer="initech"`)},
			[]string{"acme globex shop", `acme initech shop customer="initech"`},
		},
		"its services": {incidents.Customers{customer("acme", nil, `customer="acme"`), customer("globex", []string{"mail"})}, []string{`acme globex mail customer="acme"`}},
		"all of it":    {incidents.Customers{customer("acme", nil, `customer="acme"`), customer("lab", nil, `env="lab"`, `customer="acme"`)}, []string{`acme lab env="lab", customer="acme"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range (&config.Settled{CustomerRules: x.all}).Overlaps() {
				a := r.Args
				got = append(got, strings.Join(strings.Fields(a["first"]+" "+a["second"]+" "+a["others"]+" "+a["service"]+" "+a["labels"]), " "))
				if said := phrases.Fill("en", r.Phrase, a); !strings.Contains(said, "is acme's") && !strings.Contains(said, "are acme's") && !strings.Contains(said, "matches acme") {
					t.Errorf("it does not say whose they are: %s", said)
				}
			}
			if !slices.Equal(got, x.want) {
				t.Errorf("%q, not %q", got, x.want)
			}
		})
	}
	var many incidents.Customers
	for i := range 30 {
		many = append(many, customer(fmt.Sprint("c", i), []string{"shop"}))
	}
	if got := (&config.Settled{CustomerRules: many}).Overlaps(); len(got) != 21 || got[20].Args["n"] != "9" {
		t.Errorf("%d notes, at last %v", len(got), got[len(got)-1])
	}
}
