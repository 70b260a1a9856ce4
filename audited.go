package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// The audit stands in front of what it records: the parts inside know nothing of
// it, so none can forget it. Nothing here decides; where an intent cannot be
// written, what stands behind it is not called (docs/decisions/0009).

// recorder is the audit of this process.
type recorder struct {
	log    *trail.Log
	keys   audit.Keys
	redact *steps.Redactor
	file   string // of the key
	made   bool   // at this start
	beside bool   // the key lies in the data directory
	shared bool   // other replicas may work at the same store
}

// openAudit reads the key or makes one. secrets are struck out of what is
// recorded; the key's own lines are added to them.
func openAudit(c *config.Settled, store storage.Store, log *slog.Logger) (*recorder, error) {
	r := &recorder{keys: c.Audited.Keys, file: c.Audit.KeyFile, shared: strings.HasPrefix(c.StoreURL, "redis")}
	if r.file == "" {
		var raw string
		var err error
		r.file, r.beside = filepath.Join(c.Data, trail.KeyFile), true
		if r.keys, raw, r.made, err = trail.MakeKeys(c.Data); err != nil {
			return nil, badAuditKey(r.file, err)
		}
		c.Audited.Secrets = config.KeyLines(raw)
	}
	r.redact = steps.NewRedactor(c.Secrets()...)
	r.log = trail.New(trail.Options{
		Store: store, Leases: store, Keys: r.keys, Owner: owner(), Now: time.Now, Logger: log,
		Sink: trail.NewSink(c.CheckpointsAt()), Every: time.Duration(c.Audit.CheckpointEvery),
	})
	return r, nil
}

func badAuditKey(file string, err error) error {
	return incidents.Fail(incidents.Invalid, "error.audit_key", "the key of the audit at "+file+" cannot be used: "+config.Cause(err),
		"file", file, "error", config.Cause(err)).WithHint("docs/audit.md")
}

// reasons are the audit's part of readiness. They are notes, whatever they say:
// what needs the audit is refused by itself, and alerts must get through.
func (r *recorder) reasons() []incidents.Reason {
	wrong, notes := r.log.Problems()
	if r.beside {
		notes = append(notes, incidents.Because("ready.audit_key_beside"))
	}
	if r.beside && r.shared {
		notes = append(notes, incidents.Because("ready.audit_key_alone"))
	}
	return append(wrong, notes...)
}

// readyReasons are why this process is not ready, and what is worth knowing.
func (a *app) readyReasons(ctx context.Context) (wrong, notes []incidents.Reason) {
	wrong, notes = a.ready.reasons(ctx)
	return wrong, slices.Concat(notes, a.audit.reasons(), unreadable(a.learned.Forgotten()))
}

// newRunner makes the runbooks' runner, each of whose executors records what it
// does for a run.
func (a *app) newRunner(notes runbooks.Notes, follow runbooks.Follow, still func(context.Context, incidents.Plan, string) error) (*runbooks.Runner, error) {
	c := a.config
	want := c.Runbooks.Steps()
	want.Origins = a.library.Origins
	executors, err := steps.New(want)
	if err != nil {
		return nil, config.Problem(err)
	}
	maps.Copy(executors, c.Executors())
	for kind, x := range executors {
		executors[kind] = auditedStep{x, a.audit}
	}
	runner, err := runbooks.NewRunner(runbooks.RunnerOptions{Library: a.library, Secrets: c.Secrets(), Logger: a.log, Executors: executors, Notes: notes, Keep: a.shelf().Keep, Follow: follow, Still: still})
	if err != nil {
		return nil, config.Problem(err)
	}
	return runner, nil
}

// auditedStep records each try of each step of a run. Checks change nothing and
// are not recorded.
type auditedStep struct {
	next  steps.Executor
	audit *recorder
}

func (x auditedStep) Execute(ctx context.Context, step incidents.Step, env steps.Env) incidents.StepResult {
	if env.Execution == "" {
		return x.next.Execute(ctx, step, env)
	}
	r := audit.Record{
		Action: audit.ActStep, By: personOf(incidents.Bot), Incident: env.Incident.String(), Run: env.Execution, Runbook: env.Runbook,
		Step: step.ID, StepKind: step.Kind,
	}
	if len(step.Argv) > 0 {
		r.ArgvMAC = x.audit.keys.Digest(step.Argv...)
		for _, arg := range step.Argv {
			r.Argv = append(r.Argv, x.audit.redact.Clean(arg))
		}
	}
	if target := strings.TrimSpace(step.Method + " " + step.URL + step.Query); target != "" {
		r.Target = x.audit.redact.Clean(target)
	}
	i, err := x.audit.log.Begin(ctx, r)
	if err != nil {
		return steps.Failed(err)
	}
	end := audit.Record{Result: audit.Unknown}
	defer func() { i.End(end) }() // after a panic too: then nobody knows
	result := x.next.Execute(ctx, step, env)
	end = audit.Record{
		Result: outcomeOf(ctx, result), Code: result.Code, Error: result.Because.Phrase,
		Output: len(result.Output), OutputMAC: x.audit.keys.Digest(result.Output),
	}
	if !result.OK && end.Error == "" {
		end.Error = x.audit.redact.Clean(result.Error)
	}
	return result
}

