package main

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// newLadder keeps how far runbooks are trusted. Its acceptances bear the audit's seal.
func newLadder(a *app, freezer *worker.Freezer) auditedLadder {
	c := a.config
	return auditedLadder{worker.NewLadder(worker.LadderOptions{
		Settings: a.store, Freezer: freezer, Now: time.Now, Off: c.Trust.Off, Brakes: c.Ladder.BrakesOf,
		Sign: a.audit.keys.Sign, Signed: a.audit.keys.Signed,
		May: func(by incidents.Actor, scope incidents.Scope) error {
			return c.Rights.May(by, bot.ApproveRuns, bot.Of(scope))
		},
	}), a.audit}
}

// auditedLadder records what begins by itself, and who or what lets it.
type auditedLadder struct {
	*worker.Ladder
	audit *recorder
}

// Start writes the intent before anything is noted. What cannot be recorded does not
// begin.
func (x auditedLadder) Start(ctx context.Context, w trust.Wish) (accepted *incidents.Acceptance, word incidents.Word, err error) {
	r := planRecord(audit.ActItself, incidents.Bot, *w.Plan)
	r.Incident = w.Incident.String()
	i, err := x.audit.log.Begin(ctx, r)
	if err != nil {
		return nil, word, err
	}
	end := audit.Record{Result: audit.Unknown}
	defer func() { i.End(end) }()
	accepted, word, err = x.Ladder.Start(ctx, w)
	switch {
	case err != nil:
		end.Error = "error.internal"
	case accepted == nil:
		end.Result, end.Error = audit.Failed, word.Because.Phrase
		x.decided(ctx, word, w.Plan.Runbook, w.Incident, "")
	default:
		end.Result, end.Approvers = audit.Done, []audit.Person{personOf(accepted.By)}
	}
	return accepted, word, err
}

// Judge records what a run's end leads to, once it has: that makes nothing run.
func (x auditedLadder) Judge(ctx context.Context, runbook string, o incidents.Outcome) (incidents.Word, error) {
	word, err := x.Ladder.Judge(ctx, runbook, o)
	if err == nil {
		x.decided(ctx, word, runbook, o.Incident, o.Run)
	}
	return word, err
}

// decided records what nobody said but Hikeshi.
func (x auditedLadder) decided(ctx context.Context, word incidents.Word, runbook string, id incidents.ID, run string) {
	what := map[incidents.EventKind]audit.Action{incidents.EventProposed: audit.ActPropose, incidents.EventDemoted: audit.ActDemote}[word.Said]
	if what == "" {
		return
	}
	x.audit.log.Note(context.WithoutCancel(ctx), audit.Record{
		Action: what, Result: audit.Done, By: personOf(incidents.Bot), Incident: id.String(), Run: run, Runbook: runbook, Why: word.Because.Phrase,
	})
}

func (x auditedLadder) Accept(ctx context.Context, runbook, service, digest string, by incidents.Actor) (accepted incidents.Acceptance, err error) {
	r := audit.Record{Action: audit.ActPromote, By: personOf(by), Runbook: runbook, Target: bot.Line(service, 200)}
	if st, err := x.Standing(ctx, runbook, service); err == nil {
		r.RunbookDigest = st.Digest
	}
	err = x.audit.log.Act(ctx, r, func() (err error) { accepted, err = x.Ladder.Accept(ctx, runbook, service, digest, by); return err })
	return accepted, err
}

// Revoke makes things safer: it does not depend on the audit.
func (x auditedLadder) Revoke(ctx context.Context, runbook, service string, by incidents.Actor) (bool, error) {
	r := audit.Record{Action: audit.ActRevoke, By: personOf(by), Runbook: runbook, Target: bot.Line(service, 200)}
	return stopAudited(ctx, x.audit, r, func() (bool, error) { return x.Ladder.Revoke(ctx, runbook, service, by) })
}
