package rundeck_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/rundeck"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/rundeck"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	restart = "00000001-1111-2222-3333-444444444444"
	broken  = "00000002-1111-2222-3333-444444444444"
	endless = "00000003-1111-2222-3333-444444444444"
	secret  = "00000004-1111-2222-3333-444444444444"
)

func server(t *testing.T) *fake.Server {
	t.Helper()
	return fake.New(t, map[string]fake.Job{
		restart: {Options: []string{"unit"}, Says: "restarting\nrestarted", Ends: "succeeded", Looks: 2},
		broken:  {Says: "no such unit", Ends: "failed"},
		endless: {Says: "waiting"},
		secret:  {Ends: "succeeded"},
	})
}

func executor(t *testing.T, url string) steps.Executor {
	t.Helper()
	e, err := rundeck.New(rundeck.Config{URL: url, Token: fake.Token, Jobs: []string{restart, broken, endless}, Every: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func step(job, options string) incidents.Step {
	return incidents.Step{ID: "job", Kind: steps.KindRundeck, URL: job, Query: options, Expect: "code 0", Timeout: time.Minute}
}

// carryOut carries the step out; it ends after within.
func carryOut(t *testing.T, e steps.Executor, s incidents.Step, within time.Duration) incidents.StepResult {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), within, steps.ErrStepTime)
	defer cancel()
	r := e.Execute(ctx, s, steps.Env{Execution: "INC-7/1", Incident: 7})
	if r.Because.Phrase != "" && !phrases.Has(r.Because.Phrase) {
		t.Errorf("the catalogue has no %s", r.Because.Phrase)
	}
	if strings.Contains(r.Error+r.Output+r.Value, fake.Token) {
		t.Errorf("it says the token: %+v", r)
	}
	return r
}

func TestJobRunsToItsEnd(t *testing.T) {
	t.Parallel()
	s := server(t)
	e := executor(t, s.URL+"/") // as people write it
	hostile := "a b'; $(id) \n{{ x }} 日本"
	r := carryOut(t, e, step(restart, `{"unit":"a b'; $(id) \n{{ x }} 日本"}`), time.Minute)
	if !r.OK || !strings.HasPrefix(r.Value, "succeeded (") || r.Output != "restarting\nrestarted" {
		t.Errorf("%+v", r)
	}
	runs := s.Runs()
	if len(runs) != 1 || runs[0].Job != restart || runs[0].Options["unit"] != hostile {
		t.Errorf("%+v", runs)
	}
	wants := step(restart, `{}`)
	wants.Expect = `code 0 and contains "all is well"`
	if r := carryOut(t, e, wants, time.Minute); r.OK || !strings.Contains(r.Value, `no "all is well"`) {
		t.Errorf("%+v", r)
	}
	if r := carryOut(t, e, step(broken, `{}`), time.Minute); r.OK || r.Error != "" || r.Code != 1 || !strings.Contains(r.Output, "no such unit") {
		t.Errorf("%+v", r)
	}
}

// What is not certain is not taken for anything else, and never sent again.
func TestLies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie     fake.Lie
		phrase  string
		started int
	}{
		{fake.HangUp, "runbook.job.unsure", 1},
		{fake.Garbage, "runbook.job.unsure", 1},
		{fake.Empty, "runbook.job.unsure", 1},
		{fake.Fail, "runbook.job.unsure", 1},
		{fake.Redirect, "runbook.job.unsure", 1},
		{fake.Silent, "runbook.job.unsure", 1},
		{fake.Other, "runbook.job.unsure", 1},
		{fake.Refuse, "runbook.job.refused", 0},
		{fake.Stranger, "runbook.job.unfinished", 1},
		{fake.Flaky, "", 1},
	} {
		t.Run(string(c.lie), func(t *testing.T) {
			t.Parallel()
			s := server(t)
			s.Lie(c.lie)
			within := time.Minute
			if c.lie == fake.Silent || c.lie == fake.Stranger {
				within = 500 * time.Millisecond
			}
			r := carryOut(t, executor(t, s.URL), step(restart, `{"unit":"web"}`), within)
			if r.OK != (c.phrase == "") || r.Because.Phrase != c.phrase || len(s.Runs()) != c.started {
				t.Errorf("%d started: %+v", len(s.Runs()), r)
			}
			if r.Unsure != (c.phrase == "runbook.job.unsure" || c.phrase == "runbook.job.unfinished") {
				t.Errorf("unsure: %v: %+v", r.Unsure, r)
			}
		})
	}
}

func TestJobThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	s := server(t)
	r := carryOut(t, executor(t, s.URL), step(endless, `{}`), 500*time.Millisecond)
	if r.OK || r.Because.Phrase != "runbook.job.unfinished" || !r.Unsure || r.Output != "waiting" || len(s.Runs()) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := server(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + free.Addr().String()
	free.Close()
	stranger, err := rundeck.New(rundeck.Config{URL: s.URL, Token: "another", Jobs: []string{restart}})
	if err != nil {
		t.Fatal(err)
	}
	none, err := rundeck.New(rundeck.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		e      steps.Executor
		step   incidents.Step
		phrase string
	}{
		"not in the list":  {executor(t, s.URL), step(secret, `{}`), "runbook.job.not_allowed"},
		"path in the name": {executor(t, s.URL), step(restart+"/../"+secret, `{}`), "runbook.job.not_allowed"},
		"unknown option":   {executor(t, s.URL), step(restart, `{"other":"x"}`), "runbook.job.refused"},
		"options":          {executor(t, s.URL), step(restart, `[]`), "runbook.bad_step"},
		"wrong token":      {stranger, step(restart, `{}`), "runbook.job.refused"},
		"nobody listens":   {executor(t, nobody), step(restart, `{}`), "runbook.job.not_started"},
		"not configured":   {none, step(restart, `{}`), "runbook.job.not_configured"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := carryOut(t, c.e, c.step, time.Minute); r.OK || r.Unsure || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Cleanup(func() {
		if runs := s.Runs(); len(runs) > 0 {
			t.Errorf("started: %+v", runs)
		}
	})
	for name, c := range map[string]rundeck.Config{
		"no token": {URL: s.URL}, "user in the URL": {URL: "https://a:b@x", Token: "x"}, "no URL": {URL: "x", Token: "x"}, "job": {URL: s.URL, Token: "x", Jobs: []string{"../x"}},
	} {
		if _, err := rundeck.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
