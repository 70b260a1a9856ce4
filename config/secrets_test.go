package config

import (
	"slices"
	"testing"

	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

func TestSecretsThatComeByOtherWays(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DB_PASSWORD": "correct horse", "API_TOKEN": "1", "LANG": "ja_JP.UTF-8"}
	if got := handedOn([]string{"DB_PASSWORD", "API_TOKEN", "LANG", "GONE_TOKEN"}, func(name string) string { return env[name] }); !slices.Equal(got, []string{"correct horse"}) {
		t.Errorf("%q", got)
	}
	desks := TicketDesks{Desks: []TicketDesk{{Remote: remote.Config{Token: "hikeshi:hunter2hunter2"}}}}
	for _, want := range []string{"hikeshi:hunter2hunter2", "hunter2hunter2", "aGlrZXNoaTpodW50ZXIyaHVudGVyMg=="} {
		if got := desks.secrets(); !slices.Contains(got, want) {
			t.Errorf("%q lacks %s", got, want)
		}
	}
}
