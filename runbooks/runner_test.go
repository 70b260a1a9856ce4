package runbooks

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// newRunner makes one that carries out for real what o has nothing for.
func newRunner(t *testing.T, o RunnerOptions) *Runner {
	t.Helper()
	all, err := steps.New(steps.Config{Origins: o.Library.Origins})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, o.Executors)
	o.Executors = all
	return NewRunner(o)
}

// A real service, a real file: the check fails, the recovery runs, the check passes.
func TestRunForReal(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "mended")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(flag); err != nil {
			http.Error(w, "broken", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	source := strings.ReplaceAll(plainBook, "http://web.example", "{var.url}")
	source = strings.Replace(source, "argv: [systemctl, restart, web.service]", "argv: [touch, '{var.flag}']", 1)
	l := load(t, map[string]string{"url": server.URL, "flag": flag}, source)
	r := newRunner(t, RunnerOptions{Library: l})
	s := incident("service", "web")

	findings := r.Diagnose(t.Context(), s)
	if len(findings) != 1 || findings[0].OK || findings[0].Check != "restart-web/site" || findings[0].Value != "HTTP 503" || findings[0].At.IsZero() {
		t.Errorf("%+v", findings)
	}
	plan := l.Fitting(s)[0].Plan
	before, done := r.Run(t.Context(), plan, "INC-42/1")
	if len(before) != 1 || before[0].OK || before[0].Value != "HTTP 503" {
		t.Errorf("before: %+v", before)
	}
	if !incidents.AllOK(done) || len(done) != 1 || done[0].Step != "restart" || done[0].Title.EN != "Restart" {
		t.Errorf("%+v", done)
	}
	if after := r.Look(t.Context(), plan, "INC-42/1"); !incidents.AllOK(after) || after[0].Value != "HTTP 200" {
		t.Errorf("after: %+v", after)
	}
}

func TestRunStopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := load(t, map[string]string{"dir": dir}, withLine(t, "recover:", `recover:
  - {id: one, command: {argv: [touch, '{var.dir}/one']}}
  - {id: two, command: {argv: [sh, -c, 'echo it broke >&2; exit 4']}}
  - {id: three, command: {argv: [touch, '{var.dir}/three']}}`))
	r := newRunner(t, RunnerOptions{Library: l, Executors: map[string]steps.Executor{KindHTTP: stub(func(context.Context, incidents.Step) incidents.StepResult { return incidents.StepResult{} })}})
	_, done := r.Run(t.Context(), l.Fitting(incident("service", "web"))[0].Plan, "INC-42/1")
	if len(done) != 2 || !done[0].OK || done[1].OK || done[1].Value != "exit 4: it broke" || done[1].Output != "it broke" {
		t.Errorf("%+v", done)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
}

// Nothing runs but what was sealed, by the runbook as it is now (S17, S47).
func TestRunRefusesOtherPlans(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	source := strings.Replace(plainBook, "argv: [systemctl, restart, web.service]", "argv: [touch, '{var.out}/ran']", 1)
	write(t, file, source, 0o644)
	l, problems := Load(Sources{Paths: []string{dir}, Vars: map[string]string{"out": out}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := newRunner(t, RunnerOptions{Library: l})
	plan := l.Fitting(incident("service", "web"))[0].Plan

	tampered := plan
	tampered.Recover = slices.Clone(plan.Recover)
	tampered.Recover[0].Argv = []string{"touch", out + "/tampered"}
	unsealed := plan
	unsealed.Digest = ""
	empty := plan
	empty.Recover = nil
	empty = empty.Seal()
	unverified := plan
	unverified.Verify.Steps = nil
	unverified = unverified.Seal()
	for name, p := range map[string]incidents.Plan{"tampered": tampered, "unsealed": unsealed, "empty": empty, "unverified": unverified, "none": {}} {
		if _, done := r.Run(t.Context(), p, "INC-42/1"); len(done) != 1 || done[0].OK || done[0].Because.Phrase != "because.plan_changed" {
			t.Errorf("%s: %+v", name, done)
		}
	}
	write(t, file, source+"# edited\n", 0o644)
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.changed" {
		t.Errorf("edited, and not read again yet: %+v", done)
	}
	if problems := l.Reload(); len(problems) > 0 {
		t.Fatal(problems)
	}
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.changed" {
		t.Errorf("an edited runbook: %+v", done)
	}
	gone := func(what string) {
		t.Helper()
		if _, done := r.Run(t.Context(), plan, "INC-42/1"); len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.gone" {
			t.Errorf("%s: %+v", what, done)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	gone("deleted, and not read again yet")
	if problems := l.Reload(); len(problems) > 0 {
		t.Fatal(problems)
	}
	gone("deleted")
	write(t, file, source+"# edited\n", 0o644)
	if problems := l.Reload(); len(problems) > 0 {
		t.Fatal(problems)
	}
	write(t, file, "id: [", 0o644)
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); len(done) != 1 || done[0].OK || done[0].Because.Phrase != "runbook.changed" {
		t.Errorf("a file that cannot be read any more is not gone: %+v", done)
	}
	write(t, file, source+"# edited\n", 0o644)
	if entries, _ := os.ReadDir(out); len(entries) > 0 {
		t.Errorf("something ran: %v", entries)
	}
	if _, done := r.Run(t.Context(), l.Fitting(incident("service", "web"))[0].Plan, "INC-42/1"); !incidents.AllOK(done) {
		t.Errorf("a new plan: %+v", done)
	}
}

// A stub carries out steps as its function says.
type stub func(ctx context.Context, step incidents.Step) incidents.StepResult

func (f stub) Execute(ctx context.Context, step incidents.Step, _ steps.Env) incidents.StepResult {
	return f(ctx, step)
}

func withStub(f stub) map[string]steps.Executor {
	return map[string]steps.Executor{KindCommand: f, KindHTTP: f}
}

// diagnostic is a runbook that only checks, with one command for each word.
func diagnostic(id string, words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "id: %s\ntitle: {en: %s, ja: %s}\nfits: ['service=\"web\"']\ncheck:\n", id, id, id)
	for _, w := range words {
		fmt.Fprintf(&b, "  - {id: %s, title: {en: %s, ja: x}, command: {argv: [look, %s]}, timeout: 5s}\n", w, w, w)
	}
	return b.String()
}

