package bot

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// That nothing is suggested, and why, is said without saying the same twice.
func TestNothingSuggestedIsSaidOnce(t *testing.T) {
	t.Parallel()
	for _, lang := range phrases.Languages {
		what := strings.ToLower(phrases.T(lang, "timeline.ranked.none"))
		for _, why := range []string{"why.none", "why.none.name", "why.none.declared", "why.none.unlikely", "why.none.unlikely.unseen"} {
			because := phrases.T(lang, why)
			common := "no known action"
			if lang == "ja" {
				common = "既知の対処"
			}
			if !strings.Contains(strings.ToLower(because), common) {
				t.Errorf("%s %s no longer begins with it: %q", lang, why, because)
			}
			if strings.Contains(what, common) {
				t.Errorf("%s: %s — %s", lang, what, because)
			}
		}
	}
}
