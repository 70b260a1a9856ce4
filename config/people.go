package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/oidc"
)

// Member is a person, whichever accounts they come with.
type Member struct {
	Name     string   `yaml:"name"`
	Accounts []string `yaml:"accounts"`
	Groups   []string `yaml:"groups"`
	Roles    []string `yaml:"roles"`
	Services []string `yaml:"services"`

	Customers []string `yaml:"customers"` // whose incidents; "*": everybody's
}

// Group is what several people may do.
type Group struct {
	Name     string   `yaml:"name"`
	Roles    []string `yaml:"roles"`
	Services []string `yaml:"services"`

	Customers []string `yaml:"customers"` // whose incidents; "*": everybody's
}

// envPerson is whom HIKESHI_CONSOLE_TOKEN signs in: the way in for the first
// start, and when nobody else can get in any more.
const envPerson = "admin"

// provider checks where people sign in, if not by tokens alone.
func (s *settler) provider() {
	c := s.Console.OIDC
	if c == (OIDC{}) {
		return
	}
	before := len(s.problems)
	secret := s.secret("console.oidc.client_secret", c.Secret, c.SecretFile)
	if len(s.problems) == before {
		for _, need := range [][2]string{{"public_url", s.PublicURL}, {"console.oidc.issuer", c.Issuer}, {"console.oidc.client_id", c.ClientID}, {"console.oidc.client_secret", secret}} {
			if need[1] == "" {
				s.note(wrong(need[0], "config.oidc_needs"))
			}
		}
	}
	if len(s.People) == 0 {
		s.note(wrong("console.oidc", "config.oidc_people"))
	}
	if len(s.problems) > before {
		return
	}
	s.SignIn = &oidc.Config{Issuer: c.Issuer, ClientID: c.ClientID, Secret: secret, RedirectURL: strings.TrimRight(s.PublicURL, "/") + "/login/callback", Now: time.Now}
	s.note(problemsOf(s.SignIn.Validate(), func(e *incidents.Error) string {
		if e.Args["key"] == "redirect" {
			return "public_url"
		}
		return "console.oidc.issuer"
	})...)
	s.Console.HTTPS = s.Console.HTTPS || strings.HasPrefix(s.PublicURL, "https://")
}

// roster makes the people of the configuration. Without any, everybody who can
// sign in may do everything, as on one machine.
func (s *settler) roster() {
	if len(s.People) == 0 {
		if len(s.Groups) > 0 {
			s.note(wrong("groups", "config.groups_alone"))
		}
		s.Rights = bot.Open{}
		return
	}
	groups := s.groups()
	var members []bot.Member
	before := len(s.problems)
	for i, c := range s.People {
		members = append(members, s.member(fmt.Sprintf("people[%d]", i), c, groups))
	}
	readable := len(s.problems) == before
	roster, err := bot.NewRoster(s.mayEnter(members), s.trackerNames()...)
	if readable { // else it would only say again what is wrong
		s.note(problemsOf(err, func(*incidents.Error) string { return "people" })...)
	}
	s.Rights = roster
}

func (s *settler) groups() map[string]bot.Grant {
	all := map[string]bot.Grant{}
	for i, c := range s.Groups {
		key := fmt.Sprintf("groups[%d]", i)
		if _, twice := all[c.Name]; c.Name == "" || twice {
			s.note(wrong(key+".name", "config.group_name", "name", c.Name))
		}
		all[c.Name] = s.grant(key, c.Roles, c.Services, c.Customers)
	}
	return all
}

func (s *settler) member(key string, c Member, groups map[string]bot.Grant) bot.Member {
	m := bot.Member{Name: c.Name, Accounts: c.Accounts}
	if !bot.IsAccount("console:" + c.Name) {
		s.note(wrong(key+".name", "config.person_name", "name", c.Name, "max", "40"))
	}
	for i, account := range c.Accounts {
		if !bot.IsAccount(account, s.trackerNames()...) {
			s.note(wrong(fmt.Sprintf("%s.accounts[%d]", key, i), "config.account", "account", account).try("config.hint.account"))
		}
	}
	if len(c.Roles) > 0 || len(c.Services) > 0 || len(c.Customers) > 0 {
		m.Grants = append(m.Grants, s.grant(key, c.Roles, c.Services, c.Customers))
	}
	for i, name := range c.Groups {
		g, ok := groups[name]
		if !ok {
			s.note(wrong(fmt.Sprintf("%s.groups[%d]", key, i), "config.no_group", "group", name))
			continue
		}
		m.Grants = append(m.Grants, g)
	}
	return m
}

// trackerNames are those whose people may be people here.
func (c *Config) trackerNames() []string {
	var all []string
	for _, t := range c.Trackers {
		all = append(all, t.Name)
	}
	return all
}

// grant reads roles, and the services and customers they are for. Roles without which the
// services would mean nothing, and the other way round, are a mistake.
func (s *settler) grant(key string, roles, services, customers []string) bot.Grant {
	g := bot.Grant{Services: services}
	known := make([]string, 0, len(bot.Roles))
	for _, r := range bot.Roles {
		known = append(known, string(r))
	}
	for i, name := range roles {
		at := fmt.Sprintf("%s.roles[%d]", key, i)
		switch {
		case !slices.Contains(known, name):
			s.note(wrong(at, "config.one_of", "value", name, "known", strings.Join(known, ", ")))
		case name == string(bot.Admin) && len(services) > 0:
			s.note(wrong(at, "config.admin_services"))
		}
		g.Roles = append(g.Roles, bot.Role(name))
	}
	if len(roles) == 0 {
		s.note(wrong(key, "config.no_roles"))
	}
	for i, name := range services {
		if name == "" { // it would mean nothing, and must not mean all
			s.note(wrong(fmt.Sprintf("%s.services[%d]", key, i), "config.no_service"))
		}
	}
	s.grantCustomers(key, &g, customers)
	return g
}

// mayEnter holds the ways to sign in against the people: whoever can sign in
// must be somebody, and where nobody has to sign in people choose their names
// themselves, which can carry no role.
func (s *settler) mayEnter(members []bot.Member) []bot.Member {
	if len(s.Console.People) == 0 && s.Console.OIDC.Issuer == "" {
		s.note(wrong("people", "config.nobody_signs_in").try("config.hint.sign_in"))
	}
	known := map[string]bool{}
	for _, m := range members {
		for _, account := range m.Accounts {
			known[account] = true
		}
	}
	for i, p := range s.Console.People {
		key, account := fmt.Sprintf("console.people[%d]", i), "console:"+p.Name
		switch {
		case known[account]:
		case s.from.override[key] != "": // from the environment
			members = append(members, bot.Member{Name: envPerson, Accounts: []string{account}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}, Customers: []string{bot.AllCustomers}}}})
			known[account] = true
		default:
			s.note(wrong(key+".name", "config.person_unknown", "name", p.Name, "account", account))
		}
	}
	return members
}
