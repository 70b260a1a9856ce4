package incidents

import (
	"slices"
	"strconv"
	"time"
)

// Request asks for a plan to be run. Somebody with the right to must approve it.
type Request struct {
	By   Actor
	Plan Plan
}

func (c Request) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.mayRun(c.Plan, now); err != nil {
		return nil, err
	}
	if s.waiting(c.Plan.Digest, now) != nil {
		return nil, nil
	}
	if err := s.mayAsk(); err != nil {
		return nil, err
	}
	return []Event{s.request(c.By, c.Plan, now)}, nil
}

// mayRun refuses what must not even be asked for.
func (s *Incident) mayRun(p Plan, now time.Time) error {
	if err := s.alive(now); err != nil {
		return err
	}
	if s.isResolved() {
		return s.over()
	}
	if !p.Sealed() || p.Incident != s.ID {
		return Fail(Conflict, "error.plan_changed", "this plan is not the one that was shown").WithHint("/inc suggest")
	}
	if r := s.Busy(); r != nil {
		return Fail(Conflict, "error.busy", "run "+r.ID+" is under way; wait for it to end", "run", r.ID).WithHint("/inc status")
	}
	if err := s.mayStillRun(now); err != nil {
		return err
	}
	if len(s.Runs) >= MaxRuns {
		return errTooManyRuns()
	}
	return nil
}

// mayStillRun refuses what must not be done beside a run of which nobody knows
// whether it has ended.
func (s *Incident) mayStillRun(now time.Time) error {
	for i := range s.Runs {
		r := &s.Runs[i]
		if until := r.StartedAt.Add(r.Plan.longest()); r.State == RunUnknown && now.Before(until) {
			at := until.UTC().Format("15:04:05 UTC")
			return Fail(Conflict, "error.maybe_running", "run "+r.ID+" was interrupted and may still be going on; nothing else is run before "+at,
				"run", r.ID, "until", at).WithHint(r.SettleHint(s.ID))
		}
	}
	return nil
}

// longest is how long the plan's recovery may take: after that the steps of a run
// whose owner was lost have had their time. It is no proof: when the owner was
// killed, what a step's own child left behind may go on.
func (p *Plan) longest() time.Duration {
	var sum time.Duration
	for i := range p.Recover {
		sum += p.Recover[i].Longest()
	}
	for i := range p.Verify.Steps { // they run once before
		sum += p.Verify.Steps[i].Longest()
	}
	if p.Branch != nil { // and so do the checks that chose it
		for i := range p.Check {
			sum += p.Check[i].Longest()
		}
	}
	return sum
}

// mayAsk refuses one request too many.
func (s *Incident) mayAsk() error {
	if len(s.Approvals) >= MaxApprovals {
		return errTooManyRuns()
	}
	return nil
}

func errTooManyRuns() error {
	return Fail(TooLarge, "error.too_many_runs", "too many actions were tried in this incident; declare another one").WithHint("/inc declare")
}

// waiting is the request for the very same plan that waits already, or nil:
// one plan asked for twice is one request, which one approval uses up.
func (s *Incident) waiting(digest string, now time.Time) *Approval {
	for i := range s.Approvals {
		a := &s.Approvals[i]
		if a.State == ApprovalPending && a.Plan.Digest == digest && now.Before(a.ExpiresAt) {
			return a
		}
	}
	return nil
}

// denialHolds is how long a denial stands against approving the same plan by
// the suggestion's name: two people may be typing at once, and "no" must not be
// undone by somebody who has not seen it. Asking anew is always possible.
const denialHolds = time.Minute

func (s *Incident) justDenied(digest string, now time.Time) *Approval {
	for i := range s.Approvals {
		a := &s.Approvals[i]
		if a.State == ApprovalDenied && a.Plan.Digest == digest && now.Sub(a.Decided.At) < denialHolds {
			return a
		}
	}
	return nil
}

func (s *Incident) request(by Actor, p Plan, now time.Time) Event {
	g := s.suggestion(p.Runbook)
	return Event{Kind: EventRequested, By: by, Approval: &Approval{
		ID: strconv.Itoa(len(s.Approvals) + 1), Plan: p, Asked: Mark{At: now, By: by},
		ExpiresAt: now.Add(ApprovalTerm), State: ApprovalPending, Suggested: g != nil && g.Plan.Digest == p.Digest,
	}}
}

// Approve allows one run of one plan. It names either a waiting request (ID)
// or a suggestion (Action), and always the digest of the plan that the
// approver saw: if anything about it has changed since, nothing runs.
//
// By is a person, not one of their accounts: whoever passes commands on has seen
// to it that one person has one id.
type Approve struct {
	By       Actor
	ID       string
	Action   string
	Digest   string
	Despite  string    // why it must be although changes are frozen; "": it need not
	SignedIn time.Time // when they last proved who they are to the console; zero elsewhere
}

