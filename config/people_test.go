package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const somePeople = `console:
  people: [{name: bea, token: a-token-of-bea-16-bytes}]
people:
  - {name: bea, accounts: [console:bea, slack:T1/U2], roles: [responder], groups: [shop]}
  - {name: cho, accounts: [slack:T1/U3], roles: [viewer], services: [cart]}
groups:
  - {name: shop, roles: [approver], services: [checkout]}
`

// settledFrom is what a file and the environment come to.
func settledFrom(t *testing.T, content string, env map[string]string) *Settled {
	t.Helper()
	c := Default()
	c.read([]byte(content))
	c.fromEnv(func(name string) string { return env[name] })
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPeopleOfTheConfiguration(t *testing.T) {
	t.Parallel()
	s := settledFrom(t, somePeople, map[string]string{"HIKESHI_CONSOLE_TOKEN": "the-first-token-of-all"})
	for _, c := range []struct {
		account string
		right   bot.Right
		where   bot.Where
		ok      bool
	}{
		{"console:bea", bot.Respond, bot.Of(incidents.Scope{Service: "anything"}), true}, {"slack:T1/U2", bot.ApproveRuns, bot.Of(incidents.Scope{Service: "checkout"}), true},
		{"slack:T1/U2", bot.ApproveRuns, bot.Of(incidents.Scope{Service: "cart"}), false}, {"slack:T1/U3", bot.View, bot.Of(incidents.Scope{Service: "cart"}), true},
		{"slack:T1/U3", bot.View, bot.Of(incidents.Scope{Service: "checkout"}), false}, {"slack:T1/U4", bot.View, bot.Of(incidents.Scope{Service: "cart"}), false},
		{"console:admin", bot.Administer, bot.InGeneral, true}, // the way in for the first start
	} {
		if err := s.Rights.May(incidents.Actor{ID: c.account}, c.right, c.where); (err == nil) != c.ok {
			t.Errorf("%s %s %+v: %v", c.account, c.right, c.where, err)
		}
	}
	if who := s.Rights.Who(incidents.Actor{ID: "slack:T1/U2"}); who.ID != "person:bea" {
		t.Errorf("%+v", who)
	}
	if open := settledFrom(t, "", nil); open.Rights != (bot.Open{}) {
		t.Errorf("without people: %T", open.Rights)
	}
}

// TestNobodySlipsIn: whoever can sign in must be somebody, and where nobody has
// to, people would choose who they are.
const someProvider = `public_url: https://h.example.com/
listen: 0.0.0.0:8080
console:
  oidc: {issuer: "https://id.example.com", client_id: hikeshi, client_secret: the-secret-of-hikeshi}
people:
  - {name: bea, accounts: ["oidc:https://id.example.com#24"], roles: [admin]}
`

func TestProviderOfTheConfiguration(t *testing.T) {
	t.Parallel()
	s := settledFrom(t, someProvider, nil)
	if s.SignIn == nil || s.SignIn.RedirectURL != "https://h.example.com/login/callback" || !s.Console.HTTPS || !slices.Contains(s.Secrets(), "the-secret-of-hikeshi") {
		t.Errorf("%+v", s.SignIn)
	}
	if err := s.Rights.May(incidents.Actor{ID: "oidc:https://id.example.com#24"}, bot.Administer, bot.InGeneral); err != nil {
		t.Error(err)
	}
}

func TestNobodySlipsIn(t *testing.T) {
	for file, want := range map[string]string{
		strings.Replace(somePeople, "name: bea, token", "name: mallory, token", 1):              "console.people[0].name: “mallory” can sign in, but nobody under people has the account console:mallory",
		strings.Replace(somePeople, "[{name: bea, token: a-token-of-bea-16-bytes}]", "[]", 1):   "people: people have roles, but nobody can sign in",
		strings.Replace(somePeople, "roles: [responder]", "roles: [root]", 1):                   "people[0].roles[0]: “root” is none of viewer, responder, commander, approver, author, admin",
		strings.Replace(somePeople, "roles: [viewer], ", "", 1):                                 "people[1]: services without roles allow nothing",
		strings.Replace(somePeople, "services: [cart]", "services: ['']", 1):                    "people[1].services[0]: a service needs a name",
		strings.Replace(somePeople, "roles: [viewer]", "roles: [admin]", 1):                     "people[1].roles[0]: an admin is one for all of Hikeshi",
		strings.Replace(somePeople, "groups: [shop]", "groups: [ship]", 1):                      "people[0].groups[0]: there is no group “ship”",
		strings.Replace(somePeople, "slack:T1/U3", "bea@example.com", 1):                        "people[1].accounts[0]: “bea@example.com” is no account",
		strings.Replace(somePeople, "slack:T1/U3", "slack:T1/U2", 1):                            "people: “cho” and “bea” both have the account slack:T1/U2",
		strings.Replace(somePeople, "name: cho", "name: Bea", 1):                                "people: two people are called “",
		strings.Replace(somePeople, "name: cho", "name: a/b", 1):                                "people[1].name: “a/b” is no usable name",
		somePeople + "  - {name: shop, roles: [viewer]}\n":                                      "groups[1].name: a group needs a name of its own",
		strings.Replace(someProvider, "client_secret: the-secret-of-hikeshi", "", 1):            "console.oidc.client_secret: signing in at a provider needs this",
		strings.Replace(someProvider, "public_url: https://h.example.com/\n", "", 1):            "public_url: signing in at a provider needs this",
		strings.Replace(someProvider, "https://h.example.com", "http://h.example.com", 1):       "public_url: “http://h.example.com/login/callback” is no address for signing in",
		strings.Replace(someProvider, `"https://id.example.com"`, `"http://id.example.com"`, 1): "console.oidc.issuer: “http://id.example.com” is no address for signing in",
		someProvider[:strings.Index(someProvider, "people:")]:                                   "console.oidc: without people everybody who has an account",
		"groups: [{name: shop, roles: [viewer]}]\n":                                             "groups: groups mean nothing without people",
	} {
		got := problemsIn(t, file, "en", nil)
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%s\nsays %q, want %q", file, got, want)
		}
	}
}

