package bot

import (
	"errors"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A refusal names the right that is missing and who has it, to those who may look there.
func TestARefusalSaysWhoMay(t *testing.T) {
	t.Parallel()
	r, err := NewRoster([]Member{
		{Name: "vic", Accounts: []string{"console:vic"}, Grants: []Grant{{Roles: []Role{Viewer}, Services: []string{"shop"}}}},
		{Name: "cho", Grants: []Grant{{Roles: []Role{Approver}}}},
		{Name: "ann", Grants: []Grant{{Roles: []Role{Approver}, Services: []string{"shop"}}}},
		{Name: "eve", Grants: []Grant{{Roles: []Role{Approver}, Services: []string{"cart"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		right           Right
		service, phrase string
		who             string
	}{
		{ApproveRuns, "shop", "error.right_who", "ann, cho"},
		{Lead, "shop", "error.right_nobody", ""},
		{ApproveRuns, "cart", "error.right", ""}, // whose it is, is no business of vic's
		{View, "cart", "error.right", ""},
	} {
		e, ok := errors.AsType[*incidents.Error](r.May(incidents.Actor{ID: "console:vic"}, c.right, Of(incidents.Scope{Service: c.service})))
		if !ok || e.Code != incidents.Forbidden || e.Phrase != c.phrase || e.Args["who"] != c.who || e.Args["right"] != string(c.right) {
			t.Errorf("%s of %s: %+v", c.right, c.service, e)
		}
	}
}

// Where no incident is meant, nobody is named whose incidents the asker does not see.
func TestARefusalInGeneralNamesOnlyOnesOwn(t *testing.T) {
	t.Parallel()
	member := func(name string, role Role, g Grant) Member {
		g.Roles = []Role{role}
		return Member{Name: name, Accounts: []string{"console:" + name}, Grants: []Grant{g}}
	}
	acme, globex := []string{"acme"}, []string{"globex"}
	r, err := NewRoster([]Member{
		member("kenji", Viewer, Grant{Customers: acme}),
		member("vic", Viewer, Grant{Services: []string{"shop"}}),
		member("all", Viewer, Grant{Customers: []string{AllCustomers}}),
		member("aki", Responder, Grant{Customers: acme}),
		member("gus", Responder, Grant{Customers: globex}),
		member("ned", Responder, Grant{}),
		member("sue", Responder, Grant{Services: []string{"shop"}}),
		member("cat", Responder, Grant{Services: []string{"cart"}}),
		member("root", Admin, Grant{Customers: []string{AllCustomers}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{"kenji": "aki, root", "vic": "ned, root, sue", "all": "aki, cat, gus, ned, root, …"} {
		e, ok := errors.AsType[*incidents.Error](r.May(incidents.Actor{ID: "console:" + who}, Respond, InGeneral))
		if !ok || e.Args["who"] != want {
			t.Errorf("%s is told of %+v", who, e)
		}
	}
}