func (c Approve) decide(s *Incident, now time.Time) ([]Event, error) {
	if !c.By.IsPerson() {
		return nil, Fail(Forbidden, "error.approve_person", "only people approve")
	}
	var events []Event
	a := s.approval(c.ID)
	if c.ID == "" {
		sug := s.suggestion(c.Action)
		if sug == nil {
			return nil, Fail(NotFound, "error.no_action", "no such action was suggested here", "action", c.Action).WithHint("/inc suggest")
		}
		if err := s.mayRun(sug.Plan, now); err != nil {
			return nil, err
		}
		if a = s.waiting(sug.Plan.Digest, now); a == nil && sug.Plan.TwoMust() {
			return nil, Fail(Forbidden, "error.ask_first", "two others must approve this; ask for it first", "action", sug.Action).
				WithHint("/inc run " + sug.Action)
		}
		if a == nil {
			if d := s.justDenied(sug.Plan.Digest, now); d != nil {
				return nil, d.decidable(now)
			}
			if err := s.mayAsk(); err != nil {
				return nil, err
			}
			e := s.request(c.By, sug.Plan, now)
			a, events = e.Approval, append(events, e)
		}
	}
	if a == nil {
		return nil, Fail(NotFound, "error.no_approval", "there is no such request", "id", c.ID).WithHint("/inc status")
	}
	if err := a.decidable(now); err != nil {
		return nil, err
	}
	if behind := a.Asked.At.Sub(now); behind > clockSlack {
		by := behind.Round(time.Second).String()
		return nil, Fail(Conflict, "error.clock_behind", "the clock here is "+by+" behind that of the request, so nobody knows whether it has expired", "by", by)
	}
	if c.Digest != a.Plan.Digest {
		return nil, Fail(Conflict, "error.plan_changed", "this plan is not the one that was shown").WithHint("/inc suggest")
	}
	if err := s.mayRun(a.Plan, now); err != nil {
		return nil, err
	}
	if a.Plan.TwoMust() {
		if err := c.mayCount(a, now); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(a.Given, func(m Mark) bool { return m.By.ID == c.By.ID }) {
			return nil, nil // they said so already
		}
		if len(a.Given)+1 < a.Plan.Approvers() {
			return []Event{{Kind: EventAgreed, By: c.By, ApprovalID: a.ID, Because: c.despite()}}, nil
		}
	}
	return append(events, Event{Kind: EventApproved, By: c.By, ApprovalID: a.ID, RunID: s.nextRun(), Because: c.despite()}), nil
}

func (s *Incident) nextRun() string { return s.ID.String() + "/" + strconv.Itoa(len(s.Runs)+1) }

func (c Approve) despite() Reason {
	if c.Despite == "" {
		return Reason{}
	}
	return Because("because.despite", "why", cut(c.Despite, MaxValue))
}

// Despite is why an approver wants a run although changes are frozen; "" where they
// have not said that it must be.
func (m *Mark) Despite() string { return m.Because.Args["why"] }

// mayCount refuses an approver who cannot be one of the two.
func (c Approve) mayCount(a *Approval, now time.Time) error {
	switch since := now.Sub(c.SignedIn); {
	case c.By.ID == a.Asked.By.ID:
		return Fail(Forbidden, "error.approve_own", "you asked for this yourself; two others must approve it")
	case c.SignedIn.IsZero():
		return Fail(Forbidden, "error.approve_console", "this is approved in the web console only")
	case since < 0 || since >= FreshFor:
		return Fail(Forbidden, ApproveStale, "you signed in too long ago to approve this; sign in again")
	}
	return nil
}

// ApproveStale is the sentence for an approver who must sign in again.
const ApproveStale = "error.approve_stale"

// decidable refuses a second decision, and says who was first.
func (a *Approval) decidable(now time.Time) error {
	if a.State != ApprovalPending {
		who := ""
		if a.Decided != nil {
			who = a.Decided.By.Name
		}
		return Fail(Conflict, "error.decided."+string(a.State), "this request was "+string(a.State)+" already by "+who, "by", who)
	}
	if !now.Before(a.ExpiresAt) {
		return Fail(Conflict, "error.decided.expired", "this request has expired").WithHint("/inc suggest")
	}
	return nil
}

// Deny refuses a request.
type Deny struct {
	By   Actor
	ID   string
	Text string
}

func (c Deny) decide(s *Incident, now time.Time) ([]Event, error) {
	a := s.approval(c.ID)
	if a == nil {
		return nil, Fail(NotFound, "error.no_approval", "there is no such request", "id", c.ID).WithHint("/inc status")
	}
	if err := a.decidable(now); err != nil {
		return nil, err
	}
	return []Event{{Kind: EventDenied, By: c.By, ApprovalID: a.ID, Text: cut(c.Text, MaxNote)}}, nil
}

// Withdraw takes a request back. Only whoever asked can; others deny it.
type Withdraw struct {
	By Actor
	ID string
}

func (c Withdraw) decide(s *Incident, now time.Time) ([]Event, error) {
	a := s.approval(c.ID)
	if a == nil {
		return nil, Fail(NotFound, "error.no_approval", "there is no such request", "id", c.ID).WithHint("/inc status")
	}
	if a.Asked.By.ID != c.By.ID {
		return nil, Fail(Forbidden, "error.withdraw_other", "only "+a.Asked.By.Name+", who asked, can withdraw this", "by", a.Asked.By.Name).WithHint("/inc deny " + a.ID)
	}
	if err := a.decidable(now); err != nil {
		return nil, err
	}
	return []Event{{Kind: EventWithdrawn, By: c.By, ApprovalID: a.ID}}, nil
}