const someCustomers = `customers:
  - {name: acme, services: [shop], language: ja, chats: [slack]}
  - {name: globex, match: ['cluster=~"gx-.*"']}
console: {people: [{name: bea, token: the-token-of-bea-1}, {name: root, token: the-token-of-root}]}
people:
  - {name: bea, accounts: [console:bea], roles: [viewer], customers: [acme]}
  - {name: root, accounts: [console:root], roles: [admin]}
`

// Who comes into whose rooms; that it was forgotten lets nobody in.
func TestWhomCustomersInvite(t *testing.T) {
	const chats = `slack: {bot_token: xoxb-1, app_token: xapp-1, team: T1, app: A1, invite: [U1], private: true}
discord: {bot_token: "0123456789012345678901234567890123456789012345678901234567890", app_id: "100000000000000001", guild_id: "200000000000000001", private: true, roles: ["300000000000000001"]}
customers:
  - {name: acme, services: [shop], invite: [S7, "*", "user:400000000000000001"]}
  - {name: globex, services: [till], invite: [U9], chats: [slack]}
  - {name: initech, services: [mail], chats: []}
`
	s := settledFrom(t, chats, nil)
	slack, discord := s.Workspace.Config.Customers, s.Guild.Config.Customers
	if !slices.Equal(slack["acme"], []string{"S7", "U1"}) || !slices.Equal(slack["globex"], []string{"U9"}) || len(slack) != 2 {
		t.Errorf("slack: %q", slack)
	}
	if !slices.Equal(discord["acme"], []string{"user:400000000000000001", "300000000000000001"}) || len(discord) != 1 {
		t.Errorf("discord: %q", discord)
	}
	for change, want := range map[[2]string]string{
		{", invite: [U9]", ""}:                            "customers[1].invite: it must be said whom slack",
		{", invite: [U9]", ", invite: []"}:                "customers[1].invite: slack's rooms are private, and nobody",
		{"[U1], private: true", "[U1]"}:                   "", // whoever wants joins
		{", chats: []", ""}:                               "customers[2].invite: it must be said whom discord",
		{"chats: [slack]", "chats: [discord]"}:            "customers[1].invite: discord's rooms are private, and nobody",
		{"invite: [S7", "invite: [bea"}:                   "customers[0].invite[0]: bea is nobody to invite",
		{"private: true, roles", "private: false, roles"}: "customers[0].invite: discord's rooms are not private",
	} {
		got := strings.Join(problemsIn(t, strings.Replace(chats, change[0], change[1], 1), "en", nil), "\n")
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q says %q, want %q", change[1], got, want)
		}
	}
}

