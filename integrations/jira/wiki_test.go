package jira

import (
	"strings"
	"testing"
)

// Whatever an editor makes of our last line: a person's words stay, ours stand
// there once, and writing it again changes nothing.
func TestAPersonsWordsStay(t *testing.T) {
	t.Parallel()
	const ours, words = "h3. disk full\n\n" + ends, "what a person found out"
	for name, old := range map[string]string{
		"below":            "h3. before\n\n" + ends + "\n" + words,
		"the rule moved":   "h3. before\r\n----\r\n\r\n_Hikeshi ⬆_\r\n" + words,
		"the line dropped": "h3. disk full\n\n" + words,
		"a linked ticket":  words,
	} {
		got := keep(ours, old)
		if !strings.HasPrefix(got, ours+"\n") || strings.Count(got, words) != 1 || strings.Count(got, "h3.") != 1 {
			t.Errorf("%s: %q", name, got)
		}
		if again := keep(ours, got); again != got {
			t.Errorf("%s: %q the second time", name, again)
		}
	}
	if got := keep(ours, strings.Repeat("x", maxDescription)); got != "" {
		t.Error("too long, and written")
	}
}
