package bot

import (
	"cmp"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// next says what is expected to happen next, and who is waited for: the
// question everybody who enters a war room asks first.
func (v *view) next() string {
	s := v.s
	status := s.Status()
	if !status.Open() {
		if status == incidents.Resolved && s.Rule.Reopen > 0 {
			return v.t("next.closes", "at", Clock(v.lang, s.Resolved.At.Add(s.Rule.Reopen), v.now))
		}
		return ""
	}
	if r := s.Unsettled(); r != nil {
		return v.t("next.unknown", "run", r.ID, "command", r.SettleHint(s.ID))
	}
	if r := s.Busy(); r != nil {
		return v.nextOfRun(r)
	}
	if pending := s.PendingApprovals(); len(pending) > 0 {
		a := &pending[0]
		return v.t("next.approval", "action", v.title(a.Plan.Title, a.Plan.Runbook), "id", a.ID,
			"until", Clock(v.lang, a.ExpiresAt, v.now))
	}
	if status == incidents.Monitoring {
		if s.Rule.Quiet > 0 {
			return v.t("next.quiet", "at", Clock(v.lang, s.ClearedAt().Add(s.Rule.Quiet), v.now))
		}
		return v.t("next.resolve")
	}
	switch {
	case s.DiagnosedAt.IsZero():
		return v.t("next.diagnose")
	case s.RankedAt.IsZero():
		return v.t("next.rank")
	case len(s.Suggestions) == 0:
		return v.t("next.human")
	}
	if v.escalated() {
		return v.t("next.escalated")
	}
	return v.t("next.approve")
}

// nextOfRun says how far the run under way is.
func (v *view) nextOfRun(r *incidents.Run) string {
	action := v.title(r.Plan.Title, r.Plan.Runbook)
	switch r.State {
	case incidents.RunApproved:
		return v.t("next.run_starts", "action", action)
	case incidents.RunRunning:
		return v.t("next.runs", "action", action)
	}
	return v.verifying(r)
}

// verifying says how a verification stands: "verifying: 3 s of 5 s".
func (v *view) verifying(r *incidents.Run) string {
	until := Clock(v.lang, r.Deadline, v.now)
	stillFiring := !r.Plan.Verify.NoAlerts && v.s.Alerts.Firing()+v.s.Untracked > 0
	switch {
	case r.WellSince.IsZero():
		return v.t("verifying.bad", "until", until)
	case stillFiring:
		return v.t("verifying.firing", "until", until)
	}
	since := r.WellSince
	if !r.Plan.Verify.NoAlerts && v.s.ClearedHeard.After(since) {
		since = v.s.ClearedHeard
	}
	well := min(max(v.now.Sub(since), 0), r.Plan.Verify.Stable).Truncate(time.Second)
	return v.t("verifying.well", "well", Duration(v.lang, well), "stable", Duration(v.lang, r.Plan.Verify.Stable))
}

// escalated says whether the latest thing tried ended with a call for a person.
func (v *view) escalated() bool {
	n := len(v.s.Runs)
	return n > 0 && len(v.s.Escalated) > 0 && v.s.Runs[n-1].State != incidents.RunVerified
}

func (v *view) title(t incidents.Text, id string) string { return Title(v.lang, t, id) }

// Title is what an action, a step or a check is called, in the reader's
// language; by its id where its author gave it no name.
func Title(lang string, t incidents.Text, id string) string {
	return Line(cmp.Or(t.In(lang), id), 200)
}
