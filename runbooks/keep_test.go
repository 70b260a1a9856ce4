package runbooks

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What is longer than what is shown is kept whole, without secrets; a check never is.
func TestLongOutputsAreKept(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a line of output\n", 200) + "canary-secret\n" + strings.Repeat("and more\n", 200)
	book := strings.NewReplacer("argv: [printf, '%s %s', one, canary-secret]", "argv: [printf, '%s', '{var.long}']", "argv: ['true']", "argv: [printf, '%s', '{var.long}']").Replace(noteBook)
	l := load(t, map[string]string{"long": long}, book)
	kept := map[string]string{}
	var fails error
	r := newRunner(t, RunnerOptions{Library: l, Secrets: []string{"canary-secret"}, Keep: func(_ context.Context, run, step, text string) error {
		kept[run+" "+step] = text
		return fails
	}})
	plan, err := l.Get("noting").Plan(incident("service", "web"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, done := r.Run(t.Context(), plan, "INC-42/1")
	text := kept["INC-42/1 first"]
	if !incidents.AllOK(done) || len(kept) != 1 || strings.Contains(text, "canary-secret") || strings.Count(text, "\n") != strings.Count(long, "\n") || len(done[0].Output) > maxShown {
		t.Errorf("%d kept, %d bytes: %+v", len(kept), len(text), done)
	}
	fails = errors.New("the store is away")
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); !incidents.AllOK(done) || done[0].Because.Phrase != "runbook.not_kept" {
		t.Errorf("%+v", done[0])
	}
}
