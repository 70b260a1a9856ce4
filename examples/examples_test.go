package examples_test

import (
	"runtime"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/examples"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
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

// The checks that need nothing but a Linux machine are carried out for real.
func TestHostChecksFindSomething(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "the checks look at Linux")
	}
	library, _ := runbooks.Load(runbooks.Sources{Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": "http://127.0.0.1:80"}})
	runner, err := runbooks.NewRunner(runbooks.RunnerOptions{Library: library})
	if err != nil {
		t.Fatal(err)
	}
	s := &incidents.Incident{ID: 1, Common: incidents.LabelsFromMap(map[string]string{"alertname": "DiskFull", "mountpoint": "/tmp"})}
	findings := runner.Diagnose(t.Context(), s)
	if len(findings) != 5 {
		t.Errorf("%d findings, want the 4 of host-overview and the 1 of disk-full", len(findings))
	}
	for _, f := range findings {
		if f.Error != "" || f.Value == "" {
			t.Errorf("%+v", f)
		}
	}
}
