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

// Of a run that is told to stop in its middle nobody hears a result: what its steps said
// is kept, however short.
func TestOutputsOfAStoppedRunAreKept(t *testing.T) {
	t.Parallel()
	l := load(t, nil, withLine(t, "recover:", `recover:
  - {id: one, command: {argv: ['true']}}
  - {id: two, command: {argv: ['true']}}
  - {id: three, command: {argv: ['true']}}`))
	stop := func() {}
	kept := map[string]string{}
	r := newRunner(t, RunnerOptions{
		Library: l, Secrets: []string{"canary-secret"},
		Executors: withStub(func(ctx context.Context, step incidents.Step) incidents.StepResult {
			if step.ID == "two" {
				stop()
				return incidents.StepResult{Output: "half of it, canary-secret"}
			}
			return incidents.StepResult{OK: true, Output: step.ID}
		}),
		Keep: func(ctx context.Context, run, step, text string) error {
			kept[run+" "+step] = text
			return ctx.Err()
		},
	})
	plan := l.Fitting(incident("service", "web"))[0].Plan
	r.Run(t.Context(), plan, "INC-42/1")
	if len(kept) != 0 {
		t.Errorf("%q: its result shows that", kept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop = cancel
	r.Run(ctx, plan, "INC-42/2")
	if len(kept) != 2 || kept["INC-42/2 one"] != "one" || !strings.HasPrefix(kept["INC-42/2 two"], "half of it") || strings.Contains(kept["INC-42/2 two"], "canary") {
		t.Errorf("%q", kept)
	}
}
