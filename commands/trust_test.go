package commands

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// kept is trust without a store: the same decisions, in memory.
type kept struct {
	trust.Runbook
	now func() time.Time
}

func (k *kept) Standing(_ context.Context, _, service string) (trust.Standing, error) {
	return k.Of(service), nil
}

func (k *kept) Accept(_ context.Context, _, service, digest string, by incidents.Actor) (incidents.Acceptance, error) {
	a, err := k.Runbook.Accept(service, digest, by, k.now())
	if err != nil {
		return incidents.Acceptance{}, err
	}
	return *a, nil
}

func (k *kept) Revoke(_ context.Context, _, service string, _ incidents.Actor) (bool, error) {
	return k.Runbook.Revoke(service, k.now()), nil
}

// withTrust is INC-42 with restart-web in the library, n runs in its row, and people
// of whom only cho approves.
func withTrust(t *testing.T, n int) (*house, *kept) {
	t.Helper()
	h := withIncident(t)
	k := &kept{now: func() time.Time { return h.now }}
	for i := range n {
		k.Judge(incidents.Outcome{Run: "INC-7/" + string(rune('1'+i)), Service: "web", Digest: "d", State: incidents.RunVerified, Clean: true, Tried: true, Started: someDay}, someDay)
	}
	rb, problems := runbooks.Parse("restart-web.yaml", []byte(runbook), nil)
	if rb == nil {
		t.Fatal(problems)
	}
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "bea", Accounts: []string{"console:bea"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}}}},
		{Name: "cho", Accounts: []string{"console:cho"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Approver}, Services: []string{"web"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := All(Deps{Incidents: h.memory, Again: h.memory, Wishes: h.memory, Library: library{rb}, Freezer: h.memory, Trust: k, Now: func() time.Time { return h.now }})
	if h.router, err = bot.NewRouter(bot.RouterOptions{Commands: all, Rights: roster, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	return h, k
}

// TestTrustIsGivenAndTakenBack by whoever may approve, in the room, by words.
func TestTrustIsGivenAndTakenBack(t *testing.T) {
	t.Parallel()
	h, _ := withTrust(t, trust.PromoteAfter-1)
	h.refused(bea, "trust", incidents.Forbidden)
	h.refused(cho, "trust accept restart-web", incidents.Conflict) // four are not five
	if got := flat(h.must(cho, "trust")); !strings.Contains(got, "so far: 4.") {
		t.Errorf("it shows %s", got)
	}
	h, k := withTrust(t, trust.PromoteAfter)
	h.refused(bea, "trust accept restart-web", incidents.Forbidden)
	h.refused(cho, "trust accept flush-cache", incidents.Forbidden) // nobody knows its risk
	h.refused(cho, "trust accept gone", incidents.NotFound)
	h.refused(cho, "trust sideways 1", incidents.Invalid)
	h.refused(cho, "trust accept 1 please", incidents.Invalid)
	if got := h.must(cho, "trust accept 1").Text; !strings.Contains(got, "runs by itself for this service") {
		t.Errorf("it says %q", got)
	}
	a := k.Of("web").Accepted
	if a == nil || a.By.ID != "person:cho" || h.all[42].Trust["restart-web"].Said != incidents.EventAccepted {
		t.Fatalf("%+v, and the room was told %+v", a, h.all[42].Trust)
	}
	if got := flat(h.must(cho, "信頼")); !strings.Contains(got, "cho accepted that on 3 Feb") {
		t.Errorf("it shows %s", got)
	}
	h.refused(cho, "trust accept 1", incidents.Conflict)
	h.must(cho, "trust revoke restart-web")
	if k.Of("web").Accepted != nil || h.all[42].Trust["restart-web"].Said != incidents.EventRevoked {
		t.Errorf("%+v, and the room was told %+v", k.Of("web"), h.all[42].Trust)
	}
}

// TestTheButtonAcceptsWhatWasProposed, and nothing else.
func TestTheButtonAcceptsWhatWasProposed(t *testing.T) {
	t.Parallel()
	h, k := withTrust(t, trust.PromoteAfter)
	h.move(incidents.TellTrust{Action: "restart-web", Word: incidents.Word{Said: incidents.EventProposed, Because: incidents.Because("because.trust_row", "n", "5", "runs", "INC-7/1")}})
	press := func() (string, string) {
		card := bot.Room(h.all[42], h.log[42], "en", h.now, bot.Links{})[0]
		for _, b := range card.Buttons {
			if strings.Contains(b.Label, "by itself") {
				return b.ID, flat(&card)
			}
		}
		t.Fatalf("no button on %s", flat(&card))
		return "", ""
	}
	id, card := press()
	if !strings.Contains(card, "it helped 5 times in a row") {
		t.Errorf("the card says %s", card)
	}
	q := bot.Request{Person: bea, Chat: "console", Incident: 42, Lang: "en"}
	if _, err := h.router.Press(t.Context(), q, id); incidents.CodeOf(err) != incidents.Forbidden {
		t.Errorf("bea: %v", err)
	}
	q.Person = cho
	if _, err := h.router.Press(t.Context(), q, id); err != nil || k.Of("web").Accepted == nil {
		t.Fatalf("cho: %v", err)
	}
	id, _ = press() // now it takes that back
	if _, err := h.router.Press(t.Context(), q, id); err != nil || k.Of("web").Accepted != nil {
		t.Fatalf("cho: %v", err)
	}
}
