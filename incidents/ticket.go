package incidents

import (
	"maps"
	"slices"
	"time"
)

// Ticket is the incident's ticket in one tracker. Like a war room it is a
// projection: whoever syncs it compares what the tracker should say with Hash
// and LastSeq and mends the difference, so a crash, an outage or a retry leaves
// one ticket and each comment once.
type Ticket struct {
	Key      string    `json:"key,omitempty"` // "OPS-123"; "" until there is one
	URL      string    `json:"url,omitempty"`
	Status   string    `json:"status,omitempty"` // in the tracker's own words
	OpenedAt time.Time `json:"opened_at,omitzero"`
	Hash     string    `json:"hash,omitempty"`     // of what the tracker was told last, comments aside
	LastSeq  int64     `json:"last_seq,omitempty"` // comments were written about events up to here
	Linked   bool      `json:"linked,omitempty"`   // a person chose it, we did not open it
	Off      bool      `json:"off,omitempty"`      // a person unlinked it: none is opened by itself
	Asked    int       `json:"asked,omitempty"`    // how often a person asked for another one
	Problem  Reason    `json:"problem,omitzero"`   // what the tracker refused, and what to do about it

	Attached time.Time `json:"attached,omitzero"` // the closing whose postmortem it has

	Tasks []TicketTask `json:"tasks,omitempty"` // follow-ups that the tracker has, also below an earlier ticket

	There map[string]time.Time `json:"there,omitempty"` // by field: when a person last changed it in the tracker
}

// TicketTask is a follow-up in a tracker.
type TicketTask struct {
	N    int       `json:"n"` // of the Todo
	Key  string    `json:"key"`
	URL  string    `json:"url,omitempty"`
	Done bool      `json:"done,omitempty"` // as the tracker was told last
	At   time.Time `json:"at,omitzero"`    // when that was
}

// TicketRoute says in which tracker incidents have their ticket. Match is held
// against the labels of the incident's first alert, or against service alone
// where a person declared it; all must hold, and none matches everything.
type TicketRoute struct {
	Match   []Matcher
	Tracker string // "" for no ticket
}

// trackers are those that have the incident's ticket, or should. The route is
// found once, with what the incident began with: labels that change later
// must not open a second ticket elsewhere.
func (s *Incident) trackers(p Policy) []string {
	var names []string
	for name, t := range s.Tickets {
		if !t.Off {
			names = append(names, name)
		}
	}
	if len(s.Tickets) > 0 {
		slices.Sort(names)
		return names
	}
	if c := p.Customers.named(s.Customer); c != nil && c.Tracker != "" {
		return []string{c.Tracker}
	}
	labels := Labels{{Name: "service", Value: s.Service}}
	if len(s.Samples) > 0 {
		labels = s.Samples[0].Labels
	}
	for i := range p.Tickets {
		r := &p.Tickets[i]
		if !slices.ContainsFunc(r.Match, func(m Matcher) bool { return !m.Matches(labels) }) {
			if r.Tracker == "" {
				return nil
			}
			return []string{r.Tracker}
		}
	}
	return nil
}

// Tracker is the one that the incident's ticket is or will be in, or was until a
// person parted them: there another one can be had. "" for none.
func (s *Incident) Tracker(p Policy) string {
	if names := s.trackers(p); len(names) > 0 {
		return names[0]
	}
	if parted := slices.Sorted(maps.Keys(s.Tickets)); len(parted) > 0 {
		return parted[0]
	}
	return ""
}

// ticketPace takes what happens in quick succession together into one edit.
const ticketPace = 2 * time.Second

func openTicket(s *Incident, e *Event, p Policy) []Effect { return ticketEffects(s, e.Written, p) }

func syncTicket(s *Incident, e *Event, p Policy) []Effect {
	return ticketEffects(s, e.Written.Add(ticketPace), p)
}

func ticketEffects(s *Incident, due time.Time, p Policy) []Effect {
	var effects []Effect
	for _, tracker := range s.trackers(p) {
		effects = append(effects, s.effect(DoSyncTicket, LaneOfTracker(tracker), tracker, due))
	}
	return effects
}

// HumanPeace is how long the bot's own word does not go against what a person
// said in the tracker.
const HumanPeace = 5 * time.Minute

// PeaceUntil is when the last person who changed something in the tracker has
// had their time; zero where nobody did.
func (t *Ticket) PeaceUntil() time.Time {
	var until time.Time
	for _, at := range t.There {
		until = later(until, at.Add(HumanPeace))
	}
	return until
}

