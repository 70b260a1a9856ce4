package incidents

import "time"

// TrustWord is the latest that was said in an incident about an action that runs by
// itself, or could.
type TrustWord struct {
	Said EventKind `json:"said"`
	Run  string    `json:"run,omitempty"` // the run that led to it
	Mark
}

// Automatable is the first suggestion where nothing but its runbook's standing keeps
// it from running by itself; nil where people have it in hand. They do once anything
// was asked for here, once somebody was called for help, and where nothing fires:
// what a person declared or reopened they look after themselves.
func (s *Incident) Automatable() *Suggestion {
	status := s.Status()
	if status != Triggered && status != Investigating || s.Alerts.Firing() == 0 || len(s.Suggestions) == 0 {
		return nil
	}
	g := &s.Suggestions[0]
	if g.Plan.TwoMust() || len(s.Approvals) > 0 || len(s.Escalated) > 0 || s.doubted(g.Action) || s.Trust[g.Action].Said == EventWithheld {
		return nil
	}
	return g
}

// Automate approves a plan by its standing approval. It goes the way of any other
// from there. Where people were faster, nothing happens.
type Automate struct {
	Action   string
	Digest   string // of the plan
	Standing Acceptance
}

func (c Automate) decide(s *Incident, now time.Time) ([]Event, error) {
	g := s.Automatable()
	if g == nil || g.Action != c.Action || g.Plan.Digest != c.Digest || !c.Standing.Covers(&g.Plan) {
		return nil, nil
	}
	if s.mayRun(g.Plan, now) != nil || s.mayAsk() != nil {
		return nil, nil
	}
	e := s.request(Bot, g.Plan, now)
	e.Approval.Standing = &c.Standing
	return []Event{e, {Kind: EventApproved, ApprovalID: e.Approval.ID, RunID: s.nextRun()}}, nil
}

// TellTrust says in an incident what was decided about an action's standing.
type TellTrust struct {
	By     Actor // whoever decided it; Hikeshi where that was nobody
	Action string
	Run    string // the run that led to it
	Word   Word
}

func (c TellTrust) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	switch c.Word.Said {
	case EventProposed, EventAccepted, EventRevoked, EventDemoted, EventWithheld:
	case "":
		return nil, nil
	default:
		return nil, Fail(Invalid, "error.trust_word", "that is nothing to say of a runbook's standing")
	}
	if g := s.Automatable(); c.Word.Said == EventWithheld && (g == nil || g.Action != c.Action) {
		return nil, nil // people were faster
	}
	if _, known := s.Trust[c.Action]; !known && len(s.Trust) >= MaxApprovals {
		return nil, errTooManyRuns()
	}
	if old := s.Trust[c.Action]; old.Said == c.Word.Said && old.Run == c.Run && old.Because.Phrase == c.Word.Because.Phrase && (c.By.ID == "" || old.By.ID == c.By.ID) {
		return nil, nil
	}
	return []Event{{Kind: c.Word.Said, By: c.By, Action: c.Action, RunID: c.Run, Because: c.Word.Because}}, nil
}

func (s *Incident) trustWord(e *Event) {
	if s.Trust == nil {
		s.Trust = map[string]TrustWord{}
	}
	s.Trust[e.Action] = TrustWord{Said: e.Kind, Run: e.RunID, Mark: mark(e)}
}
