package worker

import (
	"context"
	"errors"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Trust is who keeps how far runbooks are trusted: see Ladder.
type Trust interface {
	Trusts(ctx context.Context, runbook, service string) (bool, error)
	Start(ctx context.Context, w trust.Wish) (*incidents.Acceptance, incidents.Word, error)
	Release(ctx context.Context, runbook string, id incidents.ID) error
	Judge(ctx context.Context, runbook string, o incidents.Outcome) (incidents.Word, error)
}

// rank lists the next actions, and notes where the first of them may be one that
// runs by itself. Who cannot tell asks again, with the incident as it is then.
func (w *Worker) rank(ctx context.Context, c *incidents.Claim, h *shelved) error {
	list, none, err := w.ports.Rank.Rank(ctx, h.Incident)
	if err != nil {
		return err
	}
	ranked := incidents.Ranked{Suggestions: list, None: none}
	if len(list) > 0 && w.ports.Trust != nil {
		trusts, err := w.ports.Trust.Trusts(ctx, list[0].Action, h.Scope().Realm())
		if err != nil {
			w.warn("ask how far a runbook is trusted", err, "runbook", list[0].Action)
		}
		ranked.Trusted = trusts || err != nil
	}
	return w.finishFrom(ctx, h, c, ranked)
}

// automate approves the first suggestion by its standing approval, where it has one
// and no brake holds. The start is noted before the approval: whoever dies in
// between has used up one of those that the brakes allow, and whoever carries on
// notes the same one.
func (w *Worker) automate(ctx context.Context, c *incidents.Claim, s *incidents.Incident) error {
	g := s.Automatable()
	if g == nil || w.ports.Trust == nil {
		return w.ack(ctx, c)
	}
	if err := w.engine.before.Clock.waits(); err != nil && c.Attempt < clockTries {
		return err
	}
	if because := w.closedTo(s); because.Phrase != "" {
		return w.finish(ctx, c, incidents.TellTrust{Action: g.Action, Word: incidents.Word{Said: incidents.EventWithheld, Because: because}})
	}
	accepted, word, err := w.ports.Trust.Start(ctx, trust.Wish{Incident: s.ID, Scope: s.Scope(), Plan: &g.Plan})
	if err != nil {
		return err
	}
	failpoint.Hit("worker.automate.started")
	if accepted == nil {
		return w.finish(ctx, c, incidents.TellTrust{Action: g.Action, Word: word})
	}
	if err := w.finish(ctx, c, incidents.Automate{Action: g.Action, Digest: g.Plan.Digest, Standing: *accepted}); err != nil {
		return err
	}
	w.settleStart(ctx, s.ID, g.Plan.Runbook)
	return nil
}

// closedTo is why the calendar, or a wrong clock, keeps anything from beginning by
// itself; the gate would refuse the run, and the room would read of a run that failed.
func (w *Worker) closedTo(s *incidents.Incident) incidents.Reason {
	if because := w.engine.before.Clock.why(); because.Phrase != "" {
		return because
	}
	if w.engine.before.Closed == nil {
		return incidents.Reason{}
	}
	held, ok := errors.AsType[*incidents.Error](w.engine.before.Closed(s, w.now()))
	if !ok {
		return incidents.Reason{}
	}
	if held.Phrase == "error.calendar_unread" {
		return incidents.Reason{Phrase: "because.calendar_unread", Args: held.Args}
	}
	return incidents.Reason{Phrase: "because.calendar_itself", Args: held.Args}
}

// settleStart takes a start back where people were faster. If that cannot be done
// the start counts for as long as it could have lasted: too many never, too few at
// worst.
func (w *Worker) settleStart(ctx context.Context, id incidents.ID, runbook string) {
	s, err := w.engine.Load(ctx, id)
	if err == nil {
		for i := range s.Approvals {
			if s.Approvals[i].Standing != nil && s.Approvals[i].Plan.Runbook == runbook {
				return
			}
		}
		err = w.ports.Trust.Release(ctx, runbook, id)
	}
	if err != nil {
		w.warn("take back a start that came to nothing", err, "incident", id.String())
	}
}

// judge counts what became of a run and tells the room what that leads to.
func (w *Worker) judge(ctx context.Context, c *incidents.Claim, s *incidents.Incident) error {
	o, ended := s.Outcome(c.Effect.Arg)
	if !ended || w.ports.Trust == nil {
		return w.ack(ctx, c)
	}
	runbook := s.Run(o.Run).Plan.Runbook
	word, err := w.ports.Trust.Judge(ctx, runbook, o)
	if err != nil {
		return err
	}
	failpoint.Hit("worker.judge.counted")
	return w.finish(ctx, c, incidents.TellTrust{Action: runbook, Run: o.Run, Word: word})
}
