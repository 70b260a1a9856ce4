package incidents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Plan is exactly what would be done: every argument resolved, nothing left to
// look up. Approving a plan approves its digest; anything else never runs.
type Plan struct {
	Runbook       string            `json:"runbook"`
	RunbookDigest string            `json:"runbook_digest"` // SHA-256 of the runbook's file
	Title         Text              `json:"title"`
	Risk          Risk              `json:"risk"`
	Incident      ID                `json:"incident"`
	Params        map[string]string `json:"params,omitempty"`
	Branch        *Branch           `json:"branch,omitempty"` // which of the runbook's branches; nil where it has none
	Calls         map[string]string `json:"calls,omitempty"`  // the runbooks that it calls, with the SHA-256 of their files
	Check         []Step            `json:"check,omitempty"`
	Recover       []Step            `json:"recover"`
	Verify        Verify            `json:"verify"`
	Effect        Text              `json:"effect,omitzero"`   // what it is expected to do, in its author's words
	Undo          Text              `json:"undo,omitzero"`     // how to take it back, where its author says so
	Escalate      Text              `json:"escalate,omitzero"` // said when it did not help
	Digest        string            `json:"digest"`            // SHA-256 of all of the above
}

// Branch is the choice among a runbook's branches, made from what its checks
// found before anybody approves.
type Branch struct {
	ID     string            `json:"id"`
	Title  Text              `json:"title,omitzero"`
	Found  map[string]string `json:"found,omitempty"`  // check → "up" or "down"
	Labels Labels            `json:"labels,omitempty"` // what the conditions may have looked at
}

// Risk is how much a runbook can hurt.
type Risk string

// The tiers of risk.
const (
	RiskRead Risk = "read" // changes nothing: runs by itself
	RiskLow  Risk = "low"
	RiskHigh Risk = "high"
)

// Step is one resolved step. Its kind says which of Argv, URL and Query are set:
// a command over SSH has the first two, a note none.
type Step struct {
	ID      string        `json:"id"`
	Title   Text          `json:"title,omitzero"`
	Kind    string        `json:"kind"` // command, http, promql …: see package runbooks/steps
	Argv    []string      `json:"argv,omitempty"`
	Method  string        `json:"method,omitempty"`
	URL     string        `json:"url,omitempty"`
	Query   string        `json:"query,omitempty"`
	Expect  string        `json:"expect,omitempty"` // a condition in the kind's own small language, see package runbooks
	Timeout time.Duration `json:"timeout"`
	Retry   *Retry        `json:"retry,omitempty"`
	Note    *NoteText     `json:"note,omitempty"`    // note: what it says
	Content string        `json:"content,omitempty"` // SHA-256 of what it refers to: playbooks, a host in the inventory
}

// Retry is how often a step is tried before it counts as failed. A step of the
// recovery has one only where its author says that it may be repeated.
type Retry struct {
	Times int           `json:"times"` // in all, the first among them
	Every time.Duration `json:"every"` // from the end of one to the beginning of the next
}

// Longest is how long the step may take with all that it is tried.
func (s *Step) Longest() time.Duration {
	if s.Retry == nil {
		return s.Timeout
	}
	return time.Duration(s.Retry.Times)*s.Timeout + time.Duration(s.Retry.Times-1)*s.Retry.Every
}

// Verify is how success is proved: the steps pass, the incident's alerts have
// cleared, and both stay so.
type Verify struct {
	Steps    []Step        `json:"steps"`
	Every    time.Duration `json:"every"`  // between two looks
	Stable   time.Duration `json:"stable"` // all well for at least this long
	Within   time.Duration `json:"within"` // or it has failed
	NoAlerts bool          `json:"no_alerts"`
}

// Seal computes the digest. Two plans have one digest only if they are equal
// in every byte that matters.
func (p Plan) Seal() Plan {
	p.Digest = ""
	b, err := json.Marshal(p)
	if err != nil {
		panic("incidents: a plan of strings and numbers did not encode: " + err.Error())
	}
	sum := sha256.Sum256(b)
	p.Digest = hex.EncodeToString(sum[:])
	return p
}

// Sealed says whether the digest is the plan's own.
func (p Plan) Sealed() bool { return p.Digest != "" && p.Seal().Digest == p.Digest }

