package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
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
	before := digestOf(a.library)
	if a.unfit(runbooks.Errors(problems)) || digestOf(next) == before {
		return
	}
	i, err := a.audit.log.Begin(ctx, audit.Record{Action: audit.ActReload, By: personOf(incidents.Bot), Before: before, After: digestOf(next)})
	if err != nil {
		return // it says so itself
	}
	end := audit.Record{Result: audit.Done, Before: before}
	if a.unfit(runbooks.Errors(a.library.Reload())) {
		end.Result, end.Error = audit.Failed, "error.runbooks"
	}
	end.After = digestOf(a.library)
	i.End(end)
}

// unfit says whether runbooks have errors, to the log in full, and until they have none
// to readiness. That names the file alone: anybody may ask it, and the words of an error
// may be those of a runbook that is one customer's.
func (a *app) unfit(bad []runbooks.Problem) bool {
	for _, p := range bad {
		a.log.Warn("the runbooks were not read again", "problem", p.Text(phrases.English, phrases.Fill))
	}
	if len(bad) == 0 {
		a.misread.Store(nil)
		return false
	}
	at := bad[0].File
	if bad[0].Line > 0 {
		at += ":" + strconv.Itoa(bad[0].Line)
	}
	why := incidents.Because("ready.runbooks_unread", "file", at)
	a.misread.Store(&why)
	return true
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
