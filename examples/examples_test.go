package examples_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// Each runbook of the library that does something has its tests, with several cases
// and every branch in one of them, and all pass.
func TestRunbooksDoWhatTheirTestsSay(t *testing.T) {
	t.Parallel()
	results, err := runbooks.Rehearse(".")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]int{}
	for _, r := range results {
		cases[strings.TrimSuffix(filepath.Base(r.File), runbooks.TestSuffix)]++
		for _, wrong := range r.Wrong {
			t.Errorf("%s: %s: %s", r.File, r.Case, wrong)
		}
	}
	library, _ := runbooks.Load(runbooks.Sources{Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": "http://127.0.0.1:80"}})
	for _, rb := range library.All() {
		if !rb.Changes() && len(rb.Branches) == 0 {
			continue
		}
		if cases[rb.ID] < 2 {
			t.Errorf("%s has %d cases", rb.ID, cases[rb.ID])
		}
		script, err := os.ReadFile(filepath.Join("runbooks", rb.ID+runbooks.TestSuffix))
		if err != nil {
			t.Errorf("%s: %v", rb.ID, err)
		}
		for _, b := range rb.Branches {
			if !strings.Contains(string(script), "branch: "+b.ID) {
				t.Errorf("%s: no case leads to branch %s", rb.ID, b.ID)
			}
		}
	}
	if len(cases) < 12 {
		t.Errorf("%d runbooks with tests, want at least 12", len(cases))
	}
}

// The checks that need nothing but a Linux machine are carried out for real.
func TestHostChecksFindSomething(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		testenv.Skip(t, "the checks look at Linux")
	}
	library, _ := runbooks.Load(runbooks.Sources{Embedded: examples.Runbooks(), Vars: map[string]string{"site_url": "http://127.0.0.1:80"}})
	patient(library.Get("host-overview"))
	patient(library.Get("disk-full"))
	s := &incidents.Incident{ID: 1, Common: incidents.LabelsFromMap(map[string]string{"alertname": "DiskFull", "mountpoint": "/tmp"})}
	findings := runner(t, library, nil).Diagnose(t.Context(), s)
	if len(findings) != 5 {
		t.Errorf("%d findings, want the 4 of host-overview and the 1 of disk-full", len(findings))
	}
	for _, f := range findings {
		if f.Error != "" || f.Value == "" {
			t.Errorf("%+v", f)
		}
	}
}
