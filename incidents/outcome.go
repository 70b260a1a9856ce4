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
type GiveUp struct {
	Effect string
	Reason string
}

func (c GiveUp) decide(s *Incident, _ time.Time) ([]Event, error) {
	if s.Version == 0 || s.Failed[c.Effect] != "" {
		return nil, nil
	}
	return []Event{{Kind: EventGaveUp, Effect: c.Effect, Text: cut(c.Reason, MaxValue)}}, nil
}
