package bot

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// StillMay asks once more, when a run is about to begin, whether those who approved
// it still may: between the two lie minutes, another process and perhaps another
// configuration. It says who may not any more; the zero Reason where all may.
func StillMay(rights Rights) func(ctx context.Context, s *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
	return func(_ context.Context, s *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
		a := s.Approval(r.Approval)
		if a == nil || len(a.Approvers()) < r.Plan.Approvers() {
			return incidents.Because("because.plan_changed"), nil
		}
		for _, by := range a.Approvers() {
			if rights.May(by, ApproveRuns, Of(s.Scope())) != nil {
				return incidents.Because("because.right_lost", "by", Who(by)), nil
			}
		}
		return incidents.Reason{}, nil
	}
}
