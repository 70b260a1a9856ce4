package changes_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/changes"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func TestChangesAreKept(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	whose := func(source string) string {
		return map[string]string{"globex-ci": "globex", "shared": diagnostics.Everybody}[source]
	}
	known := func(customer string) bool { return customer == "acme" || customer == "globex" }
	of := func(customer string) diagnostics.Question {
		return diagnostics.Question{Incident: &incidents.Incident{Customer: customer}}
	}
	replica := func(self string) *changes.Source {
		return changes.New(changes.Config{Store: store, Self: self, Clean: steps.NewRedactor().Excerpt, Whose: whose, Known: known, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	}
	s, early := replica("one"), replica("two")
	if got, err := early.Ask(t.Context(), of("")); err != nil || len(got.Changes) > 0 {
		t.Fatalf("before any was sent: %+v %v", got, err)
	}
	for _, x := range []struct{ source, body string }{
		{"pipeline", `{"service":"shop","title":"deployed 1.4.2 with token=abcdefgh","by":"ci","at":"2026-03-04T11:00:00Z","url":"https://ci.example.com/7"}`},
		{"pipeline", `{"routing_key":"k","payload":{"summary":"Build Success","timestamp":"2026-03-04T10:00:00Z","source":"acme-build","custom_details":{"service":"shop","customer":"acme"}},"links":[{"href":"pd-app:1"},{"href":"https://acme.example.com/1","text":"x"}]}`},
		{"globex-ci", `[{"title":"flag on"}]`},
		{"globex-ci", `{"title":"flag off","customer":"globex"}`},
		{"shared", `{"title":"router replaced","by":"Ann"}`},
	} {
		if n, _, err := s.Take(x.source, []byte(x.body), now); err != nil || n != 1 {
			t.Fatalf("%s: %d %v", x.body, n, err)
		}
	}
	if _, _, err := s.Take("globex-ci", []byte(`{"title":"in a stranger's name","customer":"acme"}`), now); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("of another customer: %v", err)
	}
	for _, source := range []string{"shared", "pipeline"} {
		for _, name := range []string{"acmee", "Acme", "-", " "} {
			if n, _, err := s.Take(source, fmt.Appendf(nil, `[{"title":"right","customer":"acme"},{"title":"of a stranger","customer":%q}]`, name), now); incidents.CodeOf(err) != incidents.Invalid || n != 0 || !strings.Contains(err.Error(), strconv.Quote(name)) {
				t.Errorf("%s sends %q: %d %v", source, name, n, err)
			}
		}
	}
	for _, body := range []string{`{}`, `nonsense`, `[{"title":""}]`, `{"title":7}`, ""} {
		if _, _, err := s.Take("pipeline", []byte(body), now); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, link := range []string{"javascript:alert(1)", "JavaScript://%0aalert(1)", "data:text/html,x", "file:///etc/passwd", "//ci.example.com/7", "/builds/7", "https://bo:hunter2@ci.example.com/7", "https://ci.example.com/" + strings.Repeat("7", 1500), " https://ci.example.com"} {
		for _, body := range []string{`{"title":"a link","url":%q}`, `{"payload":{"summary":"a link"},"links":[{"href":%q}]}`, `[{"title":"right"},{"title":"a link","url":%q}]`} {
			_, _, err := s.Take("pipeline", fmt.Appendf(nil, body, link), now)
			if e, ok := errors.AsType[*incidents.Error](err); !ok || e.Code != incidents.Invalid || !strings.Contains(e.Hint, "https://") {
				t.Errorf("%s of %q: %v", body, link, err)
			}
		}
	}
	if n, left, err := s.Take("pipeline", []byte(`[{"title":"of last week","at":"2026-02-25T11:00:00Z"}]`), now); n != 0 || left != 1 || err != nil {
		t.Errorf("too old: %d taken, %d left out: %v", n, left, err)
	}
	// Its sender did not hear that it had been taken.
	if _, _, err := s.Take("pipeline", []byte(`{"service":"shop","title":"deployed 1.4.2 with token=abcdefgh","by":"ci","at":"2026-03-04T11:00:00Z","url":"https://ci.example.com/7"}`), now); err != nil {
		t.Fatal(err)
	}
	shared := diagnostics.Change{At: now, Customer: diagnostics.Everybody, Title: "router replaced", By: "Ann"}
	told := map[string][]diagnostics.Change{
		"":     {{At: now.Add(-time.Hour), Service: "shop", Title: "deployed 1.4.2 with token=[redacted]", By: "ci", URL: "https://ci.example.com/7"}, shared},
		"acme": {{At: now.Add(-2 * time.Hour), Service: "shop", Customer: "acme", Title: "Build Success", By: "acme-build", URL: "https://acme.example.com/1"}, shared},
		"globex": {
			{At: now, Customer: "globex", Title: "flag on", By: "globex-ci"}, {At: now, Customer: "globex", Title: "flag off", By: "globex-ci"}, shared,
		},
	}
	for name, x := range map[string]*changes.Source{"who was sent them": s, "who was there": early, "who comes later": replica("three")} {
		for customer, want := range told {
			got, err := x.Ask(t.Context(), of(customer))
			if err != nil || !slices.Equal(got.Changes, want) {
				t.Errorf("%s tells %q %+v, not %+v: %v", name, customer, got.Changes, want, err)
			}
		}
	}
	// A sender that gives no time tries again a minute later, with another replica.
	if _, _, err := early.Take("shared", []byte(`{"title":"router replaced","by":"Ann"}`), now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*changes.Source{"who was sent it first": s, "who was sent it again": early, "who comes later": replica("four")} {
		if got, err := x.Ask(t.Context(), of("")); err != nil || !slices.Equal(got.Changes, told[""]) {
			t.Errorf("sent again, %s tells %+v: %v", name, got.Changes, err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.Take("pipeline", []byte(`{"title":"lost?"}`), now); incidents.CodeOf(err) != incidents.Unavailable || n != 0 {
		t.Errorf("%d kept without a store: %v", n, err)
	}
	if got, err := s.Ask(t.Context(), of("acme")); incidents.CodeOf(err) != incidents.Unavailable || len(got.Changes) != 2 {
		t.Errorf("without a store %d are told: %v", len(got.Changes), err)
	}
}

// Where there are no customers, the word that some tool has for its own is no customer's.
func TestWithoutCustomersAChangeIsEverybodys(t *testing.T) {
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := changes.New(changes.Config{Store: store, Self: "one", Clean: steps.NewRedactor().Excerpt, Whose: func(string) string { return diagnostics.Everybody }, Logger: slog.New(slog.DiscardHandler)})
	if _, _, err := s.Take("ci", []byte(`{"title":"deployed","customer":"retail"}`), time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Ask(t.Context(), diagnostics.Question{Incident: &incidents.Incident{}, Alert: time.Now(), To: time.Now()}); err != nil || len(got.Changes) != 1 {
		t.Errorf("%+v %v", got, err)
	}
}
