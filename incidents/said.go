package incidents

import (
	"encoding/hex"
	"time"
)

// Said is what a person said in a war room of one chat, as that chat tells it:
// once when it is said, again when it is edited or deleted. Only the latest of
// it counts, and telling the same again does nothing. What is deleted stays so.
type Said struct {
	Chat      string    // where it was said: "slack"
	MessageID string    // lasting, within the chat
	By        Actor     // its author; of what is deleted, nobody where the chat does not tell
	Text      string    // as it is now, plain; cut at MaxSaidText
	At        time.Time // when it was said
	Edited    bool      // it reads differently than before
	Deleted   bool      // its author took it back
	Pinned    bool      // put it on the timeline too; false changes nothing (see Pin)
}

// Bounds of what is said. What is beyond the number is counted.
const (
	MaxSaidText = 8000 // bytes of one message
	MaxSaid     = 300  // messages that one incident's rooms tell each other
	MaxPinned   = 100  // beyond MaxSaid, for messages that are put on the timeline
)

// SaidMark is what an event tells of a message beside its text and its author.
type SaidMark struct {
	Key     string `json:"key"`             // its key in the rooms of the other chats; "" where there were too many
	First   bool   `json:"first,omitempty"` // nothing was heard of it before
	Edited  bool   `json:"edited,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
}

// SaidState is what an incident keeps of a message: enough to know whether it
// is told again.
type SaidState struct {
	Hash    string `json:"hash,omitempty"`
	Edited  bool   `json:"edited,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
	Pinned  bool   `json:"pinned,omitempty"`
}

// Key names the message in the rooms of the other chats.
func (c Said) Key() string {
	k := KeyOf("said", c.Chat, c.MessageID)
	return "said-" + hex.EncodeToString(k[:8])
}

func (c Said) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := c.check(s); err != nil {
		return nil, err
	}
	var events []Event
	old, known := s.Said[c.Key()]
	switch {
	case known && old.Deleted, !known && c.Deleted && !c.By.IsPerson():
		return nil, nil // what nobody heard of stands nowhere
	case !known && len(s.Said) >= MaxSaid && !c.Pinned:
		return []Event{c.event(EventSaid, now, SaidMark{})}, nil
	case !known, c.Deleted, old.Hash != textHash(c.text()) && (c.Edited || !old.Edited):
		events = append(events, c.event(EventSaid, now, SaidMark{Key: c.Key(), First: !known, Edited: c.Edited, Deleted: c.Deleted}))
	}
	if c.Pinned && !c.Deleted {
		pinned, err := Pin{By: c.By, Key: c.Key(), Message: &c}.decide(s, now)
		return append(events, pinned...), err
	}
	return events, nil
}

func (c Said) check(s *Incident) error {
	switch {
	case s.Version == 0, s.Status() == Held, s.Status() == Discarded:
		return s.alive(s.CreatedAt)
	case c.Chat == "" || c.MessageID == "" || !c.Deleted && !c.By.IsPerson():
		return Fail(Invalid, "error.said", "what is said needs a chat, a message and a person")
	}
	return nil
}

func (c Said) text() string {
	if c.Deleted {
		return ""
	}
	return cut(c.Text, MaxSaidText)
}

func (c Said) event(kind EventKind, now time.Time, m SaidMark) Event {
	at := c.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	e := Event{Kind: kind, At: at, By: c.By, Chat: c.Chat, Said: &m}
	if m.Key != "" {
		e.Text = c.text()
	}
	return e
}

func textHash(text string) string {
	k := KeyOf(text)
	return hex.EncodeToString(k[:6])
}

// Pin puts a message on the timeline, or takes it off again.
type Pin struct {
	By      Actor // who wants that; the author stays the author
	Key     string
	Message *Said // itself, where By saw it in the room that it was said in
	Off     bool
}

func (c Pin) decide(s *Incident, now time.Time) ([]Event, error) {
	if c.Message != nil {
		if err := c.Message.check(s); err != nil {
			return nil, err
		}
		c.Key = c.Message.Key()
	} else if err := (Said{Chat: "?", MessageID: c.Key, By: c.By}).check(s); err != nil {
		return nil, err
	}
	old, known := s.Said[c.Key]
	switch {
	case !known && (c.Off || c.Message == nil), known && (old.Deleted || old.Pinned == !c.Off):
		return nil, nil
	case !known && len(s.Said) >= MaxSaid+MaxPinned:
		return nil, Fail(TooLarge, "error.too_many_pinned", "no more messages can be put on this incident's timeline").WithHint("/inc note …")
	}
	e := Event{Kind: EventPinned, At: now, By: c.By, Said: &SaidMark{Key: c.Key}}
	if c.Message != nil {
		e = c.Message.event(EventPinned, now, SaidMark{Key: c.Key})
	}
	e.Target = c.By
	if !c.Off {
		e.Value = 1
	}
	return []Event{e}, nil
}

// say is Apply for what is said and pinned.
func (s *Incident) say(e *Event) {
	if e.Said.Key == "" {
		s.Unheard++
		return
	}
	if s.Said == nil {
		s.Said = map[string]SaidState{}
	}
	m := s.Said[e.Said.Key]
	if e.Kind == EventPinned {
		m.Pinned = e.Value == 1
	} else {
		m.Edited, m.Deleted = m.Edited || e.Said.Edited, e.Said.Deleted
	}
	if e.Kind == EventSaid || m.Hash == "" {
		m.Hash = textHash(e.Text)
	}
	s.Said[e.Said.Key] = m
}

// pinned is what the timeline tells of a message.
type pinned struct {
	said, pin *Event // the latest word on what it says and on whether it belongs there
	by        Actor  // its author: of a deletion a chat may not tell
}

// pins finds the messages that are on the timeline: by the events that put them
// there. Each line has the author's words as they are now, and the time when
// they were said.
func pins(events []Event) map[int64]*Event {
	all := map[string]*pinned{}
	for i := range events {
		e := &events[i]
		if e.Said == nil || e.Said.Key == "" {
			continue
		}
		p := all[e.Said.Key]
		if p == nil {
			p = &pinned{}
			all[e.Said.Key] = p
		}
		if e.Kind == EventPinned {
			p.pin = e
		}
		if e.Kind == EventSaid || e.Text != "" && p.said == nil {
			p.said = e
		}
		if p.by.ID == "" || e.Kind == EventSaid && e.By.IsPerson() {
			p.by = e.By
		}
	}
	lines := map[int64]*Event{}
	for _, p := range all {
		if p.pin == nil || p.pin.Value != 1 {
			continue
		}
		e := *p.pin
		if p.said != nil {
			e.By, e.At, e.Text, e.Chat, e.Said = p.by, p.said.At, p.said.Text, p.said.Chat, p.said.Said
		}
		lines[e.Seq] = &e
	}
	return lines
}
