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
	roster, err := bot.NewRoster([]bot.Member{{Name: "beatrix"}, {Name: "cho"}})
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
