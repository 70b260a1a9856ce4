package runbooks

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// injectionBook puts one value into every kind of place.
const injectionBook = `id: everything
title: {en: Everything, ja: すべて}
fits: ['service="web"']
risk: high
params:
  v: {type: string, match: '(?s).*', dash: true, from: label.value}
recover:
  - id: argv
    command: {argv: [printf, '%s|%s|%s\0', '{v}', 'pre{v}-{v}post', '--option={v}']}
  - id: script
    command: {argv: [sh, -c, 'for v; do printf "%s\0" "$v"; done', sh, '{v}']}
  - id: query
    http: {method: POST, url: '{var.url}/query?a={v}&b=fixed', expect: {status: 200}}
verify:
  steps:
    - id: equal
      promql: {query: 'absent(up{job="{v}"})', expect: '== 1'}
    - id: single
      promql: {query: "absent(up{job='{v}'})", expect: '== 1'}
    - id: pattern
      promql: {query: 'absent(up{job=~"{v}"})', expect: '== 1'}
  stable: 1s
  within: 1m
escalate: {en: x, ja: x}
`

// pathBook puts it into a path, where fewer values are possible.
const pathBook = `id: path
title: {en: Path, ja: パス}
fits: ['service="web"']
risk: high
params:
  v: {type: string, match: '(?s).*', dash: true, from: label.value}
recover:
  - id: path
    http: {method: POST, url: '{var.url}/path/{v}/end', expect: {status: 200}}
verify:
  steps: [{command: {argv: [true]}}]
  stable: 1s
  within: 1m
escalate: {en: x, ja: x}
`

// echo answers with what it understood of the request.
func echo(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/query":
		q := r.URL.Query()
		if len(q) != 2 || q.Get("b") != "fixed" {
			http.Error(w, "the query has another shape: "+r.URL.RawQuery, http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, q.Get("a"))
	case r.PathValue("v") != "" || strings.HasPrefix(r.URL.EscapedPath(), "/path/"):
		fmt.Fprint(w, r.PathValue("v"))
	default:
		http.Error(w, "another path: "+r.URL.EscapedPath(), http.StatusNotFound)
	}
}

// Whatever a value says, it arrives byte for byte as one argument, one component
// or one literal, at a real process, a real server and a real Prometheus; or it
// was refused before. Nothing else ever runs. One process gets the arguments of many
// values, as their plans have resolved them.
func TestInjection(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/path/{v}/end", echo)
	mux.HandleFunc("/query", echo)
	server := httptest.NewServer(mux)
	defer server.Close()
	prom := testenv.Prometheus(t, "global: {scrape_interval: 1h}\n")
	l := load(t, map[string]string{"url": server.URL}, injectionBook, pathBook)
	executors, err := steps.New(steps.Config{Origins: l.Origins, Prometheus: prom.URL})
	if err != nil {
		t.Fatal(err)
	}
	heard, commands := &recorder{}, &gathering{resolved: map[string][]resolved{}}
	wrapped := map[string]steps.Executor{}
	for kind, e := range executors {
		wrapped[kind] = heard.listen(e)
	}
	wrapped[steps.KindCommand] = commands
	tried := &trial{runner: newRunner(t, RunnerOptions{Library: l, Executors: wrapped}), library: l, heard: heard}
	canary := filepath.Join(t.TempDir(), "canary")
	values := testenv.Injections(canary)
	var ran int
	var mu sync.Mutex
	var workers sync.WaitGroup
	work := make(chan string)
	for range 4 {
		workers.Go(func() {
			for v := range work {
				tried.path(t, v)
				if tried.inject(t, v) {
					mu.Lock()
					ran++
					mu.Unlock()
				}
			}
		})
	}
	for _, v := range values {
		work <- v
	}
	close(work)
	workers.Wait()
	commands.carryOut(t, executors[steps.KindCommand], "argv", 2, func(v string) string { return v + "|pre" + v + "-" + v + "post|--option=" + v })
	commands.carryOut(t, executors[steps.KindCommand], "script", 4, func(v string) string { return v })
	if _, err := os.Stat(canary); err == nil {
		t.Error("a value was run")
	}
	t.Logf("%d of %d values were accepted and arrived as they are", ran, len(values))
	if ran < 150 {
		t.Errorf("only %d values were tried: the others were refused", ran)
	}
}

// A trial is what the values are tried on.
type trial struct {
	runner  *Runner
	library *Library
	heard   *recorder
}

