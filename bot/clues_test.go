package bot

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What came up in a log is red; what fell silent is good to know.
func TestASilentLineIsNoFailure(t *testing.T) {
	t.Parallel()
	v := view{s: &incidents.Incident{}, lang: "en", now: time.Unix(1772625600, 0)}
	for trend, want := range map[string]CheckState{"new": CheckBad, "bursting": CheckBad, "vanished": CheckNote} {
		c := incidents.Clue{Kind: incidents.ClueLog, Title: "a", At: v.now, Says: incidents.Because("clue.log."+trend, "n", "1", "usual", "2")}
		if got := v.clue(&c).State; got != want {
			t.Errorf("%s: %s, not %s", trend, got, want)
		}
	}
}
