package commands

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What is wrong with an action is read in either language, and what follows stays
// the person's own words.
func TestAThumbDownHasAReason(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, c := range []struct {
		line, text string
		want       incidents.Objection
	}{
		{"vote 1 down wrong-cause it was the disk", "it was the disk", incidents.WrongCause},
		{"vote 1 👎 Not the root", "", incidents.NotTheRoot},
		{"vote restart-web down 今は危険 深夜まで待つ", "深夜まで待つ", incidents.UnsafeNow},
		{"vote 1 down too slow for this", "for this", incidents.TooSlow},
	} {
		h.must(bea, c.line)
		if _, said := objection(strings.Fields(c.line)[3:]); strings.Join(said, " ") != c.text {
			t.Errorf("%q: their own words are %q", c.line, said)
		}
		s := h.all[42]
		if got := s.Objections["restart-web"][bea.ID]; got != c.want || s.Votes["restart-web"][bea.ID] != -1 {
			t.Errorf("%q: %q, votes %v", c.line, got, s.Votes)
		}
	}
	h.must(bea, "vote 1 down unsafe-now")
	if !h.all[42].UnsafeHere("restart-web") {
		t.Error("nobody holds it for unsafe")
	}
	h.must(bea, "vote 1 up")
	if o := h.all[42].Objections["restart-web"]; len(o) != 0 {
		t.Errorf("after a 👍 %v is left", o)
	}
}

// Whoever presses 👎 is asked why, once.
func TestAPressedThumbDownIsAskedWhy(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	s := h.all[42]
	ask := bot.AskWhy("ja", s, "restart-web", "Web の再起動")
	if len(ask.Buttons) != 4 || ask.Buttons[1].Label != "今は危険" || len(ask.Buttons[3].ID) > bot.MaxButtonID {
		t.Errorf("%+v", ask)
	}
}