// outcomeOf is failed only where it was carried through: of what was stopped in
// its middle nobody knows how far it got, nor of a step that cannot say what it
// did. A step's own timeout is a failure.
func outcomeOf(ctx context.Context, done ...incidents.StepResult) audit.Result {
	switch {
	case incidents.AllOK(done):
		return audit.Done
	case slices.ContainsFunc(done, func(r incidents.StepResult) bool { return !r.OK && r.Unsure }):
		return audit.Unknown
	case ctx.Err() != nil && context.Cause(ctx) != steps.ErrStepTime:
		return audit.Unknown
	}
	return audit.Failed
}

// auditedRuns records remediations. It is called after the claim was committed
// and before the first step, by the only process that may run the plan; a run
// whose intent cannot be written fails with the reason, and nothing was done.
type auditedRuns struct {
	worker.Runner
	audit     *recorder
	incidents interface {
		Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	}
	gate worker.Gate
}

func (x auditedRuns) Run(ctx context.Context, plan incidents.Plan, execution string) (before, done []incidents.StepResult) {
	i, err := x.audit.log.Begin(ctx, x.record(ctx, plan, execution))
	if err != nil {
		return nil, notRun(err)
	}
	end := audit.Record{Result: audit.Unknown}
	defer func() { i.End(end) }()
	if no := x.refused(ctx, plan, execution, i); no != nil {
		end.Result, end.Error = audit.Failed, no.Phrase
		return nil, notRun(no)
	}
	before, done = x.Runner.Run(ctx, plan, execution)
	end.Result = outcomeOf(ctx, done...)
	outputs := make([]string, 0, len(done))
	for _, r := range done {
		outputs = append(outputs, r.Step, r.Output)
		end.Output += len(r.Output)
		end.Code, end.Error = r.Code, r.Because.Phrase
	}
	end.OutputMAC = x.audit.keys.Digest(outputs...)
	return before, done
}

// notRun is how people see that nothing was run.
func notRun(err error) []incidents.StepResult {
	refused := steps.Failed(err)
	refused.Step = "audit"
	refused.Title = incidents.Text{EN: phrases.T(phrases.English, "run.audit"), JA: phrases.T(phrases.Japanese, "run.audit")}
	return []incidents.StepResult{refused}
}

// refused asks the gate once more: writing the intent may have taken a while, in which
// the process may have stood still and somebody else may have given the run up as lost.
// It also asks the audit whether the run was begun before, whatever the store says of it.
func (x auditedRuns) refused(ctx context.Context, plan incidents.Plan, execution string, i *trail.Intent) *incidents.Error {
	because := incidents.Because("because.gate_unknown")
	if s, err := x.incidents.Load(ctx, plan.Incident); err == nil {
		if r := s.Run(execution); r != nil && r.State != incidents.RunApproved && r.State != incidents.RunRunning {
			because = incidents.Because("because.run_lost", "run", r.ID)
		} else if r != nil && r.Plan.Digest == plan.Digest {
			no := x.gate.Refuses(ctx, s, r)
			if no == nil {
				again, err := i.Repeats(ctx, r.ApprovedAt)
				if err == nil && !again {
					return nil
				}
				if again {
					because = incidents.Because("because.run_before", "run", r.ID)
				}
			} else {
				because = no.Because
			}
		}
	}
	return &incidents.Error{Code: incidents.Conflict, Message: "the run may not start", Phrase: because.Phrase, Args: because.Args}
}

// stopped records a run that the gate did not let begin.
func (r *recorder) stopped(ctx context.Context, s *incidents.Incident, run *incidents.Run, no *worker.Refusal) {
	rec := planRecord(audit.ActStopped, incidents.Bot, run.Plan)
	rec.Incident, rec.Run, rec.Approval = s.ID.String(), run.ID, run.Approval
	rec.Result, rec.Error, rec.Why = audit.Failed, no.Because.Phrase, no.Brake
	r.log.Note(context.WithoutCancel(ctx), rec)
}

