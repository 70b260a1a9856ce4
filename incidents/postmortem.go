package incidents

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// PostmortemData is everything a postmortem is written from: facts only, in no
// language. Package bot makes Markdown of it. What people have to add
// (the cause, what they learned) is not here.
type PostmortemData struct {
	Summary   Summary    `json:"summary"`
	Because   Reason     `json:"because"` // why these alerts are one incident
	About     string     `json:"about,omitempty"`
	Source    string     `json:"source,omitempty"`
	Commander string     `json:"commander,omitempty"`
	People    []string   `json:"people,omitempty"` // everybody who did something, in order of appearance
	Times     Times      `json:"times"`
	Impact    Impact     `json:"impact"`
	Findings  []Finding  `json:"findings,omitempty"` // of the latest investigation
	Decisions []Line     `json:"decisions,omitempty"`
	Tried     []Trial    `json:"tried,omitempty"`
	Feedback  []Feedback `json:"feedback,omitempty"`
	Timeline  []Line     `json:"timeline"`
	Hints     []Reason   `json:"hints,omitempty"` // follow-ups that the log itself suggests: "hint.…"
}

// Impact is what is known of the damage.
type Impact struct {
	Worst     Severity `json:"worst"` // it was ever thought to be, while open
	Hurt      Duration `json:"hurt"`  // from its beginning until it was mitigated
	Services  []string `json:"services,omitempty"`
	Alerts    int      `json:"alerts"` // ever seen
	Firing    int      `json:"firing"` // still
	Relapses  int      `json:"relapses"`
	Truncated int      `json:"truncated,omitempty"` // alerts that the senders left out
}

// Trial is one run: what was allowed by whom, what it did, and what the verify
// steps said before and after.
type Trial struct {
	Run        string       `json:"run"`
	Title      Text         `json:"title"`
	Action     string       `json:"action"`
	Plan       string       `json:"plan"` // the plan's whole digest
	AskedBy    string       `json:"asked_by,omitempty"`
	ApprovedBy string       `json:"approved_by,omitempty"`
	ApprovedAt time.Time    `json:"approved_at"`
	State      RunState     `json:"state"`
	Because    Reason       `json:"because,omitzero"`
	Steps      []StepResult `json:"steps,omitempty"`
	Change     []Comparison `json:"change,omitempty"`
	Looks      int          `json:"looks,omitempty"`
	Ran        Duration     `json:"ran"`  // the steps
	Took       Duration     `json:"took"` // from the approval to the proof, or its failure
}

// Comparison is one verify step before and after a run.
type Comparison struct {
	Step   string      `json:"step"`
	Title  Text        `json:"title,omitzero"`
	Before *StepResult `json:"before,omitempty"`
	After  *StepResult `json:"after,omitempty"`
}

// Feedback is what people thought of one action.
type Feedback struct {
	Action string `json:"action"`
	Title  Text   `json:"title"`
	Up     int    `json:"up"`
	Down   int    `json:"down"`
	Votes  []Line `json:"votes,omitempty"` // the votes themselves, with their reasons
}

// Postmortem gathers the facts from the state and its whole log.
func Postmortem(s *Incident, events []Event) PostmortemData {
	timeline := Timeline(s, events)
	d := PostmortemData{
		Summary: s.Summary(), Because: s.Because, About: s.Description, Source: s.Source,
		Times: TimesOf(s, events), Findings: s.Findings, Timeline: timeline,
		People: people(events), Tried: s.trials(), Feedback: feedback(s, timeline),
	}
	d.Commander = d.Summary.Commander
	d.Impact = s.impact(events, d.Times)
	for i := range timeline {
		if timeline[i].Reopens() { // by an alert: no event of its own says so
			d.Decisions = append(d.Decisions, timeline[i])
			continue
		}
		switch timeline[i].Kind {
		case EventSeverity, EventLead, EventRequested, EventAgreed, EventApproved, EventDenied, EventExpired, EventWithdrawn,
			EventEscalated, EventResolved, EventClosed, EventAccepted, EventRevoked, EventDemoted, EventWithheld:
			d.Decisions = append(d.Decisions, timeline[i])
		}
	}
	d.Hints = s.hints(events, &d)
	return d
}

func (s *Incident) impact(events []Event, t Times) Impact {
	sum := s.Summary()
	im := Impact{Hurt: t.TTM(), Alerts: sum.Alerts, Firing: sum.Firing, Truncated: s.Truncated}
	replay(events, func(before Status, s *Incident, _ *Event) {
		now := s.Status()
		if now.Open() && s.Severity().WorseThan(im.Worst) {
			im.Worst = s.Severity()
		}
		if now.Open() && (before == Resolved || before == Closed) {
			im.Relapses++
		}
	})
	services := map[string]bool{}
	for i := range events {
		if n := events[i].Alerts; n != nil {
			for j := range n.New {
				services[n.New[j].Service()] = true
			}
		}
	}
	delete(services, "")
	im.Services = slices.Sorted(maps.Keys(services))
	return im
}

