package incidents

import "time"

// Warrant is all that one approver's word is about. Its seal goes with the word, so
// that whoever can write to the store can neither make an approval nor use one for
// anything else.
type Warrant struct {
	Incident ID
	Approval string
	Run      string // "" while another one must approve too
	Digest   string // of the plan
	Asked    Mark
	Expires  time.Time
	Given    Mark
}

// Values are the warrant's parts, each of which counts for itself.
func (w *Warrant) Values() []string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	return []string{
		"approval", w.Incident.String(), w.Approval, w.Run, w.Digest, w.Asked.By.ID, at(w.Asked.At), at(w.Expires), w.Given.By.ID, at(w.Given.At), w.Given.Despite(),
	}
}

// Warrants are those of a run, in the order in which they were given.
func (s *Incident) Warrants(r *Run) []Warrant {
	a := s.approval(r.Approval)
	if a == nil {
		return nil
	}
	all := make([]Warrant, len(a.Given))
	for i := range a.Given {
		all[i] = Warrant{Incident: s.ID, Approval: a.ID, Digest: r.Plan.Digest, Asked: a.Asked, Expires: a.ExpiresAt, Given: a.Given[i]}
	}
	if len(all) > 0 {
		all[len(all)-1].Run = r.ID
	}
	return all
}

// Seal seals the approvals among events, which were just applied to s.
func (s *Incident) Seal(events []Event, seal func(Warrant) string) {
	for i := range events {
		e := &events[i]
		if e.Kind != EventAgreed && e.Kind != EventApproved {
			continue
		}
		a := s.asked(e)
		given := &a.Given[len(a.Given)-1]
		e.Seal = seal(Warrant{
			Incident: s.ID, Approval: a.ID, Run: e.RunID, Digest: a.Plan.Digest, Asked: a.Asked, Expires: a.ExpiresAt, Given: *given,
		})
		given.Seal = e.Seal
	}
}