func (x auditedRuns) record(ctx context.Context, plan incidents.Plan, execution string) audit.Record {
	r := planRecord(audit.ActRun, incidents.Bot, plan)
	r.Run = execution
	s, err := x.incidents.Load(ctx, plan.Incident)
	if err != nil {
		return r // the run's intent does not wait for who approved it: the approval has a record of its own
	}
	if run := s.Run(execution); run != nil {
		r.Approval, r.ApprovedAt = run.Approval, audit.TimeOf(run.ApprovedAt)
		if a := s.Approval(run.Approval); a != nil {
			r.By = personOf(a.Asked.By)
			for _, by := range a.Approvers() {
				r.Approvers = append(r.Approvers, personOf(by))
			}
		}
	}
	return r
}

func planRecord(what audit.Action, by incidents.Actor, p incidents.Plan) audit.Record {
	return audit.Record{
		Action: what, By: personOf(by), Incident: p.Incident.String(), Runbook: p.Runbook, RunbookDigest: p.RunbookDigest,
		PlanDigest: p.Digest, Risk: string(p.Risk),
	}
}

func personOf(a incidents.Actor) audit.Person { return audit.Person{ID: a.ID, Name: a.Name} }

// reload reads the runbooks again. Where any has an error all stay as they
// were, and a plan that was made from a file that has changed since is refused.
// What changes nothing is not recorded; what cannot be recorded is not loaded.
func (a *app) reload(ctx context.Context) {
	next, problems := runbooks.Load(a.config.RunbookSources())
	tell := func(problems []runbooks.Problem) {
		for _, p := range problems {
			a.log.Warn("the runbooks were not read again", "problem", p.Text(phrases.English, phrases.Fill))
		}
	}
	before := digestOf(a.library)
	if bad := runbooks.Errors(problems); len(bad) > 0 || digestOf(next) == before {
		tell(bad)
		return
	}
	i, err := a.audit.log.Begin(ctx, audit.Record{Action: audit.ActReload, By: personOf(incidents.Bot), Before: before, After: digestOf(next)})
	if err != nil {
		return // it says so itself
	}
	bad := runbooks.Errors(a.library.Reload())
	tell(bad)
	end := audit.Record{Result: audit.Done, Before: before, After: digestOf(a.library)}
	if len(bad) > 0 {
		end.Result, end.Error = audit.Failed, "error.runbooks"
	}
	i.End(end)
}

// digestOf is one digest of all runbooks that are loaded.
func digestOf(l *runbooks.Library) string {
	h := sha256.New()
	for _, rb := range l.All() {
		fmt.Fprintf(h, "%s %s\n", rb.ID, rb.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// started records that this process began to work, with what is not safe about
// how it was configured.
func (a *app) started(ctx context.Context) {
	c := a.config
	why := []string{"version " + buildVersion()}
	if c.Relaxed {
		why = append(why, "relaxed_durability")
	}
	if len(c.ConsolePeople) == 0 {
		why = append(why, "console without people")
	}
	if len(c.Intake) == 0 {
		why = append(why, "alerts without tokens")
	}
	if a.audit.beside {
		why = append(why, "audit key in the data directory")
	}
	a.audit.log.Note(ctx, audit.Record{
		Action: audit.ActStart, By: personOf(incidents.Bot), Where: a.listen.Addr().String(), Why: strings.Join(why, ", "), After: digestOf(a.library),
	})
}

// registry has what all parts count.
func (a *app) registry() *prometheus.Registry {
	r := newRegistry(a.store, a.worker)
	r.MustRegister(a.audit.collectors()...)
	for _, c := range a.chats {
		r.MustRegister(c.tally)
	}
	r.MustRegister(forgotten{a.learned}, a.watcher, a.trackers, lines{a.sources.Logs})
	return r
}

// collectors are the audit's metrics.
func (r *recorder) collectors() []prometheus.Collector {
	gauge := func(name, help string, value func(trail.Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(r.log.Stats()) })
	}
	return []prometheus.Collector{
		gauge("hikeshi_audit_records", "Number of the last record of the audit that this process knows of.", func(s trail.Stats) float64 { return float64(s.Records) }),
		gauge("hikeshi_audit_checkpointed", "Number of the last record that a checkpoint has seen.", func(s trail.Stats) float64 { return float64(s.Checkpointed) }),
		gauge("hikeshi_audit_owed", "Records that wait to be written.", func(s trail.Stats) float64 { return float64(s.Owed) }),
		gauge("hikeshi_audit_missed", "Records that were lost while the store was away, and not said in the audit yet.", func(s trail.Stats) float64 { return float64(s.Missed) }),
		gauge("hikeshi_audit_broken", "1 where the audit is not as it was left, and nothing that needs it is done.", func(s trail.Stats) float64 {
			if s.Broken {
				return 1
			}
			return 0
		}),
	}
}