// All checks run at the same time, each once, the diagnostics' first; what did
// not finish in time says so.
func TestDiagnose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked sync.Map
		r := newRunner(t, RunnerOptions{
			Library: load(t, nil, plainBook, diagnostic("a", "quick", "slow", "never"), diagnostic("b", "slow", "bad"),
				strings.Replace(diagnostic("c", "other"), "web", "db", 1)),
			Executors: withStub(func(ctx context.Context, step incidents.Step) incidents.StepResult {
				if _, twice := asked.LoadOrStore(stepKey(step), true); twice {
					t.Errorf("%v was asked twice", step.Argv)
				}
				switch step.ID {
				case "slow":
					time.Sleep(4 * time.Second)
				case "never":
					<-ctx.Done()
					return steps.Failed(steps.Stopped(ctx, step))
				}
				return incidents.StepResult{OK: step.ID != "bad", Value: "looked at " + step.ID}
			}),
			Within: 4500 * time.Millisecond,
		})
		began := time.Now()
		findings := r.Diagnose(t.Context(), incident("service", "web"))
		if took := time.Since(began); took != 4500*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		var got []string
		for _, f := range findings {
			got = append(got, fmt.Sprintf("%s %t %s%s %v", f.Check, f.OK, f.Value, f.Because.Phrase, f.Elapsed))
		}
		want := []string{
			"a/quick true looked at quick 0s", "a/slow true looked at slow 4s", "a/never false runbook.no_time 4.5s",
			"b/bad false looked at bad 0s", "restart-web/site true looked at site 0s",
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// A check whose parameter nobody gave is a finding that says so; one of them does
// not keep the others from running.
func TestDiagnoseWithoutParameter(t *testing.T) {
	t.Parallel()
	r := newRunner(t, RunnerOptions{
		Library: load(t, nil, paramBook, diagnostic("a", "quick")),
		Executors: withStub(func(_ context.Context, step incidents.Step) incidents.StepResult {
			return incidents.StepResult{OK: true, Value: strings.Join(step.Argv, " ")}
		}),
	})
	findings := r.Diagnose(t.Context(), incident("service", "web"))
	if len(findings) != 2 || !findings[0].OK || findings[1].OK || findings[1].Check != "scale" || findings[1].Because.Phrase != "runbook.param_missing" {
		t.Errorf("%+v", findings)
	}
	// the recovery's own parameter (unit) is not needed to look
	findings = r.Diagnose(t.Context(), incident("service", "web", "instance", "web-1:9100"))
	if len(findings) != 2 || !findings[1].OK || findings[1].Value != "ping -c1 web-1" {
		t.Errorf("%+v", findings)
	}
}

func TestDiagnoseHasALimit(t *testing.T) {
	t.Parallel()
	var words []string
	for i := range MaxSteps {
		words = append(words, fmt.Sprintf("w%d", i))
	}
	r := newRunner(t, RunnerOptions{
		Library:   load(t, nil, diagnostic("a", words...), diagnostic("b", "more")),
		Executors: withStub(func(context.Context, incidents.Step) incidents.StepResult { return incidents.StepResult{OK: true} }),
	})
	if n := len(r.Diagnose(t.Context(), incident("service", "web"))); n != incidents.MaxFindings {
		t.Errorf("%d findings", n)
	}
}

// At most 8 checks at once, and a run does not wait for them (S43).
func TestPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		var words []string
		for i := range 20 {
			words = append(words, fmt.Sprintf("w%d", i))
		}
		l := load(t, nil, diagnostic("a", words...), strings.Replace(plainBook, "web.service", "db.service", 1))
		r := newRunner(t, RunnerOptions{Library: l, Executors: withStub(func(ctx context.Context, step incidents.Step) incidents.StepResult {
			if step.ID == "restart" || step.ID == "site" {
				return incidents.StepResult{OK: true}
			}
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			return incidents.StepResult{OK: true}
		})})
		s := incident("service", "web")
		go r.Diagnose(t.Context(), s)
		synctest.Wait()
		began := time.Now()
		before, done := r.Run(t.Context(), l.Fitting(s)[0].Plan, "INC-42/1")
		if !incidents.AllOK(before) || !incidents.AllOK(done) || time.Since(began) != 0 {
			t.Errorf("%+v, %+v after %v", before, done, time.Since(began))
		}
		time.Sleep(5 * time.Second)
		if most.Load() != MaxExecutions || now.Load() != 0 {
			t.Errorf("%d at once, %d left", most.Load(), now.Load())
		}
	})
}

