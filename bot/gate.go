package bot

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Runner carries out what was approved.
type Runner interface {
	Run(ctx context.Context, p incidents.Plan, execution string) (before, steps []incidents.StepResult)
	Look(ctx context.Context, p incidents.Plan, execution string) []incidents.StepResult
}

// Gate asks once more, when a run is about to begin, whether those who approved
// it still may: between the two lie minutes, another process and perhaps another
// configuration. Where one of them may not, nothing is run, and the run fails.
type Gate struct {
	Runner
	Incidents Loader
	Rights    Rights
}

// Run runs the plan where its approvers still have the right.
func (g Gate) Run(ctx context.Context, p incidents.Plan, execution string) (before, steps []incidents.StepResult) {
	if because := g.refuses(ctx, p, execution); because.Phrase != "" {
		title := incidents.Text{EN: phrases.T(phrases.English, "run.rights"), JA: phrases.T(phrases.Japanese, "run.rights")}
		return nil, []incidents.StepResult{{Step: "rights", Title: title, Error: phrases.Fill(phrases.English, because.Phrase, because.Args), Because: because}}
	}
	return g.Runner.Run(ctx, p, execution)
}

// refuses says why the plan must not run; nothing where it may.
func (g Gate) refuses(ctx context.Context, p incidents.Plan, execution string) incidents.Reason {
	s, err := g.Incidents.Load(ctx, p.Incident)
	if err != nil || s == nil {
		return incidents.Because("because.rights_unread")
	}
	r := s.Run(execution)
	if r == nil {
		return incidents.Because("because.rights_unread")
	}
	a := s.Approval(r.Approval)
	if a == nil || a.Plan.Digest != p.Digest || len(a.Approvers()) < p.Approvers() {
		return incidents.Because("because.plan_changed")
	}
	for _, by := range a.Approvers() {
		if g.Rights.May(by, ApproveRuns, Of(s.Service)) != nil {
			return incidents.Because("because.right_lost", "by", Who(by))
		}
	}
	return incidents.Reason{}
}