// Approval is a request to run a plan and what became of it.
type Approval struct {
	ID        string        `json:"id"` // "1", "2", … within the incident
	Plan      Plan          `json:"plan"`
	Asked     Mark          `json:"asked"`
	ExpiresAt time.Time     `json:"expires_at"`
	State     ApprovalState `json:"state"`
	Given     []Mark        `json:"given,omitempty"` // who approved, in order
	Decided   *Mark         `json:"decided,omitempty"`
	Suggested bool          `json:"suggested,omitempty"` // the plan was a suggestion's, as it stood
	Standing  *Acceptance   `json:"standing,omitempty"`  // approved beforehand: it runs by itself
}

// ApprovalState is where an approval stands; each is decided at most once.
type ApprovalState string

// The states of an approval.
const (
	ApprovalPending ApprovalState = "pending"
	ApprovalGiven   ApprovalState = "approved"
	ApprovalDenied  ApprovalState = "denied"
	ApprovalExpired ApprovalState = "expired"

	ApprovalWithdrawn ApprovalState = "withdrawn" // by whoever asked
)

// clockSlack is how far the clock of one replica may be behind another's. One that is
// farther behind would take for fresh what has expired, so it decides and starts nothing.
const clockSlack = time.Minute

// ClockOff says why nothing may be approved or started where the clock of this machine is
// so far from the store's; the zero Reason where it may. It finds also what MayStart and
// Approve cannot: a clock that was wrong from the request on. Whichever of the two is
// wrong, nobody knows when an approval expires, or a freeze ends.
func ClockOff(off time.Duration) Reason {
	if off.Abs() <= clockSlack {
		return Reason{}
	}
	if off < 0 {
		return Because("because.clock_off_behind", "by", (-off).Round(time.Second).String())
	}
	return Because("because.clock_off_ahead", "by", off.Round(time.Second).String())
}

// ApprovalTerm is how long a request waits for a decision: long enough to reach
// somebody, short enough that what was seen when it was made still holds.
const ApprovalTerm = 15 * time.Minute

// FreshFor is how long after somebody has proved who they are they may approve
// what two must: a browser that was left open, or a cookie that was stolen, is
// not enough.
const FreshFor = 15 * time.Minute

// TwoMust says whether two people must approve, neither of whom asked for it,
// each in the console and freshly signed in. Whatever is not known to be of low
// risk is of high risk.
func (p *Plan) TwoMust() bool { return p.Risk != RiskLow }

// Approvers is how many people must approve.
func (p *Plan) Approvers() int {
	if p.TwoMust() {
		return 2
	}
	return 1
}

// Approvers are who approved, in order.
func (a *Approval) Approvers() []Actor {
	if a.Standing != nil {
		return []Actor{a.Standing.By}
	}
	var all []Actor
	for _, m := range a.Given {
		all = append(all, m.By)
	}
	if len(all) == 0 && a.State == ApprovalGiven && a.Decided != nil { // from before there were several
		all = append(all, a.Decided.By)
	}
	return all
}

// complete says whether as many people as must have approved, each counted once
// and none of them for themselves where two must.
func (a *Approval) complete() bool {
	if a.Standing != nil && !a.Standing.Covers(&a.Plan) {
		return false
	}
	people := map[string]bool{}
	for _, by := range a.Approvers() {
		if by.IsPerson() && !(a.Plan.TwoMust() && by.ID == a.Asked.By.ID) {
			people[by.ID] = true
		}
	}
	return a.State == ApprovalGiven && a.Plan.Sealed() && len(people) >= a.Plan.Approvers()
}

func (s *Incident) approval(id string) *Approval {
	for i := range s.Approvals {
		if s.Approvals[i].ID == id {
			return &s.Approvals[i]
		}
	}
	return nil
}

// Approval finds an approval by id; nil where there is none.
func (s *Incident) Approval(id string) *Approval { return s.approval(id) }

// PendingApprovals are those that wait for a decision, oldest first.
func (s *Incident) PendingApprovals() []Approval {
	return slices.Collect(func(yield func(Approval) bool) {
		for _, a := range s.Approvals {
			if a.State == ApprovalPending && !yield(a) {
				return
			}
		}
	})
}
