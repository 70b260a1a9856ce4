package incidents

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Acceptance is an approver's word that a runbook runs by itself, as it is.
type Acceptance struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
	Digest string    `json:"digest"`         // of the runbook; another one was not accepted
	Rests  []string  `json:"rests"`          // the runs that it rests on
	Seal   string    `json:"seal,omitempty"` // the keeper's, so that nobody else writes one
}

// Word is what the room has to be told. The zero Word is silence.
type Word struct {
	Said    EventKind `json:"said,omitempty"`
	Because Reason    `json:"because,omitzero"`
}

// Outcome is what became of a run.
type Outcome struct {
	Run      string
	Incident ID
	Service  string
	Digest   string // of the runbook
	State    RunState
	Clean    bool // somebody approved it as it was suggested, and nobody doubts it
	Itself   bool // it ran by itself
	Tried    bool // any of its steps was carried out, as far as anybody knows
	Started  time.Time
}

// Outcome is what became of run id, once it has ended.
func (s *Incident) Outcome(id string) (Outcome, bool) {
	r := s.run(id)
	if r == nil {
		return Outcome{}, false
	}
	switch r.State {
	case RunVerified, RunNotVerified, RunFailed, RunUnknown:
	default:
		return Outcome{}, false
	}
	o := Outcome{
		Run: r.ID, Incident: s.ID, Service: s.Scope().Realm(), Digest: r.Plan.Source(), State: r.State, Started: r.StartedAt,
		Tried: r.State != RunFailed || tried(r),
	}
	if a := s.approval(r.Approval); a != nil {
		o.Itself = a.Standing != nil
		o.Clean = a.Suggested && !s.doubted(r.Plan.Runbook)
	}
	return o, true
}

// doubted says whether anybody gave the action a thumb down here.
func (s *Incident) doubted(action string) bool {
	for _, vote := range s.Votes[action] {
		if vote < 0 {
			return true
		}
	}
	return false
}

// Source names exactly what a plan was made of: its runbook's file and those that it
// calls. Another one, another source.
func (p *Plan) Source() string {
	if len(p.Calls) == 0 {
		return p.RunbookDigest
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", p.RunbookDigest)
	for _, id := range slices.Sorted(maps.Keys(p.Calls)) {
		fmt.Fprintf(h, "%s %s\n", id, p.Calls[id])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Covers says whether the acceptance is about such a plan: of low risk, made of the
// very runbook, accepted by a person.
func (a *Acceptance) Covers(p *Plan) bool {
	return a.By.IsPerson() && !p.TwoMust() && a.Digest != "" && a.Digest == p.Source()
}

// UnderWay is how long a run of the plan can be under way, from its approval on.
func (p *Plan) UnderWay() time.Duration {
	return ApprovalTerm + p.longest() + p.Verify.Within + time.Minute
}
