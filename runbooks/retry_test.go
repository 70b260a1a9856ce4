package runbooks

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// A faulty executor fails until it was asked so often.
type faulty struct{ fails, asked int }

func (f *faulty) Execute(context.Context, incidents.Step, steps.Env) incidents.StepResult {
	f.asked++
	return incidents.StepResult{OK: f.asked > f.fails}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fails, times, asked int
		ok                  bool
		took                time.Duration
	}{
		"at once":    {0, 5, 1, true, 0},
		"third time": {2, 5, 3, true, 20 * time.Second},
		"never":      {99, 5, 5, false, 40 * time.Second},
		"once":       {1, 0, 1, false, 0},
		"forged":     {99, 1000, maxTries, false, 90 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &faulty{fails: c.fails}
			r := newRunner(t, RunnerOptions{Library: load(t, nil, plainBook), Executors: map[string]steps.Executor{KindHTTP: f}})
			step := incidents.Step{ID: "site", Kind: KindHTTP, Timeout: time.Second}
			if c.times > 0 {
				step.Retry = &incidents.Retry{Times: c.times, Every: 10 * time.Second}
			}
			began := time.Now()
			got := r.execute(t.Context(), r.checks, step, steps.Env{})
			if got.OK != c.ok || f.asked != c.asked || time.Since(began) != c.took {
				t.Errorf("%s: %t after %d tries in %s", name, got.OK, f.asked, time.Since(began))
			}
		})
	}
}

// Whoever is stopped tries no more.
func TestRetryStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{fails: 99}
		r := newRunner(t, RunnerOptions{Library: load(t, nil, plainBook), Executors: map[string]steps.Executor{KindHTTP: f}})
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		r.execute(ctx, r.checks, incidents.Step{Kind: KindHTTP, Timeout: time.Second, Retry: &incidents.Retry{Times: 10, Every: 10 * time.Second}}, steps.Env{})
		if f.asked != 2 {
			t.Errorf("it was asked %d times", f.asked)
		}
	})
}

func TestRetryLint(t *testing.T) {
	t.Parallel()
	check := func(extra string) string {
		return strings.Replace(plainBook, "    http: {url", "    "+extra+"\n    http: {url", 1)
	}
	repair := func(extra string) string {
		return strings.Replace(plainBook, "    command: {argv: [sys", "    "+extra+"\n    command: {argv: [sys", 1)
	}
	for name, c := range map[string]struct{ source, want string }{
		"check":             {check("retry: {times: 10, every: 5s}"), ""},
		"recover":           {repair("retry: {times: 3, every: 5s}"), "retry_recover"},
		"recover, not idem": {repair("idempotent: false\n    retry: {times: 3, every: 5s}"), "retry_recover"},
		"recover, idem":     {repair("idempotent: true\n    retry: {times: 3, every: 5s}"), ""},
		"idem for nothing":  {repair("idempotent: true"), "idempotent_once"},
		"too often":         {check("retry: {times: 11}"), "retry_times"},
		"once":              {check("retry: {times: 1}"), "retry_times"},
		"too long":          {check("timeout: 5m\n    retry: {times: 4}"), "retry_long"},
	} {
		_, problems := Parse("x.yaml", []byte(c.source), nil)
		if hit := slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint."+c.want }); hit != (c.want != "") || c.want == "" && len(Errors(problems)) > 0 {
			t.Errorf("%s: %+v", name, problems)
		}
	}
	one, _ := Parse("x.yaml", []byte(repair("idempotent: true\n    retry: {times: 3, every: 5s}")), nil)
	other, _ := Parse("x.yaml", []byte(repair("idempotent: true\n    retry: {times: 4, every: 5s}")), nil)
	other.Digest = one.Digest
	a, errA := one.Plan(incident("service", "web"), nil)
	b, errB := other.Plan(incident("service", "web"), nil)
	if errA != nil || errB != nil || a.Digest == b.Digest || a.Recover[0].Retry.Times != 3 {
		t.Errorf("the plans do not differ: %v %v %+v", errA, errB, a.Recover)
	}
}
