package bot

import (
	"slices"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		verb string
		id   incidents.ID
		args []string
		rest string
	}{
		{"", "", 0, nil, ""},
		{"/inc", "", 0, nil, ""},
		{"ack", "ack", 0, nil, ""},
		{"/inc ack", "ack", 0, nil, ""},
		{"/ack", "ack", 0, nil, ""},
		{"/incident severity SEV2", "severity", 0, []string{"SEV2"}, "SEV2"},
		{"INC-42 ack", "ack", 42, nil, ""},
		{"/inc #42 note it  is \"slow\"", "note", 42, []string{"it", "is", "slow"}, `it  is "slow"`},
		{"inc-0042 status", "status", 42, nil, ""},
		{"42", "", 42, nil, ""},
		{`declare SEV1 "checkout is slow" now`, "declare", 0, []string{"SEV1", "checkout is slow", "now"}, `SEV1 "checkout is slow" now`},
		{"declare “カートが 遅い”", "declare", 0, []string{"カートが 遅い"}, "“カートが 遅い”"},
		{`note it's 5" wide`, "note", 0, []string{"it's", `5"`, "wide"}, `it's 5" wide`},
		{`note "open`, "note", 0, []string{`"open`}, `"open`},
		{`note ""`, "note", 0, []string{""}, `""`},
		{"ＡＣＫ", "ack", 0, nil, ""},
		{"／ｉｎｃ　＃４２　ａｃｋ", "ack", 42, nil, ""},
		{"ack\u202e\x00", "ack", 0, nil, ""},
		{"note two\nlines", "note", 0, []string{"two", "lines"}, "two\nlines"},
	} {
		l := parseLine(c.in)
		if l.verb != c.verb || l.id != c.id || !slices.Equal(l.args, c.args) || l.rest != c.rest {
			t.Errorf("%q: got %+v", c.in, l)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"", "/inc INC-42 ack", `declare "a b`, "“”", "\"\"\"", "＂a＂", "#", "INC-", "/", "　"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := parseLine(s)
		for _, a := range l.args {
			if len(a) > len(Clean(s)) {
				t.Fatalf("%q: the word %q is longer than the line", s, a)
			}
		}
		if l.id < 0 {
			t.Fatalf("%q: incident %d", s, l.id)
		}
	})
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"ack", "ack", 0}, {"akc", "ack", 1}, {"", "ack", 3}, {"resolv", "resolve", 1}, {"apporve", "approve", 1},
		{"sevrity", "severity", 1}, {"承諾", "承認", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if distance(c.a, c.b) != distance(c.b, c.a) {
			t.Errorf("distance of %q and %q depends on their order", c.a, c.b)
		}
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	verbs := []string{"ack", "alerts", "approve", "assign", "declare", "deny", "help", "list", "note", "resolve", "severity", "why"}
	for word, want := range map[string]string{"akc": "ack", "resolev": "resolve", "aprove": "approve", "lits": "list", "hlep": "help"} {
		if got := Guess(word, verbs); len(got) == 0 || got[0] != want {
			t.Errorf("Guess(%q) = %v, want %s", word, got, want)
		}
	}
	for _, word := range []string{"deploy", "x", "", "restart-the-whole-world-and-everything-in-it"} {
		if got := Guess(word, verbs); len(got) > 0 {
			t.Errorf("Guess(%q) = %v, want nothing", word, got)
		}
	}
}