// people are those who did something, in order of appearance.
func people(events []Event) []string {
	var names []string
	seen := map[string]bool{}
	for i := range events {
		for _, who := range []Actor{events[i].By, events[i].Target} {
			if who.IsPerson() && !seen[who.ID] {
				seen[who.ID] = true
				names = append(names, firstOf(who.Name, who.ID))
			}
		}
	}
	return names
}

func (s *Incident) trials() []Trial {
	trials := make([]Trial, 0, len(s.Runs))
	for i := range s.Runs {
		r := &s.Runs[i]
		t := Trial{
			Run: r.ID, Title: r.Plan.Title, Action: r.Plan.Runbook, Plan: r.Plan.Digest,
			ApprovedBy: s.approver(r), ApprovedAt: r.ApprovedAt, State: r.State, Because: r.Because,
			Steps: r.Steps, Change: changes(r.Before, r.After), Looks: r.Looks,
			Ran: between(r.StartedAt, r.EndedAt), Took: between(r.ApprovedAt, r.DoneAt),
		}
		if a := s.approval(r.Approval); a != nil {
			t.AskedBy = a.Asked.By.Name
		}
		trials = append(trials, t)
	}
	return trials
}

// changes pairs the verify steps of before with those of after, by step.
func changes(before, after []StepResult) []Comparison {
	var all []Comparison
	at := map[string]int{}
	add := func(r *StepResult) *Comparison {
		i, known := at[r.Step]
		if !known {
			i = len(all)
			at[r.Step] = i
			all = append(all, Comparison{Step: r.Step, Title: r.Title})
		}
		return &all[i]
	}
	for i := range before {
		add(&before[i]).Before = &before[i]
	}
	for i := range after {
		add(&after[i]).After = &after[i]
	}
	return all
}

func feedback(s *Incident, timeline []Line) []Feedback {
	by := map[string]*Feedback{}
	for i := range timeline {
		l := &timeline[i]
		if l.Kind != EventVoted {
			continue
		}
		action := l.Event.Action
		if by[action] == nil {
			by[action] = &Feedback{Action: action, Title: l.Texts["action"]}
		}
		by[action].Votes = append(by[action].Votes, *l)
	}
	for action, f := range by {
		for _, v := range s.Votes[action] {
			if v > 0 {
				f.Up++
			} else {
				f.Down++
			}
		}
	}
	all := make([]Feedback, 0, len(by))
	for _, f := range by {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Feedback) int { return cmp.Compare(a.Action, b.Action) })
	return all
}

// slowAck is from when on a postmortem asks why nobody acknowledged sooner.
const slowAck = 15 * time.Minute

// hints are follow-ups that need no judgement to propose.
func (s *Incident) hints(events []Event, d *PostmortemData) []Reason {
	var hints []Reason
	hint := func(when bool, phrase string, args ...string) {
		if when {
			hints = append(hints, Because(phrase, args...))
		}
	}
	tta := d.Times.TTA()
	hint(!tta.Known, "hint.nobody_acknowledged")
	hint(tta.Known && tta.D >= slowAck, "hint.slow_acknowledge", "after", tta.D.Round(time.Second).String())
	ttd := d.Times.TTD()
	hint(ttd.Known && ttd.D >= slowAck, "hint.slow_detect", "after", ttd.D.Round(time.Second).String())
	verified := false
	for i := range d.Tried {
		t := &d.Tried[i]
		verified = verified || t.State == RunVerified
		halted := d.Tried[i].Because.Phrase == becauseStopped
		hint(t.State == RunUnknown || halted, "hint.run_unknown", "run", t.Run)
		hint(t.State == RunFailed && !halted, "hint.run_failed", "run", t.Run)
		hint(t.State == RunNotVerified, "hint.run_did_not_help", "run", t.Run)
	}
	hint(len(s.Suggestions) == 0 && s.NoAction.Phrase != "", "hint.no_runbook")
	hint(len(s.Suggestions) > 0 && len(d.Tried) == 0 && !s.Status().Open(), "hint.solved_without_runbook")
	hint(s.Resolved != nil && s.Resolved.By.IsPerson() && !verified, "hint.not_proved")
	hint(d.Impact.Relapses > 0, "hint.relapsed", "n", strconv.Itoa(d.Impact.Relapses))
	hint(s.Truncated > 0, "hint.truncated", "n", strconv.Itoa(s.Truncated))
	hint(len(s.Failed) > 0, "hint.gave_up", "n", strconv.Itoa(len(s.Failed)))
	lapsed := 0
	for i := range events {
		if n := events[i].Alerts; n != nil {
			lapsed += n.Expired
		}
	}
	hint(lapsed > 0, "hint.lapsed", "n", strconv.Itoa(lapsed))
	return hints
}
