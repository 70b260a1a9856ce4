package incidents

import "time"

// Freeze is somebody's word that no remediation may start, anywhere, until a
// time or until somebody lifts it. Runs under way go on: stopping one in its
// middle would be a remedy that nobody approved.
type Freeze struct {
	By     Actor     `json:"by"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"`  // zero: until it is lifted
	Text   string    `json:"text,omitempty"`  // why, in the person's own words
	First  *Mark     `json:"first,omitempty"` // who froze first, where By made it longer; then Text has both reasons
	Lifted *Mark     `json:"lifted,omitempty"`
}

// Holds says whether nothing may start at now.
func (f *Freeze) Holds(now time.Time) bool {
	return !f.At.IsZero() && f.Lifted == nil && (f.Until.IsZero() || now.Before(f.Until))
}

// Outlasts says whether f holds for longer than g, which holds.
func (f *Freeze) Outlasts(g *Freeze) bool {
	return !g.Until.IsZero() && (f.Until.IsZero() || f.Until.After(g.Until))
}

// Extends makes f the longer form of g, which holds: who froze first, and why, stays.
func (f *Freeze) Extends(g *Freeze) {
	f.First = g.First
	if f.First == nil {
		f.First = &Mark{At: g.At, By: g.By}
	}
	switch {
	case f.Text == "":
		f.Text = g.Text
	case g.Text != "" && g.Text != f.Text:
		f.Text = cut(g.Text+" / "+f.Text, MaxValue)
	}
}

// Because is the sentence of a run that did not start for it.
func (f *Freeze) Because() Reason {
	return Because("because."+f.wording(), f.args()...)
}

// Refusal is the error of whoever wants to start something meanwhile.
func (f *Freeze) Refusal() error {
	until := "somebody lifts it"
	if !f.Until.IsZero() {
		until = freezeTime(f.Until)
	}
	return Fail(Conflict, "error."+f.wording(), "remediation is frozen by "+f.By.Name+" until "+until, f.args()...).WithHint("/inc freeze status")
}

// wording is the end of the phrase's name: what is not known is not said.
func (f *Freeze) wording() string {
	phrase := "frozen"
	if !f.Until.IsZero() {
		phrase += "_until"
	}
	if f.Text != "" {
		phrase += "_why"
	}
	return phrase
}

func (f *Freeze) args() []string {
	return []string{"by", f.By.Name, "at", freezeTime(f.At), "until", freezeTime(f.Until), "why", cut(f.Text, MaxValue)}
}

func freezeTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// RefuseRun ends an approved run before its first step. Owner is set where the
// run was claimed already, by whoever claimed it and has done nothing yet.
type RefuseRun struct {
	Run     string
	Owner   string
	Because Reason
}

func (c RefuseRun) decide(s *Incident, _ time.Time) ([]Event, error) {
	r := s.run(c.Run)
	if r == nil {
		return nil, Fail(NotFound, "error.no_run", "there is no such run", "run", c.Run)
	}
	mine := r.State == RunRunning && c.Owner != "" && r.Owner == c.Owner
	if r.State != RunApproved && !mine {
		return nil, nil
	}
	return []Event{
		{Kind: EventRunFailed, RunID: r.ID, Because: c.Because},
		{Kind: EventEscalated, RunID: r.ID, Because: c.Because},
	}, nil
}
