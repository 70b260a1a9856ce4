package examples_test

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/examples"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// What people copy from here has neither an error nor a warning.
func TestRunbooksAreWithoutProblems(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]runbooks.Sources{
		"runbooks": {Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": "http://127.0.0.1:80"}},
		"demo":     {Embedded: examples.Demo(), Vars: map[string]string{"shop_url": "http://127.0.0.1:8090", "shop_dir": "/tmp/shop", "hikeshi": "/usr/bin/hikeshi"}},
	} {
		library, problems := runbooks.Load(s)
		for _, p := range problems {
			t.Errorf("%s: %s", name, p.Text(phrases.English, phrases.Fill))
		}
		if len(library.All()) < 4 {
			t.Errorf("%s: %d runbooks, want at least 4", name, len(library.All()))
		}
	}
}
