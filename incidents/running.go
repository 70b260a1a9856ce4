package incidents

import (
	"strings"
	"time"
)

// StartRun is the claim: committed before the first step, by the process that
// will carry it out. It succeeds once. Who loses gets a conflict and must not
// run anything.
type StartRun struct {
	Run   string
	Owner string
}

func (c StartRun) decide(s *Incident, now time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil {
		return nil, Fail(NotFound, "error.no_run", "there is no such run", "run", c.Run)
	}
	if r.State != RunApproved {
		return nil, Fail(Conflict, "error.run_claimed", "run "+r.ID+" was claimed already", "run", r.ID)
	}
	if because := s.MayStart(r, now); because.Phrase != "" {
		return []Event{{Kind: EventRunFailed, RunID: r.ID, Because: because}, {Kind: EventEscalated, RunID: r.ID, Because: because}}, nil
	}
	return []Event{{Kind: EventRunStarted, RunID: r.ID, Owner: c.Owner}}, nil
}

// MayStart says why a run must not start, by what the incident itself says of its
// approval; the zero Reason where it may. What else can keep it from starting is
// asked by the worker's gate; this here also holds where the claim is committed.
func (s *Incident) MayStart(r *Run, now time.Time) Reason {
	a := s.approval(r.Approval)
	switch {
	case a == nil || !a.complete() || !r.Plan.Sealed() || r.Plan.Digest != a.Plan.Digest:
		return Because("because.plan_changed")
	case now.Sub(r.ApprovedAt) > ApprovalTerm:
		return Because("because.approval_old")
	case r.ApprovedAt.Sub(now) > clockSlack:
		return Because("because.clock_behind", "by", r.ApprovedAt.Sub(now).Round(time.Second).String())
	}
	return Reason{}
}

// LoseRun says that a claimed run has no outcome and its owner is gone. Nobody
// knows how far it got, so it is never run again: a person decides.
type LoseRun struct{ Run string }

func (c LoseRun) decide(s *Incident, _ time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil || r.State != RunRunning {
		return nil, nil
	}
	because := Because("because.owner_died", "run", r.ID)
	return []Event{
		{Kind: EventRunUnknown, RunID: r.ID, Because: because},
		{Kind: EventEscalated, RunID: r.ID, Because: because},
	}, nil
}

// FinishRun is the outcome of a run's steps. Only the owner that claimed the
// run may tell it.
type FinishRun struct {
	Run    string
	Owner  string
	Before []StepResult // what the verify steps said before anything was done
	Steps  []StepResult
}

func (c FinishRun) decide(s *Incident, _ time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil {
		return nil, Fail(NotFound, "error.no_run", "there is no such run", "run", c.Run)
	}
	// An owner that was given up for dead but was only slow still knows best.
	if r.State != RunRunning && r.State != RunUnknown || r.Owner != c.Owner {
		return nil, Fail(Conflict, "error.run_claimed", "run "+r.ID+" is not yours to finish", "run", r.ID)
	}
	if r.State == RunUnknown && r.Steps != nil {
		return nil, Fail(Conflict, "error.run_claimed", "what is known of run "+r.ID+" was told already", "run", r.ID)
	}
	// Meanwhile another run may have begun, and two cannot be told apart.
	if other := s.Busy(); other != nil && other.ID != r.ID {
		return nil, Fail(Conflict, "error.busy", "run "+other.ID+" is under way; wait for it to end", "run", other.ID).WithHint("/inc status")
	}
	e := Event{Kind: EventRunFinished, RunID: r.ID, Before: trim(c.Before), Steps: trim(c.Steps)}
	if AllOK(c.Steps) {
		return []Event{e}, nil
	}
	if unsure := firstUnsure(c.Steps); unsure != nil {
		e.Kind, e.Because = EventRunUnknown, Because("because.step_unsure", "run", r.ID, "step", unsure.Step)
		return []Event{e, {Kind: EventEscalated, RunID: r.ID, Because: e.Because}}, nil
	}
	e.Kind, e.Because = EventRunFailed, Reason{Phrase: "because.step_failed"}
	return []Event{e, {Kind: EventEscalated, RunID: r.ID, Because: Because("because.step_failed", "run", r.ID)}}, nil
}

// Looked is one look at whether a run helped. It is verified when the verify
// steps pass, the incident's alerts have cleared, and both have stayed so for
// Verify.Stable; it is not when Verify.Within has passed without that.
type Looked struct {
	Run   string
	After []StepResult
}

func (c Looked) decide(s *Incident, now time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil || r.State != RunVerifying {
		return nil, nil
	}
	looked := Event{Kind: EventLooked, RunID: r.ID, Steps: trim(c.After)}
	well := AllOK(c.After)
	since := r.WellSince
	if since.IsZero() {
		since = now
	}
	cleared := r.Plan.Verify.NoAlerts || s.Alerts.Firing() == 0 && s.Untracked == 0
	if cleared && !r.Plan.Verify.NoAlerts {
		since = later(since, s.ClearedHeard)
	}
	switch {
	case well && cleared && now.Sub(since) >= r.Plan.Verify.Stable:
		proof := "because.stable"
		if r.Plan.Verify.NoAlerts { // its runbook says that they prove nothing here
			proof = "because.stable_checks"
		}
		events := []Event{looked, {Kind: EventVerified, RunID: r.ID, Because: Because(proof, "for", r.Plan.Verify.Stable.String())}}
		if !s.isResolved() {
			events = append(events, Event{Kind: EventResolved, At: s.at(time.Time{}, now), Because: s.verified(r)})
		}
		return events, nil
	case well && cleared:
		// It may have become so late, or nobody could look for a while: it gets the
		// time to prove that it stays so, and no longer than that.
	case !now.Before(r.Deadline):
		because := Because("because.still_bad", "within", r.Plan.Verify.Within.String())
		if well {
			because = Because("because.still_firing", "within", r.Plan.Verify.Within.String())
		}
		events := []Event{looked,
			{Kind: EventNotVerified, RunID: r.ID, Because: because},
			{Kind: EventEscalated, RunID: r.ID, Because: because}}
		if s.isResolved() { // somebody is called, so it is not over
			events = append(events, Event{Kind: EventReopened, At: s.at(time.Time{}, now), RunID: r.ID, Because: because})
		}
		return events, nil
	}
	return []Event{looked}, nil
}

// verified is why it is resolved: what was run, and on whose word.
func (s *Incident) verified(r *Run) Reason {
	phrase := "because.verified"
	if a := s.approval(r.Approval); a != nil && a.Standing != nil {
		phrase = "because.verified_itself"
	}
	return Because(phrase, "run", r.ID, "by", s.approver(r))
}

// approver names who approved: both where two must.
func (s *Incident) approver(r *Run) string {
	a := s.approval(r.Approval)
	if a == nil {
		return ""
	}
	var names []string
	for _, by := range a.Approvers() {
		names = append(names, by.Name)
	}
	return strings.Join(names, ", ")
}

func trim(rs []StepResult) []StepResult {
	for i := range rs {
		rs[i].Output = cut(rs[i].Output, MaxDetail)
		rs[i].Value = cut(rs[i].Value, MaxValue)
		rs[i].Error = cut(rs[i].Error, MaxValue)
	}
	return rs
}