// A step has its own timeout; when the process stops, that is the reason.
func TestStepEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := load(t, nil, plainBook)
		r := newRunner(t, RunnerOptions{Library: l, Executors: withStub(func(ctx context.Context, step incidents.Step) incidents.StepResult {
			<-ctx.Done()
			return steps.Failed(steps.Stopped(ctx, step))
		})})
		plan := l.Fitting(incident("service", "web"))[0].Plan
		began := time.Now()
		before, done := r.Run(t.Context(), plan, "INC-42/1")
		if before[0].Because.Phrase != "runbook.timeout" || done[0].Because.Phrase != "runbook.timeout" || time.Since(began) != CheckTimeout+RecoverTimeout {
			t.Errorf("%+v %+v after %v", before, done, time.Since(began))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if look := r.Look(ctx, plan, ""); look[0].Because.Phrase != "runbook.interrupted" {
			t.Errorf("%+v", look)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if look := r.Look(ctx, plan, ""); look[0].Because.Phrase != "runbook.no_time" {
			t.Errorf("%+v", look)
		}
	})
}

// What leaves the package has no secrets in any of its fields (S41), and is cut.
func TestResultsAreClean(t *testing.T) {
	t.Parallel()
	const secret = "my-canary-token"
	l := load(t, nil, plainBook)
	r := newRunner(t, RunnerOptions{Library: l, Secrets: []string{secret}, Executors: withStub(func(context.Context, incidents.Step) incidents.StepResult {
		return incidents.StepResult{
			Value: "v " + secret + "\nsecond line", Error: "e " + secret, Output: "o " + secret + " password=canary \x1b[31m" + strings.Repeat("x", 5000),
			Because: incidents.Because("runbook.no_answer", "error", secret),
		}
	})})
	plan := l.Fitting(incident("service", "web"))[0].Plan
	_, done := r.Run(t.Context(), plan, "INC-42/1")
	findings := r.Diagnose(t.Context(), incident("service", "web"))
	all := fmt.Sprintf("%+v %+v", done, findings)
	if strings.Contains(all, "canary") || strings.Contains(all, "\x1b") || strings.Contains(all, "second line") || len(done[0].Output) > maxShown {
		t.Error(all)
	}
}

func TestRunnerConfiguration(t *testing.T) {
	t.Parallel()
	l := load(t, nil, plainBook)
	if got := l.Origins(); !slices.Equal(got, []string{"http://web.example:80"}) {
		t.Errorf("%v", got)
	}
	r := newRunner(t, RunnerOptions{Library: l})
	odd := incidents.Step{ID: "x", Kind: "telepathy", Timeout: time.Second}
	if got := r.execute(t.Context(), r.checks, odd, steps.Env{}); got.Because.Phrase != "runbook.bad_step" {
		t.Errorf("%+v", got)
	}
	for _, timeout := range []time.Duration{0, -1, MaxTimeout + 1} {
		step := incidents.Step{ID: "x", Kind: KindCommand, Argv: []string{"true"}, Timeout: timeout}
		if got := r.execute(t.Context(), r.runs, step, steps.Env{}); got.OK || got.Because.Phrase != "runbook.bad_step" {
			t.Errorf("timeout %v: %+v", timeout, got)
		}
	}
}
