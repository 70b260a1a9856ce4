package changes_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/changes"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

func TestChangesAreKept(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "changes")
	clean := steps.NewRedactor().Excerpt
	whose := func(source string) string { return map[string]string{"globex-ci": "globex", "shared": diagnostics.Everybody}[source] }
	s, err := changes.Open(file, clean, whose)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ source, body string }{
		{"pipeline", `{"service":"shop","title":"deployed 1.4.2 with token=abcdefgh","by":"ci","at":"2026-03-04T11:00:00Z","url":"https://ci.example.com/7"}`},
		{"pipeline", `{"routing_key":"k","payload":{"summary":"Build Success","timestamp":"2026-03-04T10:00:00Z","source":"acme-build","custom_details":{"service":"shop","customer":"acme"}},"links":[{"href":"https://acme.example.com/1","text":"x"}]}`},
		{"globex-ci", `[{"title":"flag on"}]`},
		{"globex-ci", `{"title":"flag off","customer":"globex"}`},
		{"shared", `{"title":"router replaced","by":"Ann"}`},
	} {
		if n, err := s.Take(x.source, []byte(x.body), now); err != nil || n != 1 {
			t.Fatalf("%s: %d %v", x.body, n, err)
		}
	}
	if _, err := s.Take("globex-ci", []byte(`{"title":"in a stranger's name","customer":"acme"}`), now); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("of another customer: %v", err)
	}
	for _, body := range []string{`{}`, `nonsense`, `[{"title":""}]`, `{"title":7}`, ""} {
		if _, err := s.Take("pipeline", []byte(body), now); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := changes.Open(file, clean, whose)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	shared := diagnostics.Change{At: now, Customer: diagnostics.Everybody, Title: "router replaced", By: "Ann"}
	for customer, want := range map[string][]diagnostics.Change{
		"":     {{At: now.Add(-time.Hour), Service: "shop", Title: "deployed 1.4.2 with token=[redacted]", By: "ci", URL: "https://ci.example.com/7"}, shared},
		"acme": {{At: now.Add(-2 * time.Hour), Service: "shop", Customer: "acme", Title: "Build Success", By: "acme-build", URL: "https://acme.example.com/1"}, shared},
		"globex": {
			{At: now, Customer: "globex", Title: "flag on", By: "globex-ci"}, {At: now, Customer: "globex", Title: "flag off", By: "globex-ci"}, shared,
		},
	} {
		got, err := again.Ask(t.Context(), diagnostics.Question{Incident: &incidents.Incident{Customer: customer}})
		if err != nil || !slices.Equal(got.Changes, want) {
			t.Errorf("%q is told %+v, not %+v: %v", customer, got.Changes, want, err)
		}
	}
}
