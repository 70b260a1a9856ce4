package changes_test

import (
	"path/filepath"
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
	s, err := changes.Open(file, clean)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"service":"shop","title":"deployed 1.4.2 with token=abcdefgh","by":"ci","at":"2026-03-04T11:00:00Z","url":"https://ci.example.com/7"}`,
		`{"routing_key":"k","payload":{"summary":"Build Success","timestamp":"2026-03-04T10:00:00Z","source":"acme-build","custom_details":{"service":"shop","customer":"acme"}},"links":[{"href":"https://acme.example.com/1","text":"x"}]}`,
		`[{"title":"flag on","customer":"globex"}]`,
	} {
		if n, err := s.Take("pipeline", []byte(body), now); err != nil || n != 1 {
			t.Fatalf("%s: %d %v", body, n, err)
		}
	}
	for _, body := range []string{`{}`, `nonsense`, `[{"title":""}]`, `{"title":7}`, ""} {
		if _, err := s.Take("pipeline", []byte(body), now); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := changes.Open(file, clean)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	got, err := again.Ask(t.Context(), diagnostics.Question{})
	want := []diagnostics.Change{
		{At: now.Add(-time.Hour), Service: "shop", Title: "deployed 1.4.2 with token=[redacted]", By: "ci", URL: "https://ci.example.com/7"},
		{At: now.Add(-2 * time.Hour), Service: "shop", Customer: "acme", Title: "Build Success", By: "acme-build", URL: "https://acme.example.com/1"},
		{At: now, Customer: "globex", Title: "flag on", By: "pipeline"},
	}
	if err != nil || len(got.Changes) != len(want) {
		t.Fatalf("%+v %v", got, err)
	}
	for i := range want {
		if got.Changes[i] != want[i] {
			t.Errorf("%+v, not %+v", got.Changes[i], want[i])
		}
	}
}
