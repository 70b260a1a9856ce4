package commands

import (
	"errors"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Where people are configured, somebody whom nobody knows is not put in charge.
func TestAnUnknownNameIsRefused(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{sees("beatrix"), sees("cho")})
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{People: roster}
	for name, want := range map[string]struct{ id, phrase, hint string }{
		"@Beatrix": {"person:beatrix", "", ""},
		"@beatirx": {"", "error.unknown_person_near", "/inc assign @beatrix"},
		"zzz":      {"", "error.unknown_person", "/inc assign me"},
		"dan":      {"console:dan", "", ""}, // is there already
	} {
		s := &incidents.Incident{Responders: []incidents.Mark{{By: incidents.Actor{ID: "console:dan", Name: "dan"}}}}
		a, err := d.person(t.Context(), bot.Request{Chat: "slack"}, s, name)
		e, refused := errors.AsType[*incidents.Error](err)
		if a.ID != want.id || refused != (want.phrase != "") || refused && (e.Phrase != want.phrase || e.Hint != want.hint) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func sees(name string, customers ...string) bot.Member {
	return bot.Member{Name: name, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Customers: customers}}}
}

// Who may not see an incident is put in charge of nothing there, and cannot be told
// from somebody who is not there at all, nor guessed.
func TestAnothersPeopleAreNobody(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{sees("aki", "acme"), sees("kenji", "globex"), sees("root", bot.AllCustomers)})
	if err != nil {
		t.Fatal(err)
	}
	d, s := Deps{People: roster}, &incidents.Incident{Customer: "acme"}
	for _, name := range []string{"kenji", "@KENJI", "kenjo", "nosuchman"} {
		a, err := d.person(t.Context(), bot.Request{Chat: "slack"}, s, name)
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Phrase != "error.unknown_person" || e.Hint != "/inc assign me" || len(e.Args) != 1 {
			t.Errorf("%s: %+v, %+v", name, a, e)
		}
	}
	for _, name := range []string{"aki", "root"} {
		if a, err := d.person(t.Context(), bot.Request{Chat: "slack"}, s, name); err != nil || a.Name != name {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}
