package incidents

import "time"

// RoomSynced is the outcome of bringing a room up to date.
type RoomSynced struct {
	Chat string
	Room Room
}

func (c RoomSynced) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, Fail(NotFound, "error.no_incident", "there is no such incident")
	}
	room := c.Room
	kind := EventRoomSynced
	if old, had := s.Rooms[c.Chat]; !had || old.ID != room.ID {
		kind = EventRoomOpened
	}
	return []Event{{Kind: kind, Chat: c.Chat, Room: &room}}, nil
}

// GiveUp says that an effect failed for good and waits among the dead letters.
// A run or a verification that nobody carries on with must not block the
// incident: it ends, and a person is asked.
type GiveUp struct {
	Effect Effect
	Reason string
}

func (c GiveUp) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 {
		return nil, nil
	}
	var events []Event
	if s.Failed[c.Effect.Key] == "" {
		events = append(events, Event{Kind: EventGaveUp, Effect: c.Effect.Key, Text: cut(c.Reason, MaxValue)})
	}
	ends := EventKind("")
	r := s.run(c.Effect.Arg)
	switch {
	case r == nil:
	case c.Effect.Kind == DoRun && r.State == RunApproved:
		ends = EventRunFailed
	case c.Effect.Kind == DoRun && r.State == RunRunning:
		ends = EventRunUnknown
	case c.Effect.Kind == DoLook && r.State == RunVerifying:
		ends = EventNotVerified
	}
	if ends != "" {
		because := Because("because.gave_up", "run", r.ID)
		events = append(events, Event{Kind: ends, RunID: r.ID, Because: because}, Event{Kind: EventEscalated, RunID: r.ID, Because: because})
	}
	return events, nil
}
