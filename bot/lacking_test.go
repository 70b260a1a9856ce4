package bot

import (
	"errors"
	"slices"
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
	if names := r.Names(); !slices.Equal(names, []string{"ann", "cho", "eve", "vic"}) {
		t.Errorf("%v", names)
	}
}
