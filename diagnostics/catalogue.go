package diagnostics

import (
	"cmp"
	"maps"
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
}

// Catalogue says who owns what, and who depends on whom. The zero value, and
// nil, know nothing.
type Catalogue struct {
	services map[string]Service
	users    map[string][]string // who depends on it directly
}

// NewCatalogue makes one; a service that is only depended on is known too.
func NewCatalogue(all []Service) *Catalogue {
	c := &Catalogue{services: map[string]Service{}, users: map[string][]string{}}
	for _, s := range all {
		c.services[s.Name] = s
		for _, needed := range s.DependsOn {
			c.users[needed] = append(c.users[needed], s.Name)
		}
	}
	return c
}

// With is the catalogue and what else is known: of a service that is in both, what
// the catalogue says of it counts, and all that it depends on.
func (c *Catalogue) With(more []Service) *Catalogue {
	if len(more) == 0 {
		return c
	}
	all := map[string]Service{}
	if c != nil {
		maps.Copy(all, c.services)
	}
	for _, s := range more {
		old := all[s.Name]
		s.Owner, s.URL = cmp.Or(old.Owner, s.Owner), cmp.Or(old.URL, s.URL)
		s.DependsOn = slices.Compact(slices.Sorted(slices.Values(slices.Concat(old.DependsOn, s.DependsOn))))
		all[s.Name] = s
	}
	var list []Service
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	return NewCatalogue(list)
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
