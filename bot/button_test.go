package bot

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestButtonsFit: whatever an incident's number and an action's id are, a
// button's id has at most 100 bytes, and decodes to what it was.
func TestButtonsFit(t *testing.T) {
	t.Parallel()
	verbs := []pressVerb{}
	for v := range presses {
		verbs = append(verbs, v)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := press{
			incident: incidents.ID(rapid.Int64Min(1).Draw(t, "incident")),
			verb:     rapid.SampledFrom(verbs).Draw(t, "verb"),
			ref:      actionRef(rapid.String().Draw(t, "action")),
			check:    rapid.StringMatching(`([0-9a-f]{64})?`).Draw(t, "digest"),
		}
		id := p.encode()
		if len(id) > MaxButtonID {
			t.Fatalf("%q has %d bytes", id, len(id))
		}
		got, ok := decodePress(id)
		p.check = p.check[:min(len(p.check), checkSize)]
		if !ok || got != p {
			t.Fatalf("%q decodes to %+v (%v), want %+v", id, got, ok, p)
		}
	})
}

func TestForeignButtons(t *testing.T) {
	t.Parallel()
	good := press{incident: 42, verb: pressApproveAction, ref: "shop-restart", check: "0123456789abcdef"}.encode()
	if _, ok := decodePress(good); !ok {
		t.Fatalf("our own %q is refused", good)
	}
	for _, id := range []string{
		"", "h1", "h1....", "h2.16.ack..", "h1.16.rm..", "h1.-1.ack..", "h1.0.ack..", "h1.zzzzzzzzzzzzzzzzz.ack..",
		"h1.16.ack...", good + "0", "H1" + good[2:], "h1.016.ack..", strings.Repeat("x", 200),
	} {
		if p, ok := decodePress(id); ok {
			t.Errorf("%q was taken for %+v", id, p)
		}
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	a := voted(t)
	long := actionRef(strings.Repeat("x", 64))
	for _, c := range []struct {
		words  string
		action string
	}{
		{"1", "shop-restart"}, {"2", "flush-cache"}, {"3", ""}, {"0", ""}, {"-1", ""},
		{"shop-restart", "shop-restart"}, {"plan:0000 flush-cache", "flush-cache"}, {"nothing", ""}, {long, ""}, {"", ""},
	} {
		target, _ := ParseTarget(strings.Fields(c.words))
		if got := target.ActionID(a.s); got != c.action {
			t.Errorf("%q means %q, want %q", c.words, got, c.action)
		}
	}
	digest := restartPlan().Digest
	for check, want := range map[string]bool{"": true, digest[:16]: true, digest: true, digest[:15]: false, "0000000000000000": false} {
		if got := (Target{Check: check}).Saw(digest); got != want {
			t.Errorf("Saw with %q = %v, want %v", check, got, want)
		}
	}
	if target, rest := ParseTarget([]string{"request:1", "not", "now"}); target.Request != "1" || len(rest) != 2 {
		t.Errorf("got %+v and %v", target, rest)
	}
}