// someWatch looks at acme's, and would tell globex.
const someWatch = `diagnostics: {prometheus: [{url: "http://h", customer: acme}]}
watch: [{name: w, kind: series, source: prometheus, query: up, labels: {cluster: gx-1}}]
`

// Whose alerts are whose, and for whom roles are; a line that is forgotten is no
// way in.
func TestCustomersOfTheConfiguration(t *testing.T) {
	t.Parallel()
	s := settledFrom(t, someCustomers, nil)
	if got := s.CustomerRules.Of(incidents.LabelsFromMap(map[string]string{"cluster": "gx-7"})); got != "globex" || s.CustomerLanguages["acme"] != "ja" {
		t.Errorf("%q, %v", got, s.CustomerLanguages)
	}
	s = settledFrom(t, `sources: [{name: am, token: a-token-of-16-bytes, customer: "*"}, {name: a, token: another-of-16-bytes, customer: acme}, {name: o, token: a-third-of-16-bytes, customer: "-"}]
`+strings.Replace(someWatch, "cluster: gx-1", "service: shop", 1)+someCustomers, nil)
	if got := s.Asked.Senders; !maps.Equal(got, map[string]string{"am": "*", "a": "acme", "o": ""}) || s.Watched.Rules[0].Customer != "acme" {
		t.Errorf("%q, %+v", got, s.Watched.Rules)
	}
	globex := bot.Of(incidents.Scope{Customer: "globex"})
	if s.Rights.May(incidents.Actor{ID: "console:bea"}, bot.View, globex) == nil || s.Rights.May(incidents.Actor{ID: "console:root"}, bot.View, globex) != nil {
		t.Error("who sees what is wrong")
	}
	for what, change := range map[string][2]string{
		"people[0]: there are customers":                             {", customers: [acme]", ""},
		"people[0].customers[0]":                                     {"customers: [acme]", "customers: [acmee]"},
		"people[1].customers[0]: an admin is one":                    {"roles: [admin]", "roles: [admin], customers: [acme]"},
		"customers[1]: nothing belongs":                              {`, match: ['cluster=~"gx-.*"']`, ""},
		"customers[0].chats[0]":                                      {"chats: [slack]", "chats: [irc]"},
		"customers[0].tracker":                                       {"language: ja", "tracker: nowhere"},
		"customers[1].name":                                          {"name: globex", "name: acme"},
		"sources[0].customer: there are customers":                   {"customers:", "sources: [{name: am, token: a-token-of-16-bytes}]\ncustomers:"},
		"sources[0].customer: “acmee” is none of \"*\", \"-\", acme": {"customers:", "sources: [{name: am, token: a-token-of-16-bytes, customer: acmee}]\ncustomers:"},
		"diagnostics.loki[0].customer":                               {"customers:", "diagnostics: {loki: [{url: 'http://h', labels: {a: b}}]}\ncustomers:"},
		"diagnostics.prometheus[0].customer":                         {"customers:", "diagnostics: {prometheus: [{url: 'http://h'}]}\ncustomers:"},
		"diagnostics.services[1].customer":                           {"customers:", "diagnostics: {services: [{name: shop}, {name: bank}]}\ncustomers:"},
		"watch[0].labels: prometheus is a source of acme, but":       {"customers:", someWatch + "customers:"},
		"watch[0].labels: prometheus is a source of acme, but by their labels the alerts of this rule would be nobody's": {"customers:", strings.Replace(someWatch, "gx-1", "x", 1) + "customers:"},
		"watch[0].labels: prometheus is nobody's": {"customers:", strings.Replace(someWatch, "customer: acme", `customer: "-"`, 1) + "customers:"},
	} {
		c := Default()
		c.read([]byte(strings.Replace(someCustomers, change[0], change[1], 1)))
		if _, err := c.Settle(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
