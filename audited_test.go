package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
	"github.com/hikeshi-ops/hikeshi/web"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// canary is a secret that must never be seen.
const canary = "canary-5ecret-4711-canary"

// audited is a Hikeshi whose one runbook appends a line to a file.
func auditedConfig(t testing.TB) config.Config {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "runbooks", "fix.yaml"), `
id: fix
title: {en: Write a line, ja: 行を書く}
what: {en: Appends a line., ja: 行を足す。}
where: {en: Here., ja: ここ。}
how: {en: Once., ja: 一度だけ。}
fits: ['service="shop"']
risk: low
check:
  - id: written
    title: {en: It was written, ja: 書かれた}
    command: {argv: [test, -e, '{var.file}']}
    timeout: 60s
recover:
  - id: append
    title: {en: Append, ja: 追記}
    command: {argv: [env, 'TOKEN=`+canary+`', touch, '{var.file}']}
    timeout: 60s
verify: {same_as: check, every: 1s, stable: 0s, within: 2m, alerts: ignore}
escalate: {en: Call somebody., ja: 誰かを呼ぶ。}
`)
	c := config.Default()
	c.Listen, c.Data, c.Runbooks.Paths = "127.0.0.1:0", filepath.Join(dir, "data"), []string{filepath.Join(dir, "runbooks")}
	c.Runbooks.Vars = map[string]string{"file": filepath.Join(dir, "written")}
	return c
}

