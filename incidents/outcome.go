package incidents

import (
	"maps"
	"slices"
	"time"
)

// RoomSynced is the outcome of bringing a room up to date, as it was when that
// began: what was said of the room since then stays.
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
	old, had := s.Rooms[c.Chat]
	if !had || old.ID != room.ID {
		kind = EventRoomOpened
	} else {
		room.ArchivedAt = later(room.ArchivedAt, old.ArchivedAt)
	}
	room.Wanted = room.Row != 0 && (room.Wanted || old.Wanted) // a room of its own grants it
	return []Event{{Kind: kind, Chat: c.Chat, Room: &room}}, nil
}

// WantRoom is a person's wish for a room of its own, in each chat where the
// incident is but a row in one that many share.
type WantRoom struct{ By Actor }

func (c WantRoom) decide(s *Incident, now time.Time) ([]Event, error) {
	if err := s.alive(now); err != nil {
		return nil, err
	}
	var events []Event
	for _, chat := range slices.Sorted(maps.Keys(s.Rooms)) {
		if room := s.Rooms[chat]; room.Row != 0 && !room.Wanted {
			room.Wanted = true
			events = append(events, Event{Kind: EventRoomWanted, By: c.By, Chat: chat, Room: &room})
		}
	}
	return events, nil
}

// RoomArchived is the outcome of putting a room away.
type RoomArchived struct{ Chat string }

func (c RoomArchived) decide(s *Incident, now time.Time) ([]Event, error) {
	room, has := s.Rooms[c.Chat]
	if !has || !room.ArchivedAt.IsZero() {
		return nil, nil
	}
	room.ArchivedAt = now
	return []Event{{Kind: EventRoomSynced, Chat: c.Chat, Room: &room}}, nil
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
