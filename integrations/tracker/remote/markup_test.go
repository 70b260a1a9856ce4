package remote_test

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Whatever an editor makes of our last line: a person's words stay, ours stand
// there once, and writing it again changes nothing.
func TestAPersonsWordsStay(t *testing.T) {
	t.Parallel()
	const words = "what a person found out"
	for _, tail := range []string{" <!-- hikeshi-inc-42-aa -->", " hikeshi-inc-42-aa", " · hikeshi-inc-42-aa"} {
		ours := "## disk full\n\nHikeshi ⬆" + tail
		for name, old := range map[string]string{
			"below":              "## before\n\nHikeshi ⬆" + tail + "\n" + words,
			"line ends":          "## before\r\n\r\nHikeshi ⬆" + tail + "\r\n" + words,
			"the marker dropped": "## before\n\nHikeshi ⬆ \n" + words,
			"another incident's": "## before\n\nHikeshi ⬆" + strings.Replace(tail, "42", "41", 1) + "\n" + words,
			"on the same line":   "## before\n\nHikeshi ⬆ " + words,
			"the line dropped":   "## disk full\n\n" + words,
			"a linked ticket":    words,
		} {
			got := remote.Keep(ours, old, 1000)
			if !strings.HasPrefix(got, ours+"\n") || strings.Count(got, words) != 1 || strings.Count(got, "## disk full") != 1 || strings.Count(got, "hikeshi-inc-") != 1 {
				t.Errorf("%s, %s: %q", tail, name, got)
			}
			if again := remote.Keep(ours, got, 1000); again != got {
				t.Errorf("%s, %s: %q the second time", tail, name, again)
			}
		}
		if got := remote.Keep(ours, words, len(ours)); got != "" {
			t.Errorf("too long, and written: %q", got)
		}
		if got := remote.Keep(ours, "\n", 1000); got != ours {
			t.Errorf("%q", got)
		}
	}
}