// endPeace looks at the ticket again once the people there have had their time:
// what was left as they want it is put back then, also where nothing else
// happens. Any sync before that ends in this event too, and asks once more.
func endPeace(s *Incident, e *Event, _ Policy) []Effect {
	t := s.Tickets[e.Tracker]
	until := t.PeaceUntil()
	if t.Off || !until.After(e.Written) {
		return nil
	}
	return []Effect{s.effect(DoSyncTicket, LaneOfTracker(e.Tracker), e.Tracker, until.Add(ticketPace))}
}

// LaneOfTracker is the bulkhead of one tracker.
func LaneOfTracker(tracker string) string { return "ticket-" + tracker }

// TicketSynced is the outcome of bringing a ticket up to date.
type TicketSynced struct {
	Tracker string
	Ticket  Ticket
}

func (c TicketSynced) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	t := c.Ticket
	old, had := s.Tickets[c.Tracker]
	if had && (old.Off || old.Asked != t.Asked || old.Linked && old.Key != t.Key) {
		return nil, nil // a person has chosen another one meanwhile
	}
	kind := EventTicketSynced
	if t.Key != "" && old.Key != t.Key {
		kind = EventTicketOpened
	}
	return []Event{{Kind: kind, Tracker: c.Tracker, Ticket: &t}}, nil
}

// LinkTicket makes an existing ticket the incident's.
type LinkTicket struct {
	By           Actor
	Tracker, Key string
	URL          string
}

func (c LinkTicket) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(now); err != nil {
		return nil, err
	}
	old := s.Tickets[c.Tracker]
	if old.Key == c.Key && !old.Off {
		return nil, nil
	}
	t := Ticket{Key: c.Key, URL: c.URL, Linked: true, OpenedAt: now, LastSeq: s.Version, Asked: old.Asked, Tasks: old.Tasks}
	return []Event{{Kind: EventTicketLinked, By: c.By, Tracker: c.Tracker, Ticket: &t}}, nil
}

// UnlinkTicket parts the incident and its ticket: neither follows the other any
// more, and no other one is opened by itself.
type UnlinkTicket struct {
	By      Actor
	Tracker string
}

func (c UnlinkTicket) decide(s *Incident, now time.Time) ([]Event, error) {
	old, had := s.Tickets[c.Tracker]
	if !had || old.Off {
		return nil, nil
	}
	old.Off = true
	return []Event{{Kind: EventTicketUnlinked, By: c.By, Tracker: c.Tracker, Ticket: &old}}, nil
}

// AskTicket asks for a ticket where there is none, or for another one.
type AskTicket struct {
	By      Actor
	Tracker string
}

func (c AskTicket) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(now); err != nil {
		return nil, err
	}
	old := s.Tickets[c.Tracker]
	t := Ticket{Asked: old.Asked + 1, Tasks: old.Tasks}
	return []Event{{Kind: EventTicketAsked, By: c.By, Tracker: c.Tracker, Ticket: &t}}, nil
}

// TicketTouched notes that a person changed a field in the tracker: for a while
// the bot does not speak against them there.
type TicketTouched struct {
	Tracker string
	Field   string
	At      time.Time
	Status  string // the tracker's word for the state afterwards; "" where it is not known
}

func (c TicketTouched) decide(s *Incident, _ time.Time) ([]Event, error) {
	old, had := s.Tickets[c.Tracker]
	if !had || old.Off || !c.At.After(old.There[c.Field]) {
		return nil, nil
	}
	old.There = with(old.There, c.Field, c.At)
	if c.Status != "" {
		old.Status = c.Status
	}
	return []Event{{Kind: EventTicketSynced, Tracker: c.Tracker, Ticket: &old}}, nil
}

func (s *Incident) applyTicket(e *Event) {
	if s.Tickets == nil {
		s.Tickets = map[string]Ticket{}
	}
	t := *e.Ticket
	if old := s.Tickets[e.Tracker]; e.Kind == EventTicketSynced || e.Kind == EventTicketOpened {
		for field, at := range old.There { // what was noted while the sync was under way
			if at.After(t.There[field]) {
				t.There = with(t.There, field, at)
			}
		}
	}
	s.Tickets[e.Tracker] = t
	s.recovered(DoSyncTicket, e.Tracker)
}

// with is a copy of m with one more entry: states share their maps with events.
func with(m map[string]time.Time, field string, at time.Time) map[string]time.Time {
	out := make(map[string]time.Time, len(m)+1)
	maps.Copy(out, m)
	out[field] = at
	return out
}
