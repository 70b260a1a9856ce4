package runbooks

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Whatever a file holds, reading it neither panics nor lets through what a plan
// must not have.
func FuzzParse(f *testing.F) {
	f.Add([]byte(plainBook))
	f.Add([]byte(paramBook))
	f.Add([]byte(injectionBook))
	for _, content := range hostileFiles() {
		if len(content) < 4<<10 {
			f.Add([]byte(content))
		}
	}
	for _, dir := range []string{"runbooks", "demo"} {
		err := fs.WalkDir(os.DirFS(filepath.Join("..", "examples", dir)), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(filepath.Join("..", "examples", dir, name))
			f.Add(content)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	s := incident("service", "web", "instance", "web-1:9100", "name", "x.service", "value", "$(id)\"}")
	f.Fuzz(func(t *testing.T, content []byte) {
		rb, problems := Parse("x.yaml", content, map[string]string{"url": "http://127.0.0.1:1", "site_url": "http://127.0.0.1:1"})
		if (rb == nil) == (len(Errors(problems)) == 0) {
			t.Fatalf("usable %t with %v", rb != nil, problems)
		}
		for _, p := range problems {
			p.Text(phrases.Japanese, phrases.Fill)
		}
		Parse("x.yaml", content, nil)
		if rb == nil {
			return
		}
		Sheet(rb, phrases.Japanese, phrases.Fill)
		rb.Fit(s)
		if rb.Changes() && (len(rb.Verify.Steps) == 0 || rb.Risk == incidents.RiskRead || rb.Verify.Stable >= rb.Verify.Within) {
			t.Fatalf("it recovers without being verified: %+v", rb)
		}
		plan, err := rb.Plan(s, nil)
		if err != nil {
			return
		}
		for _, step := range append(append(plan.Recover, plan.Verify.Steps...), plan.Check...) {
			if _, err := steps.ParseExpect(step.Expect); err != nil {
				t.Fatal(err)
			}
			if step.Timeout <= 0 || step.Timeout > MaxTimeout || step.ID == "" {
				t.Fatalf("%+v", step)
			}
			if step.Kind == KindHTTP && !strings.HasPrefix(step.URL, "http://") && !strings.HasPrefix(step.URL, "https://") {
				t.Fatalf("%+v", step)
			}
		}
	})
}
