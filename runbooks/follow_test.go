package runbooks

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What a step says is there before it ends: this one ends only once it was read.
func TestARunIsFollowedWhileItGoes(t *testing.T) {
	t.Parallel()
	read := filepath.Join(t.TempDir(), "read")
	l := load(t, map[string]string{"read": read}, withLine(t, "recover:", `recover:
  - {id: one, command: {argv: ['true']}}
  - {id: two, title: Wait, command: {argv: [sh, -c, 'printf "token=canary-\033[1m"; printf "secret\nhello\n" >&2; until test -e "$0"; do sleep 0.01; done; echo; echo over', '{var.read}']}}`))
	var seen incidents.Progress
	left := false
	r := newRunner(t, RunnerOptions{Library: l, Secrets: []string{"canary-secret"}, Follow: func(ctx context.Context, plan incidents.Plan, run string, look Look) {
		defer func() { left = true }()
		for {
			now, more := look()
			if now.Step == "two" && strings.Contains(now.Output, "hello") {
				seen = now
				if err := os.WriteFile(read, nil, 0o600); err != nil || plan.Incident != 42 || run != "INC-42/1" {
					t.Error(plan.Incident, run, err)
				}
				<-ctx.Done()
				return
			}
			select {
			case <-more:
			case <-ctx.Done():
				return
			}
		}
	}})
	_, done := r.Run(t.Context(), l.Fitting(incident("service", "web"))[0].Plan, "INC-42/1")
	if !left {
		t.Error("the run was over before whoever followed it had left")
	}
	if !incidents.AllOK(done) || !strings.Contains(done[1].Output, "over") || strings.Contains(done[1].Output, "canary-secret") {
		t.Errorf("%+v", done)
	}
	if len(seen.Steps) != 1 || seen.Steps[0].Step != "one" || seen.Title.EN != "Wait" || strings.Contains(seen.Output, "canary") {
		t.Errorf("%+v", seen)
	}
}

// Whatever stops a run while it looks stops it before its first step.
func TestABrakePulledDuringTheFirstLookHolds(t *testing.T) {
	t.Parallel()
	l := load(t, nil, plainBook)
	frozen, did := false, false
	stub := withStub(func(_ context.Context, step incidents.Step) incidents.StepResult {
		frozen, did = frozen || step.ID == "site", did || step.ID == "restart"
		return incidents.StepResult{OK: true}
	})
	r := newRunner(t, RunnerOptions{Library: l, Executors: stub, Still: func(_ context.Context, plan incidents.Plan, run string) error {
		if !frozen || plan.Incident != 42 || run != "INC-42/1" {
			return nil
		}
		return incidents.Fail(incidents.Conflict, "because.frozen", "frozen")
	}})
	before, done := r.Run(t.Context(), l.Fitting(incident("service", "web"))[0].Plan, "INC-42/1")
	if did || len(before) != 1 || len(done) != 1 || done[0].OK || done[0].Because.Phrase != "because.frozen" {
		t.Errorf("did %v: %+v, %+v", did, before, done)
	}
}

// Neither whoever shows a run nor a look of it takes the process with it.
func TestAPanicBesideARunIsCaught(t *testing.T) {
	t.Parallel()
	l := load(t, nil, plainBook)
	stub := withStub(func(_ context.Context, step incidents.Step) incidents.StepResult {
		if step.ID == "site" {
			panic("hostile")
		}
		return incidents.StepResult{OK: true}
	})
	r := newRunner(t, RunnerOptions{Library: l, Executors: stub, Follow: func(context.Context, incidents.Plan, string, Look) { panic("hostile") }})
	before, done := r.Run(t.Context(), l.Fitting(incident("service", "web"))[0].Plan, "INC-42/1")
	if len(before) != 1 || before[0].OK || before[0].Step != "site" || before[0].Error != "panic: hostile" || !incidents.AllOK(done) {
		t.Errorf("%+v, %+v", before, done)
	}
}
