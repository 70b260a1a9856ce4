package diagnostics

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Service is one that the catalogue knows.
type Service struct {
	Name      string
	Owner     string
	DependsOn []string
	URL       string // where people read about it
	Customer  string // whose it is; Everybody's may be told to all, "" is nobody's
}

// Catalogue says who owns what, and who depends on whom. The zero value, and
// nil, know nothing.
type Catalogue struct {
	all      []Service // as they were given: two customers may have one of the same name
	services map[string]Service
	users    map[string][]string // who depends on it directly
}

// NewCatalogue makes one; a service that is only depended on is known too. Of one
// that is there twice what is said first of it counts, and all that it depends on.
func NewCatalogue(all []Service) *Catalogue {
	c := &Catalogue{all: all, services: map[string]Service{}, users: map[string][]string{}}
	var names []string
	for _, s := range all {
		if old, twice := c.services[s.Name]; twice {
			s.Owner, s.URL = cmp.Or(old.Owner, s.Owner), cmp.Or(old.URL, s.URL)
			s.DependsOn = slices.Compact(slices.Sorted(slices.Values(slices.Concat(old.DependsOn, s.DependsOn))))
		} else {
			names = append(names, s.Name)
		}
		c.services[s.Name] = s
	}
	for _, name := range names {
		for _, needed := range c.services[name].DependsOn {
			c.users[needed] = append(c.users[needed], name)
		}
	}
	return c
}

// With is the catalogue and what else is known.
func (c *Catalogue) With(more []Service) *Catalogue {
	if len(more) == 0 {
		return c
	}
	if c == nil {
		return NewCatalogue(more)
	}
	return NewCatalogue(slices.Concat(c.all, more))
}

// Of is what may be told in an incident of the customer: what is theirs or
// everybody's, and what that depends on, unless it is known to be another's. In an
// incident that is nobody's all may be told: who sees it sees every customer.
func (c *Catalogue) Of(customer string, claimed func(service string) string) *Catalogue {
	if c == nil || customer == "" {
		return c
	}
	theirs, known := map[string]bool{}, map[string]bool{}
	for _, s := range c.all {
		known[s.Name] = true
		theirs[s.Name] = theirs[s.Name] || Serves(s.Customer, customer)
	}
	others := func(name string) bool {
		if known[name] || claimed == nil {
			return known[name] && !theirs[name]
		}
		by := claimed(name)
		return by != "" && by != customer
	}
	var told []Service
	for _, s := range c.all {
		if Serves(s.Customer, customer) {
			s.DependsOn = slices.DeleteFunc(slices.Clone(s.DependsOn), others)
			told = append(told, s)
		}
	}
	return NewCatalogue(told)
}

// Needs is all that the service depends on, the nearest first.
func (c *Catalogue) Needs(service string) []string {
	if c == nil {
		return nil
	}
	return reach(service, func(s string) []string { return c.services[s].DependsOn })
}

// Blast is all that depends on the service, the nearest first.
func (c *Catalogue) Blast(service string) []string {
	if c == nil {
		return nil
	}
	return reach(service, func(s string) []string { return c.users[s] })
}

// reach is everything that next leads to, in breadth; circles end.
func reach(from string, next func(string) []string) []string {
	seen := map[string]bool{from: true}
	var all []string
	for at := []string{from}; len(at) > 0; at = at[1:] {
		for _, s := range next(at[0]) {
			if !seen[s] {
				seen[s] = true
				all, at = append(all, s), append(at, s)
			}
		}
	}
	return all
}

const mostNames = 8

func (c *Catalogue) clues(service string) []incidents.Clue {
	if c == nil || service == "" {
		return nil
	}
	var clues []incidents.Clue
	known := c.services[service]
	add := func(phrase string, args ...string) {
		clues = append(clues, incidents.Clue{Kind: incidents.ClueService, Source: "catalogue", Item: "service/catalogue", Title: service, URL: known.URL, Says: incidents.Because(phrase, args...)})
	}
	if known.Owner != "" {
		add("clue.service.owner", "owner", known.Owner)
	}
	if all := c.Blast(service); len(all) > 0 {
		add(incidents.PhraseBlast, "n", strconv.Itoa(len(all)), "names", few(all))
	}
	if all := c.Needs(service); len(all) > 0 {
		add("clue.service.needs", "names", few(all))
	}
	return clues
}

func few(names []string) string {
	if len(names) <= mostNames {
		return strings.Join(names, ", ")
	}
	return strings.Join(slices.Clone(names[:mostNames]), ", ") + ", … (+" + strconv.Itoa(len(names)-mostNames) + ")"
}
