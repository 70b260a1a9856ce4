package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
)

// Customer is somebody whose systems are looked after: which alerts are theirs,
// and what is done differently with their incidents. Who may see them stands at
// the people and groups.
type Customer struct {
	Name     string   `yaml:"name"`
	Services []string `yaml:"services"`
	Match    []string `yaml:"match"`
	Tracker  string   `yaml:"tracker"`
	Language string   `yaml:"language"`
	Chats    []string `yaml:"chats"`
	Invite   []string `yaml:"invite"` // nil: nobody said; see guests
}

const maxCustomers = 500 // each alert is held against all of them

var customerName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,30}$`)

// customers checks them. It comes before the people, who name them.
func (s *settler) customers() {
	if len(s.Customers) > maxCustomers {
		s.note(wrong("customers", "config.customers_many", "max", fmt.Sprint(maxCustomers)))
		return
	}
	taken := map[string]bool{}
	for i := range s.Customers {
		c, key := &s.Customers[i], fmt.Sprintf("customers[%d]", i)
		if !customerName.MatchString(c.Name) || taken[c.Name] {
			s.note(wrong(key+".name", "config.customer_name", "name", c.Name))
		}
		taken[c.Name] = true
		s.CustomerRules = append(s.CustomerRules, s.customer(key, c))
		if c.Language != "" {
			if s.CustomerLanguages == nil {
				s.CustomerLanguages = map[string]string{}
			}
			s.CustomerLanguages[c.Name] = c.Language
		}
	}
}

// CustomerNames are all there are.
func (s *Settled) CustomerNames() []string {
	all := []string{} // never nil, which would say that nobody knows
	for i := range s.CustomerRules {
		all = append(all, s.CustomerRules[i].Name)
	}
	return all
}

func (s *settler) customer(key string, c *Customer) incidents.Customer {
	out := incidents.Customer{Name: c.Name, Services: c.Services, Tracker: c.Tracker, Chats: c.Chats}
	if len(c.Services) == 0 && len(c.Match) == 0 {
		s.note(wrong(key, "config.customer_nothing"))
	}
	if slices.Contains(c.Services, "") {
		s.note(wrong(key+".services", "config.no_service"))
	}
	for i, text := range c.Match {
		m, err := incidents.ParseMatcher(text)
		if err != nil {
			s.note(badMatcher(fmt.Sprintf("%s.match[%d]", key, i), text, err))
		}
		out.Match = append(out.Match, m)
	}
	if known := s.trackerNames(); c.Tracker != "" && !slices.Contains(known, c.Tracker) {
		s.note(wrong(key+".tracker", "config.one_of", "value", c.Tracker, "known", strings.Join(known, ", ")))
	}
	if c.Language != "" && !slices.Contains(phrases.Languages, c.Language) {
		s.note(wrong(key+".language", "config.one_of", "value", c.Language, "known", strings.Join(phrases.Languages, ", ")))
	}
	known := []string{slack.Name, discord.Chat}
	for i, chat := range c.Chats {
		if !slices.Contains(known, chat) {
			s.note(wrong(fmt.Sprintf("%s.chats[%d]", key, i), "config.one_of", "value", chat, "known", strings.Join(known, ", ")))
		}
	}
	for i, id := range c.Invite {
		if !isGuest(id) {
			s.note(wrong(fmt.Sprintf("%s.invite[%d]", key, i), "config.customer_guest", "id", id))
		}
	}
	return out
}

// sends notes whose the lines and changes of a source are.
func (s *settler) sends(key string, c *Source) {
	whose, what := inquiry.Whose(s.CustomerRules, c.Customer)
	if what.Phrase != "" {
		s.note(problem{key: key + ".customer", what: what})
	}
	if s.senders == nil {
		s.senders = map[string]string{}
	}
	s.senders[c.Name] = whose
}

// grantCustomers checks for which customers roles are. Where there are customers
// it must be said each time: nobody sees them because somebody forgot a line.
func (s *settler) grantCustomers(key string, g *bot.Grant, customers []string) {
	known := []string{bot.AllCustomers}
	for i := range s.Customers {
		known = append(known, s.Customers[i].Name)
	}
	admin := slices.Contains(g.Roles, bot.Admin)
	for i, name := range customers {
		at := fmt.Sprintf("%s.customers[%d]", key, i)
		switch {
		case !slices.Contains(known, name):
			s.note(wrong(at, "config.one_of", "value", name, "known", strings.Join(known, ", ")))
		case admin && name != bot.AllCustomers:
			s.note(wrong(at, "config.admin_customers"))
		}
	}
	g.Customers = customers
	switch {
	case len(customers) > 0:
	case admin:
		g.Customers = []string{bot.AllCustomers}
	case len(s.Customers) > 0:
		s.note(wrong(key, "config.grant_customers", "known", strings.Join(known, ", ")))
	}
}
