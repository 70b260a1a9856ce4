package commands

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestTwoPeopleNotTwoAccounts: what two must approve is not approved by one
// person with two accounts, nor by whoever asked under another one; in a chat it
// is not approved at all, and the answer says where.
func TestTwoPeopleNotTwoAccounts(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	everything := []bot.Grant{{Roles: []bot.Role{bot.Responder, bot.Approver}}}
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "bea", Accounts: []string{"console:bea", "slack:T1/U2", "discord:1/2"}, Grants: everything},
		{Name: "cho", Accounts: []string{"console:cho", "slack:T1/U3", "discord:1/3"}, Grants: everything},
		{Name: "dan", Accounts: []string{"console:dan"}, Grants: everything},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := All(Deps{Incidents: h.memory, Again: h.memory, Wishes: h.memory, Library: library{}, Links: bot.Links{Base: "https://h.example.com"}, Now: func() time.Time { return h.now }})
	if h.router, err = bot.NewRouter(bot.RouterOptions{Commands: all, Rights: roster, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	risky := plan("drop-cache", "drop")
	risky.Risk = incidents.RiskHigh
	risky = risky.Seal()
	h.move(incidents.Ranked{Suggestions: []incidents.Suggestion{suggested(1, risky)}})
	h.now = h.now.Add(time.Minute)

	for i, step := range []struct {
		account, line string
		signedIn      bool
		phrase        string // "": it goes through
		given         int
	}{
		{"console:cho", "approve drop-cache", true, "error.ask_first", 0},
		{"slack:T1/U2", "run drop-cache", false, "", 0},
		{"console:bea", "approve", true, "error.approve_own", 0},
		{"slack:T1/U3", "approve", false, "error.approve_there", 0},
		{"console:cho", "approve", true, "", 1},
		{"console:cho", "approve", true, "", 1},
		{"discord:1/3", "approve", true, "", 1}, // were there a sign-in in that chat: still the same person
		{"slack:T1/U9", "approve", true, "error.stranger", 1},
		{"console:dan", "approve", true, "", 2},
		{"console:cho", "approve request:1", true, "error.decided.approved", 2},
	} {
		q := bot.Request{Person: incidents.Actor{ID: step.account, Name: "any"}, Chat: "x", Incident: 42, Line: step.line, Lang: "en"}
		if step.signedIn {
			q.SignedIn = h.now.Add(-time.Minute)
		}
		_, err := h.router.Handle(t.Context(), q)
		phrase := ""
		if e, ok := errors.AsType[*incidents.Error](err); ok {
			phrase = e.Phrase
		}
		given := 0
		if a := h.all[42].Approval("1"); a != nil {
			given = len(a.Given)
		}
		if phrase != step.phrase || given != step.given {
			t.Fatalf("step %d, %s: %v with %d approvals, want %q with %d", i, step.account, err, given, step.phrase, step.given)
		}
	}
	if s := h.all[42]; len(s.Runs) != 1 || s.Approvals[0].Asked.By.ID != "person:bea" || s.Approvals[0].Given[0].By.ID != "person:cho" {
		t.Errorf("%+v", s.Approvals)
	}
}

func TestWithdrawing(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.refused(bea, "withdraw", incidents.NotFound)
	h.must(bea, "run 1")
	h.refused(cho, "withdraw", incidents.Forbidden)
	h.refused(bea, "withdraw 1 because", incidents.Invalid)
	h.must(bea, "withdraw 1")
	h.refused(cho, "approve request:1", incidents.Conflict)
	if s := h.all[42]; len(s.Runs) > 0 || s.Approvals[0].State != incidents.ApprovalWithdrawn {
		t.Errorf("%+v", s.Approvals)
	}
}
