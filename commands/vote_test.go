package commands

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A vote is its person's own where a grant of theirs names the incident's service, and
// nowhere else: not for whoever may respond everywhere, and not where nobody is configured.
func TestAVoteSaysWhoseServiceItIs(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	said := func(who incidents.Actor, line string) bool {
		t.Helper()
		h.must(who, line)
		log := h.log[42]
		e := log[len(log)-1]
		if e.Kind != incidents.EventVoted || e.By.ID != who.ID {
			t.Fatalf("%s: the last event is %+v", line, e)
		}
		facts := incidents.Facts(h.all[42], log[len(log)-1:])
		if len(facts) != 1 || facts[0].Own != e.Own {
			t.Fatalf("%s: %+v teaches %+v", line, e, facts)
		}
		return e.Own
	}
	if said(bea, "vote 1 down") {
		t.Error("without configured people somebody owns a service")
	}
	people, err := bot.NewRoster([]bot.Member{
		{Name: "bea", Accounts: []string{bea.ID}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Services: []string{"web"}}}},
		{Name: "cho", Accounts: []string{cho.ID}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.deps.People = people
	h.route(t)
	if !said(bea, "vote 1 up") {
		t.Error("the service is hers")
	}
	if said(cho, "vote 1 up") {
		t.Error("who may respond everywhere owns the service")
	}
}
