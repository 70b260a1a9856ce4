package incidents

// Objection says what is wrong with an action, in one of a few words that learning
// can tell apart.
type Objection string

// The objections. An action that is unsafe at present may be the right one; one
// with the wrong cause is not.
const (
	WrongCause Objection = "wrong-cause"  // it mends something else
	UnsafeNow  Objection = "unsafe-now"   // not at this moment, whatever it would mend
	TooSlow    Objection = "too-slow"     // it helps, later than people can wait
	NotTheRoot Objection = "not-the-root" // it helps against what is seen, not against what causes it
)

// Objections are all there are, in the order in which people are offered them.
func Objections() []Objection { return []Objection{WrongCause, UnsafeNow, TooSlow, NotTheRoot} }

// Objected is how often something was said against an action.
type Objected struct {
	Objection Objection `json:"objection"`
	N         int       `json:"n"`
}

func (o Objection) known() bool {
	switch o {
	case "", WrongCause, UnsafeNow, TooSlow, NotTheRoot:
		return true
	}
	return false
}

// UnsafeHere says whether somebody holds the action for unsafe in this incident.
func (s *Incident) UnsafeHere(action string) bool {
	for _, o := range s.Objections[action] {
		if o == UnsafeNow {
			return true
		}
	}
	return false
}

func (s *Incident) object(e *Event) {
	if e.Objection == "" {
		delete(s.Objections[e.Action], e.By.ID)
		return
	}
	if s.Objections == nil {
		s.Objections = map[string]map[string]Objection{}
	}
	if s.Objections[e.Action] == nil {
		s.Objections[e.Action] = map[string]Objection{}
	}
	s.Objections[e.Action][e.By.ID] = e.Objection
}