// inject tries v in an argv, a script's argument, a query of a URL and PromQL.
func (tr *trial) inject(t *testing.T, v string) bool {
	t.Helper()
	rb, s := tr.library.Get("everything"), incident("service", "web", "value", v)
	plan, err := rb.Plan(s, map[string]string{"v": v}) // an empty label is none
	if err != nil {
		e, ok := err.(*incidents.Error) //nolint:errorlint // Plan's own
		if !ok || e.Code != incidents.Invalid || e.Hint == "" || !phrases.Has(e.Phrase) {
			t.Errorf("%q: %#v", v, err)
		}
		if ordinary(v) {
			t.Errorf("%q was refused: %v", v, err)
		}
		return false
	}
	if again, err := rb.Plan(s, nil); v != "" && (err != nil || again.Digest != plan.Digest) {
		t.Errorf("%q: another plan when it comes from the label: %v", v, err)
	}
	execution := everything + v
	before, done := tr.runner.Run(t.Context(), plan, execution)
	if got := tr.heard.raw(execution, "query"); len(done) != 3 || !done[2].OK || got != v {
		t.Errorf("%q: the query gave %q (%+v)", v, got, done)
	}
	for i, r := range before { // absent() answers with the matchers that it was given
		got := strings.TrimSpace(tr.heard.raw("", plan.Verify.Steps[i].Query))
		want := incidents.Labels{{Name: "job", Value: v}}.String() + " 1"
		if !r.OK || r.Step != "pattern" && v != "" && got != want {
			t.Errorf("%q: Prometheus understood %s, want %s (%+v)", v, got, want, r)
		}
	}
	return true
}

// path tries v, and what is left of it without slashes, in a URL's path.
func (tr *trial) path(t *testing.T, v string) {
	t.Helper()
	for _, v := range []string{v, strings.NewReplacer("/", "", `\`, "").Replace(v)} {
		plan, err := tr.library.Get("path").Plan(incident("service", "web"), map[string]string{"v": v})
		if err != nil {
			if ordinary(v) && !strings.ContainsAny(v, `/\`) {
				t.Errorf("%q was refused: %v", v, err)
			}
			continue
		}
		execution := "path " + v
		if _, done := tr.runner.Run(t.Context(), plan, execution); len(done) != 1 || !done[0].OK || tr.heard.raw(execution, "path") != v {
			t.Errorf("%q: %+v", v, done)
		}
	}
}

// everything begins the names of the runs of injectionBook, before the value.
const everything = "everything "

// A gathering keeps the commands that it gets, to carry them out many at a time.
type gathering struct {
	mu       sync.Mutex
	resolved map[string][]resolved // by step
}

type resolved struct {
	value string
	step  incidents.Step
}

func (g *gathering) Execute(_ context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resolved[step.ID] = append(g.resolved[step.ID], resolved{strings.TrimPrefix(env.Execution, everything), step})
	return incidents.StepResult{OK: true}
}

// carryOut gives the arguments behind the first few, which all have in common, to one
// command for many values, and holds what it prints for each to what it should.
func (g *gathering) carryOut(t *testing.T, e steps.Executor, id string, common int, want func(v string) string) {
	t.Helper()
	const atOnce = 40 // values: a command line and an output are bounded
	for some := range slices.Chunk(g.resolved[id], atOnce) {
		step, wanted := some[0].step, ""
		step.Argv = slices.Clone(step.Argv[:common])
		for _, r := range some {
			step.Argv = append(step.Argv, r.step.Argv[common:]...)
			wanted += want(r.value) + "\x00"
		}
		if r := e.Execute(t.Context(), step, steps.Env{Execution: "INC-7/1"}); !r.OK || r.Output != wanted {
			t.Errorf("%s: got %q, want %q (%+v)", id, r.Output, wanted, r)
		}
	}
}

// A recorder hears what steps give before it is made fit to be shown: by run and
// step, and for checks by query.
type recorder struct{ outputs sync.Map }

func (h *recorder) listen(to steps.Executor) steps.Executor {
	return hearing(func(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
		r := to.Execute(ctx, step, env)
		h.outputs.Store([2]string{env.Execution, step.ID}, r.Output)
		h.outputs.Store([2]string{env.Execution, step.Query}, r.Output)
		return r
	})
}

func (h *recorder) raw(execution, step string) string {
	out, _ := h.outputs.Load([2]string{execution, step})
	text, _ := out.(string)
	return text
}

type hearing func(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult

func (f hearing) Execute(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
	return f(ctx, step, env)
}

// ordinary values must be accepted.
func ordinary(v string) bool {
	return len(v) <= maxValue && v != "" && v != "." && v != ".." && !strings.ContainsFunc(v, func(c rune) bool {
		return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || c == '\u202e' || c == '\uFFFD'
	})
}