// suggested opens an incident and waits for the runbook to be suggested.
func suggested(t *testing.T, address string) (*player, *seen) {
	t.Helper()
	resp, err := http.Post(address+"/v1/alerts/generic", "application/json", strings.NewReader(`{"title":"Down","service":"shop"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p := newPlayer(address, phrases.English, io.Discard)
	s, err := p.await(within(t), 0, func(s *seen) bool { return len(s.Suggestions) > 0 })
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// command runs hikeshi in this process.
func command(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	code = run(t.Context(), args, streams{nil, &b, &b})
	return code, b.String()
}

// exported are the records of an audit.
func exported(t *testing.T, dir string) []audit.Record {
	t.Helper()
	code, out := command(t, "audit", "export", "--data", dir)
	if code != exitOK {
		t.Fatalf("export: %d %s", code, out)
	}
	return records(t, out)
}

// records are those of an export.
func records(t *testing.T, out string) []audit.Record {
	t.Helper()
	var all []audit.Record
	for line := range strings.Lines(out) {
		var one struct{ Record audit.Record }
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		all = append(all, one.Record)
	}
	return all
}

func awaitRecord(t *testing.T, dir string, good func(audit.Record) bool) audit.Record {
	t.Helper()
	ctx := within(t)
	for look := time.NewTicker(50 * time.Millisecond); ; {
		all := exported(t, dir)
		if i := slices.IndexFunc(all, good); i >= 0 {
			look.Stop()
			return all[i]
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("there is no such record in %+v", all)
		}
	}
}

func tamper(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err == nil {
		_, err = db.Exec(statement)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
}

// A remediation from the approval to its end: who, what, in which order; and
// what stands there cannot be changed, nor does it tell secrets.
func TestRemediationIsAudited(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	p, s := suggested(t, serving(t, c))
	if err := p.command(within(t), s.ID, "approve 1"); err != nil {
		t.Fatal(err)
	}
	awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Kind == audit.Outcome && r.Action == audit.ActRun })
	var said []string
	var run, step audit.Record
	for _, r := range exported(t, c.Data) {
		if r.Kind == audit.Intent && r.Action == audit.ActRun {
			run = r
		}
		if r.Kind == audit.Intent && r.Action == audit.ActStep {
			step = r
		}
		said = append(said, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Kind, r.Action, r.Result)))
	}
	want := "note start, intent approve, outcome approve done, intent run, intent step, outcome step done, outcome run done"
	if got := strings.Join(said, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	plan := s.Suggestions[0].Plan
	if len(run.Approvers) != 1 || run.Approvers[0].ID != "console:local" || run.Run != "INC-1/1" || run.PlanDigest != plan.Digest || run.RunbookDigest != plan.RunbookDigest || run.Runbook != "fix" || run.Risk != "low" {
		t.Errorf("the run: %+v", run)
	}
	keys, _, err := trail.ReadKeys(filepath.Join(c.Data, trail.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if step.Step != "append" || step.ArgvMAC != keys.Digest(plan.Recover[0].Argv...) || len(step.Argv) != 4 || !strings.Contains(step.Argv[1], steps.Struck) {
		t.Errorf("the step: %+v", step)
	}
	for _, format := range []string{"jsonl", "csv"} {
		if code, out := command(t, "audit", "export", "--data", c.Data, "--format", format); code != exitOK || strings.Contains(out, canary) || strings.Count(out, "\n") < 7 {
			t.Errorf("export as %s: %d, %s", format, code, out)
		}
	}
	if code, out := command(t, "audit", "verify", "--data", c.Data); code != exitOK || !strings.Contains(out, "The audit is whole: 7 records") {
		t.Errorf("verify: %d, %s", code, out)
	}
}

// Each attack on a file at rest, as the command line tells it.
func TestVerifyFindsWhatWasDone(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ attack, says string }{
		"flipped": {`UPDATE audit SET body = replace(body, 'console:you', 'console:bea') WHERE seq = 4`, "broken at record 4: it, or the seal"},
		"dropped": {`DELETE FROM audit WHERE seq = 3`, "broken at record 3: records 3 to 3 are missing"},
		"swapped": {`UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99`, "broken at record 2: in its place stands record 3"},
		"cut":     {`DELETE FROM audit WHERE seq > 5`, "broken at record 5: here it ends, but the checkpoint"},
		"emptied": {`DELETE FROM audit`, "broken at record 0: here it ends"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			filled(t, dir)
			if code, out := command(t, "audit", "verify", "--data", dir); code != exitOK || !strings.Contains(out, "All 1 checkpoints agree") {
				t.Fatalf("before: %d, %s", code, out)
			}
			tamper(t, dir, c.attack)
			if code, out := command(t, "audit", "verify", "--data", dir, "--checkpoints", filepath.Join(dir, trail.CheckpointFile)); code != exitFailed || !strings.Contains(out, c.says) {
				t.Errorf("after: %d, %s", code, out)
			}
		})
	}
}

// filled makes an audit of six records with a checkpoint.
func filled(t *testing.T, dir string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	l := logOver(t, store, dir)
	for range 3 {
		err := l.Act(t.Context(), audit.Record{Action: audit.ActApprove, By: audit.Person{ID: "console:you"}}, func() error { return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	l.Run(ctx)
}

func logOver(t *testing.T, store interface {
	trail.Store
	trail.Leases
}, dir string) *trail.Log {
	t.Helper()
	keys, _, _, err := trail.MakeKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	return trail.New(trail.Options{Store: store, Leases: store, Keys: keys, Owner: "test", Now: time.Now, Logger: slog.New(slog.DiscardHandler), Sink: trail.NewSink(dir)})
}

// Where the audit is not as it was left nothing is approved, and nothing runs;
// alerts are taken, and everybody is told.
func TestNothingRunsUnaudited(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	address := serving(t, c)
	p, s := suggested(t, address)
	awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Action == audit.ActStart })
	tamper(t, c.Data, `DELETE FROM audit`)
	if err := p.command(within(t), s.ID, "approve 1"); err == nil || !strings.Contains(err.Error(), "record 1 was written") {
		t.Errorf("approved: %v", err)
	}
	if s, err := p.incident(within(t), s.ID); err != nil || len(s.Runs) != 0 {
		t.Errorf("%v, %+v", err, s.Runs)
	}
	if _, err := os.Stat(c.Runbooks.Vars["file"]); err == nil {
		t.Error("it ran")
	}
	resp, err := http.Get(address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "no longer has record 1") {
		t.Errorf("%v %s %s", err, resp.Status, body)
	}
}

// unaudited is a store that takes no record.
type unaudited struct{ *sqlite.Store }

func (unaudited) AppendAudit(context.Context, audit.Head, []audit.Entry) error {
	return incidents.Fail(incidents.Unavailable, "error.store_away", "the store is away")
}

// runner counts what it is told to do.
type runner struct{ runs int }

func (r *runner) Run(context.Context, incidents.Plan, string) (before, done []incidents.StepResult) {
	r.runs++
	return nil, []incidents.StepResult{{Step: "x", OK: true}}
}

func (r *runner) Look(context.Context, incidents.Plan, string) []incidents.StepResult { return nil }

func (r *runner) Execute(context.Context, incidents.Step, steps.Env) incidents.StepResult {
	r.runs++
	return incidents.StepResult{OK: true}
}

// A run that is claimed already, and a step of it, do not begin without their
// intent; the reason is what people see of them. Checks need none.
func TestRunsFailClosed(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rec := &recorder{log: logOver(t, unaudited{store}, t.TempDir()), redact: steps.NewRedactor()}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r := &runner{}
	before, done := auditedRuns{r, rec, store, nil}.Run(ctx, incidents.Plan{Incident: 1}, "INC-1/1")
	if r.runs != 0 || before != nil || len(done) != 1 || done[0].OK || done[0].Because.Phrase != "error.audit_away" {
		t.Errorf("%d runs, %+v", r.runs, done)
	}
	x := auditedStep{r, rec}
	if got := x.Execute(ctx, incidents.Step{ID: "a"}, steps.Env{Execution: "INC-1/1"}); got.OK || r.runs != 0 || got.Because.Phrase != "error.audit_away" {
		t.Errorf("%d runs, %+v", r.runs, got)
	}
	if got := x.Execute(ctx, incidents.Step{ID: "a"}, steps.Env{}); !got.OK || r.runs != 1 {
		t.Errorf("a check: %+v", got)
	}
}

// What a run did is told as it is known, also when the process stops meanwhile: a last
// step that ran through and failed is failed, one that was cut short is nobody's guess.
func TestOutcomeWhileStopping(t *testing.T) {
	t.Parallel()
	stopping, stop := context.WithCancel(t.Context())
	stop()
	passed, failed := incidents.StepResult{Step: "a", OK: true}, incidents.StepResult{Step: "b", Value: "exit 1", Code: 1}
	cut, unsure := incidents.StepResult{Step: "b", Error: "stopped"}, incidents.StepResult{Step: "b", Unsure: true}
	for name, c := range map[string]struct {
		done           []incidents.StepResult
		going, stopped audit.Result
	}{
		"all passed":  {[]incidents.StepResult{passed, passed}, audit.Done, audit.Done},
		"last failed": {[]incidents.StepResult{passed, failed}, audit.Failed, audit.Failed},
		"only one":    {[]incidents.StepResult{failed}, audit.Failed, audit.Failed},
		"cut short":   {[]incidents.StepResult{passed, cut}, audit.Failed, audit.Unknown},
		"cannot say":  {[]incidents.StepResult{passed, unsure}, audit.Unknown, audit.Unknown},
		"not begun":   {nil, audit.Failed, audit.Unknown},
	} {
		if going, stopped := outcomeOf(t.Context(), c.done...), outcomeOf(stopping, c.done...); going != c.going || stopped != c.stopped {
			t.Errorf("%s: %s, and while stopping %s; want %s, %s", name, going, stopped, c.going, c.stopped)
		}
	}
}

// one is a store of one incident.
type one struct{ s *incidents.Incident }

func (o one) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return o.s, nil }

// A freeze is kept although it cannot be recorded, and recorded later; lifting it
// needs its record. A freeze that came while a run's intent was written holds.
func TestFreezeIsAudited(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	freezer := worker.NewFreezer(store, time.Now)
	good := &recorder{log: logOver(t, store, dir), redact: steps.NewRedactor()}
	none := &recorder{log: logOver(t, unaudited{store}, dir), redact: steps.NewRedactor()}
	bea := incidents.Actor{ID: "person:bea"}
	if _, err := (auditedFreezer{freezer, none}).Freeze(t.Context(), "", incidents.Freeze{By: bea, At: time.Now()}); err != nil {
		t.Error(err)
	}
	if holding, err := freezer.Holding(t.Context()); err != nil || holding == nil {
		t.Errorf("%v, %+v", err, holding)
	}
	if stats := none.log.Stats(); stats.Owed != 1 {
		t.Errorf("%+v", stats)
	}
	r := &runner{}
	claimed := one{&incidents.Incident{ID: 1, Runs: []incidents.Run{{ID: "INC-1/1", State: incidents.RunRunning}}}}
	if _, done := (auditedRuns{r, good, claimed, worker.Gate{freezer.Brake()}}).Run(t.Context(), incidents.Plan{Incident: 1}, "INC-1/1"); r.runs != 0 || len(done) != 1 || done[0].Because.Phrase != "because.frozen" {
		t.Errorf("%d runs, %+v", r.runs, done)
	}
	// One that stood still, was given up as lost and settled by a person does not
	// start beside what they did instead.
	for _, state := range []incidents.RunState{incidents.RunUnknown, incidents.RunVerifying, incidents.RunFailed, incidents.RunVerified} {
		lost := one{&incidents.Incident{ID: 1, Runs: []incidents.Run{{ID: "INC-1/1", State: state}}}}
		if _, done := (auditedRuns{r, good, lost, worker.Gate{freezer.Brake()}}).Run(t.Context(), incidents.Plan{Incident: 1}, "INC-1/1"); r.runs != 0 || len(done) != 1 || done[0].Because.Phrase != "because.run_lost" {
			t.Errorf("%s: %d runs, %+v", state, r.runs, done)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (auditedFreezer{freezer, none}).Thaw(ctx, "", bea); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("lifted: %v", err)
	}
	if _, err := (auditedFreezer{freezer, good}).Thaw(t.Context(), "", bea); err != nil {
		t.Error(err)
	}
	if holding, err := freezer.Holding(t.Context()); err != nil || holding != nil {
		t.Errorf("%v, %+v", err, holding)
	}
	var said []string
	for _, r := range exported(t, dir) {
		said = append(said, fmt.Sprintf("%s %s %s", r.Kind, r.Action, r.Result))
	}
	if got := strings.Join(said, ", "); got != strings.Repeat("intent run , outcome run failed, ", 5)+"intent thaw , outcome thaw done" {
		t.Error(got)
	}
}

// Who signs in, who fails to, and who is refused a right.
func TestPeopleAreAudited(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	c.Console.People = []config.Person{{Name: "bea", Token: "bea-" + canary}}
	c.People = []config.Member{{Name: "bea", Accounts: []string{"console:bea"}, Roles: []string{"viewer"}}}
	address := serving(t, c)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, token := range []string{"bea-" + canary, "wrong-" + canary} {
		resp, err := client.PostForm(address+"/login", url.Values{"token": {token}, "next": {"/"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	in := awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Action == audit.ActSignIn && r.Result == audit.Done })
	if in.By.ID != "console:bea" || in.Kind != audit.Note {
		t.Errorf("signed in: %+v", in)
	}
	failed := awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Action == audit.ActSignIn && r.Result == audit.Failed })
	if failed.By.From != "127.0.0.1" || failed.By.ID != "unknown" {
		t.Errorf("failed to: %+v", failed)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/api/v1/commands", strings.NewReader(`{"command":"declare \u202e`+canary+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer bea-"+canary)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Fatalf("%s %s", resp.Status, body)
	}
	refused := awaitRecord(t, c.Data, func(r audit.Record) bool { return r.Action == audit.ActRefused })
	if refused.By.ID != "person:bea" || refused.Target != "declare" || refused.Result != audit.Failed {
		t.Errorf("refused: %+v", refused)
	}
	if _, out := command(t, "audit", "export", "--data", c.Data); strings.Contains(out, canary) {
		t.Errorf("it tells a secret: %s", out)
	}
}

// fakeProvider is one at which bea shows who she is, and nobody else can.
type fakeProvider struct{ web.SignIn }

func (fakeProvider) Finish(_ context.Context, answer url.Values, _, _ string) (incidents.Actor, time.Time, error) {
	if answer.Get("code") != "bea" {
		return incidents.Actor{}, time.Time{}, incidents.Fail(incidents.Unauthenticated, "error.who", "wrong: "+canary)
	}
	return incidents.Actor{ID: "oidc:https://id.example/bea"}, time.Now(), nil
}

func TestProviderIsAudited(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rec := &recorder{log: logOver(t, store, dir)}
	if auditedSignIn(nil, rec) != nil {
		t.Error("there is a provider where there is none")
	}
	p := auditedSignIn(fakeProvider{}, rec)
	for _, code := range []string{"bea", "mallory"} {
		_, _, err := p.Finish(t.Context(), url.Values{"code": {code}}, "", "")
		if (err == nil) != (code == "bea") {
			t.Errorf("%s: %v", code, err)
		}
	}
	all := exported(t, dir)
	if len(all) != 2 || all[0].By.ID != "oidc:https://id.example/bea" || all[0].Result != audit.Done || all[1].By.ID != "unknown" || all[1].Error != "error.who" {
		t.Errorf("%+v", all)
	}
}

// Runbooks that changed are loaded between an intent and its outcome; those that
// did not leave no record. One that is bad keeps all as they were, and it is said until
// it is put right.
func TestReloadIsAudited(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	settled, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	a, err := build(t.Context(), settled, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	a.reload(t.Context())
	before := digestOf(a.library)
	path := filepath.Join(c.Runbooks.Paths[0], "fix.yaml")
	good := strings.Replace(read(t, path), "stable: 0s", "stable: 1s", 1)
	write(t, path, good)
	a.reload(t.Context())
	write(t, path, "id: [broken")
	a.reload(t.Context())
	if got := a.readiness(t.Context()); len(got.Wrong) > 0 || len(got.Alarms) != 1 || got.Alarms[0].Phrase != "ready.runbooks_unread" || got.Alarms[0].Args["file"] != path+":1" {
		t.Errorf("%+v", got)
	}
	write(t, path, good)
	a.reload(t.Context())
	if got := a.readiness(t.Context()); len(got.Alarms) > 0 {
		t.Errorf("put right, and it is said all the same: %+v", got.Alarms)
	}
	all := exported(t, c.Data)
	if len(all) != 2 || all[0].Action != audit.ActReload || all[1].Result != audit.Done || all[1].Before != before || all[1].After != digestOf(a.library) || before == all[1].After {
		t.Errorf("%+v", all)
	}
}
