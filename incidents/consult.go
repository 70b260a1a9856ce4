package incidents

import "time"

// Consulted is what the sources answered a person who asked them. It goes into
// the log, and so into every room: whoever looks at the incident sees it too.
type Consulted struct {
	By       Actor
	Line     string // what they asked, as a line of /inc: "logs timeout"
	Findings []Finding
	Clues    []Clue
}

func (c Consulted) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(s.lastWord(now)); err != nil {
		return nil, err
	}
	return []Event{{
		Kind: EventConsulted, By: c.By, Text: cut(c.Line, MaxValue), Findings: boundFindings(c.Findings), Clues: boundClues(c.Clues),
	}}, nil
}

// lastWord lets people look at what is closed: that changes nothing about it.
func (s *Incident) lastWord(now time.Time) time.Time {
	if s.Closed != nil && s.Status() == Closed {
		return s.Closed.At
	}
	return now
}

// Useful is a person's word on one item of the first investigation: Value +1, −1,
// or 0 to take it back. One person has one vote on one item of one incident.
type Useful struct {
	By    Actor
	Item  string // see Clue.Item and Finding.Item
	Value int
}

func (c Useful) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	if c.Value < -1 || c.Value > 1 {
		return nil, Fail(Invalid, "error.useful", "useful is yes or no").WithHint("/inc useful 1 yes")
	}
	if !c.By.IsPerson() {
		return nil, Fail(Forbidden, "error.vote_person", "only people vote")
	}
	if !s.hasItem(c.Item) {
		return nil, Fail(NotFound, "error.no_item", "the investigation has no such item", "item", c.Item).WithHint("/inc useful")
	}
	was := s.Useful[c.Item][c.By.ID]
	if was == c.Value {
		return nil, nil
	}
	return []Event{{Kind: EventUseful, By: c.By, Action: c.Item, Value: c.Value, Was: was}}, nil
}

func (s *Incident) hasItem(item string) bool {
	for _, known := range s.Items() {
		if item != "" && known == item {
			return true
		}
	}
	return false
}

// Items are what people can say was useful, in the order of the message: each
// check, and each thing that a source was asked, once.
func (s *Incident) Items() []string {
	var all []string
	seen := map[string]bool{"": true}
	add := func(item string) {
		if !seen[item] {
			seen[item] = true
			all = append(all, item)
		}
	}
	for i := range s.Findings {
		add(s.Findings[i].Item())
	}
	for i := range s.Clues {
		add(s.Clues[i].Item)
	}
	return all
}

// Item is what a vote on the finding is about; "" where it is no check.
func (f *Finding) Item() string {
	if f.Calls != nil || f.Closes != nil {
		return ""
	}
	return "check/" + f.Check
}

func (s *Incident) useful(e *Event) {
	if s.Useful == nil {
		s.Useful = map[string]map[string]int{}
	}
	if s.Useful[e.Action] == nil {
		s.Useful[e.Action] = map[string]int{}
	}
	if e.Value == 0 {
		delete(s.Useful[e.Action], e.By.ID)
		return
	}
	s.Useful[e.Action][e.By.ID] = e.Value
}
