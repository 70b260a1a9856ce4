package bot

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func roster(t *testing.T, members ...Member) *Roster {
	t.Helper()
	r, err := NewRoster(members)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func account(id string) incidents.Actor {
	return incidents.Actor{ID: id, Name: "whatever they call themselves"}
}

var beaEverywhere = Member{Name: "Bea", Accounts: []string{"console:Bea", "slack:T1/U2", "discord:1/2", "oidc:https://id.example.com#24"},
	Grants: []Grant{{Roles: []Role{Responder, Approver}}}}

// TestOnePersonOnThreePlatforms: whichever account she comes with, she is one
// person, and so counts once where two must agree.
func TestOnePersonOnThreePlatforms(t *testing.T) {
	t.Parallel()
	r := roster(t, beaEverywhere, Member{Name: "cho", Accounts: []string{"slack:T1/U3"}})
	want := incidents.Actor{ID: "person:bea", Name: "Bea"}
	for _, id := range append(beaEverywhere.Accounts, "person:bea") {
		if got := r.Who(account(id)); got != want {
			t.Errorf("%s is %+v", id, got)
		}
		if err := r.May(account(id), ApproveRuns, InGeneral); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if got, ok := r.Person(t.Context(), "slack", "BEA"); !ok || got != want {
		t.Errorf("by name: %+v", got)
	}
	if got := r.Having(ApproveRuns, InGeneral); !slices.Equal(got, []incidents.Actor{want}) {
		t.Errorf("approvers: %v", got)
	}
}

// TestNamesGiveNoRights: only an account's id does. Somebody who calls
// themselves Bea, or comes from another workspace, is a stranger.
func TestNamesGiveNoRights(t *testing.T) {
	t.Parallel()
	r := roster(t, beaEverywhere)
	for _, id := range []string{"slack:T1/U9", "slack:T2/U2", "slack:U2", "discord:1/3", "console:bea", "oidc:https://id.example.com#2", "oidc:https://id.example.com/#24", "person:cho", "Bea", "person:", ":"} {
		p := incidents.Actor{ID: id, Name: "Bea"}
		if got := r.Who(p); got != p {
			t.Errorf("%s is taken for %+v", id, got)
		}
		if err := r.May(p, View, InGeneral); incidents.CodeOf(err) != incidents.Forbidden {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, p := range []incidents.Actor{{}, incidents.Bot, incidents.SourceActor("am")} {
		if err := r.May(p, View, InGeneral); incidents.CodeOf(err) != incidents.Unauthenticated {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestRolesForSomeServices(t *testing.T) {
	t.Parallel()
	r := roster(t, Member{Name: "bea", Accounts: []string{"console:bea"}, Grants: []Grant{
		{Roles: []Role{Responder}},
		{Roles: []Role{Approver}, Services: []string{"checkout", "cart"}},
		{Roles: []Role{Admin}, Services: []string{"search"}},
	}}, Member{Name: "cho", Accounts: []string{"console:cho"}, Grants: []Grant{{Roles: []Role{Viewer}, Services: []string{"cart"}}}})
	for _, c := range []struct {
		who   string
		right Right
		where Where
		ok    bool
	}{
		{"bea", Respond, Of(incidents.Scope{Service: "anything"}), true}, {"bea", Respond, Of(incidents.Scope{Service: ""}), true}, {"bea", Respond, InGeneral, true},
		{"bea", ApproveRuns, Of(incidents.Scope{Service: "checkout"}), true}, {"bea", ApproveRuns, Of(incidents.Scope{Service: "cart"}), true}, {"bea", ApproveRuns, Of(incidents.Scope{Service: "payment"}), false},
		{"bea", ApproveRuns, Of(incidents.Scope{Service: ""}), false}, {"bea", ApproveRuns, Of(incidents.Scope{Service: "*"}), false}, {"bea", ApproveRuns, InGeneral, true},
		{"bea", ApproveRuns, Of(incidents.Scope{Service: "Checkout"}), false}, {"bea", Lead, Of(incidents.Scope{Service: "search"}), true}, {"bea", Lead, Of(incidents.Scope{Service: "cart"}), false},
		{"bea", Administer, InGeneral, false}, {"bea", Administer, Of(incidents.Scope{Service: "search"}), false}, // of a service there is no admin
		{"cho", View, InGeneral, true}, {"cho", View, Of(incidents.Scope{Service: "cart"}), true}, {"cho", View, Of(incidents.Scope{Service: "checkout"}), false}, {"cho", View, Of(incidents.Scope{Service: ""}), false},
		{"cho", Respond, Of(incidents.Scope{Service: "cart"}), false}, {"cho", "", Of(incidents.Scope{Service: "cart"}), false}, {"cho", "VIEW", Of(incidents.Scope{Service: "cart"}), false},
	} {
		if err := r.May(account("console:"+c.who), c.right, c.where); (err == nil) != c.ok {
			t.Errorf("%s %s %+v: %v", c.who, c.right, c.where, err)
		}
	}
}

func TestRosterRefuses(t *testing.T) {
	t.Parallel()
	for name, members := range map[string][]Member{
		"config.person_twice":  {{Name: "bea"}, {Name: "Bea"}},
		"config.account_twice": {{Name: "bea", Accounts: []string{"slack:T1/U2"}}, {Name: "cho", Accounts: []string{"slack:T1/U2"}}},
		"config.account":       {{Name: "bea", Accounts: []string{"bea@example.com"}}},
	} {
		if _, err := NewRoster(members); err == nil || err.(*incidents.Error).Phrase != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, no := range []string{"", "bea", "@bea", "slack:U2", "slack:t1/u2", "slack:T1/U2 ", "slack:T1/U2\n", "discord:a/b", "oidc:24", "oidc:https://x#", "oidc:https://x# y", "person:bea", "bot", "source:am", "console:", "console:a/b", "email:bea@example.com"} {
		if IsAccount(no) {
			t.Errorf("%q passes for an account", no)
		}
	}
}

// TestNothingIsAllowedThatNoGrantSays, whatever the people and their grants.
func TestNothingIsAllowedThatNoGrantSays(t *testing.T) {
	t.Parallel()
	services := []string{"", "a", "b"}
	rapid.Check(t, func(t *rapid.T) {
		grant := rapid.Custom(func(t *rapid.T) Grant {
			return Grant{Roles: rapid.SliceOfN(rapid.SampledFrom(Roles), 0, 2).Draw(t, "roles"),
				Services: rapid.SliceOfN(rapid.SampledFrom(services[1:]), 0, 2).Draw(t, "services")}
		})
		m := Member{Name: "bea", Accounts: []string{"console:bea"}, Grants: rapid.SliceOfN(grant, 0, 3).Draw(t, "grants")}
		r, err := NewRoster([]Member{m})
		if err != nil {
			t.Fatal(err)
		}
		right := rapid.SampledFrom([]Right{View, Respond, Lead, ApproveRuns, Output, Administer, "else"}).Draw(t, "right")
		service := rapid.SampledFrom(services).Draw(t, "service")
		want := slices.ContainsFunc(m.Grants, func(g Grant) bool {
			return slices.ContainsFunc(g.Roles, func(role Role) bool { return slices.Contains(grants[role], right) }) &&
				(len(g.Services) == 0 || slices.Contains(g.Services, service)) && (right != Administer || len(g.Services) == 0)
		})
		if got := r.May(account("console:bea"), right, Of(incidents.Scope{Service: service})) == nil; got != want {
			t.Fatalf("%s of %q by %+v: %v", right, service, m.Grants, got)
		}
		if r.May(account("console:cho"), right, Of(incidents.Scope{Service: service})) == nil {
			t.Fatal("a stranger was allowed something")
		}
	})
}

// Whoever was given customers sees theirs and nothing else; whoever was given
// none sees nobody's; what is made of all of them takes all of them.
func TestCustomersAreApart(t *testing.T) {
	t.Parallel()
	grants := map[string][]Grant{
		"acme":    {{Roles: []Role{Responder}, Customers: []string{"acme"}}},
		"both":    {{Roles: []Role{Viewer}, Customers: []string{"acme"}}, {Roles: []Role{Viewer}, Customers: []string{"globex"}, Services: []string{"web"}}},
		"all":     {{Roles: []Role{Viewer}, Customers: []string{AllCustomers}}},
		"nobodys": {{Roles: []Role{Responder}}},
	}
	var members []Member
	for name, g := range grants {
		members = append(members, Member{Name: name, Accounts: []string{"console:" + name}, Grants: g})
	}
	r, err := NewRoster(members)
	if err != nil {
		t.Fatal(err)
	}
	acme, globex := incidents.Scope{Customer: "acme", Service: "shop"}, incidents.Scope{Customer: "globex", Service: "shop"}
	for _, c := range []struct {
		who   string
		where Where
		ok    bool
	}{
		{"acme", Of(acme), true}, {"acme", Of(globex), false}, {"acme", Of(incidents.Scope{Service: "shop"}), false}, {"acme", InGeneral, true}, {"acme", Overall, false},
		{"both", Of(acme), true}, {"both", Of(globex), false}, {"both", Of(incidents.Scope{Customer: "globex", Service: "web"}), true}, {"both", Overall, false},
		{"all", Of(acme), true}, {"all", Of(globex), true}, {"all", Of(incidents.Scope{}), true}, {"all", Overall, true},
		{"nobodys", Of(acme), false}, {"nobodys", Of(incidents.Scope{Service: "shop"}), true},
		{"acme", Of(incidents.Scope{Customer: AllCustomers}), false},
	} {
		if err := r.May(incidents.Actor{ID: "console:" + c.who}, View, c.where); (err == nil) != c.ok {
			t.Errorf("%s %+v: %v", c.who, c.where, err)
		}
	}
	for who, want := range map[string]string{"acme": "[acme] false", "both": "[] false", "nobodys": "[] true", "all": "[] false"} {
		names, nobodys := r.Customers(incidents.Actor{ID: "console:" + who})
		if got := fmt.Sprint(names, nobodys); got != want {
			t.Errorf("%s opens incidents of %s, want %s", who, got, want)
		}
	}
}

// TestOwns: a service is somebody's own where a grant that lets them respond names it.
func TestOwns(t *testing.T) {
	t.Parallel()
	r := roster(t,
		Member{Name: "web", Accounts: []string{"console:web"}, Grants: []Grant{{Roles: []Role{Responder}, Services: []string{"web", "shop"}}}},
		Member{Name: "looks", Accounts: []string{"console:looks"}, Grants: []Grant{{Roles: []Role{Viewer}, Services: []string{"web"}}, {Roles: []Role{Responder}}}},
		Member{Name: "acme", Accounts: []string{"console:acme"}, Grants: []Grant{{Roles: []Role{Responder}, Services: []string{"web"}, Customers: []string{"acme"}}}},
		Member{Name: "all", Accounts: []string{"console:all"}, Grants: []Grant{{Roles: []Role{Admin}, Customers: []string{AllCustomers}}}},
	)
	web, acme := incidents.Scope{Service: "web"}, incidents.Scope{Service: "web", Customer: "acme"}
	for id, want := range map[string][3]bool{ // of web, of acme's web, of no service
		"console:web": {true, false, false}, "person:web": {true, false, false}, "console:looks": {}, "console:acme": {false, true, false},
		"console:all": {}, "console:stranger": {}, "": {},
	} {
		got := [3]bool{r.Owns(account(id), web), r.Owns(account(id), acme), r.Owns(account(id), incidents.Scope{})}
		if got != want {
			t.Errorf("%s owns %v, want %v", id, got, want)
		}
	}
}
