package bot

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// crowded makes the incident a row of a shared room until a person wants more.
type crowded struct{ *fakeChat }

func (c crowded) OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error) {
	if s.Rooms["console"].Wanted {
		return c.fakeChat.OpenRoom(ctx, s)
	}
	return incidents.Room{ID: "R-storm", Name: "storm", Row: s.ID}, nil
}

func TestARowHasItsCardOnlyUntilARoomIsWanted(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	sync := func() {
		t.Helper()
		y := Syncer{Chat: "console", Poster: crowded{c}, Now: nowOf(a)}
		room, err := y.Sync(t.Context(), a.s, a.events[a.s.Rooms["console"].LastSeq:])
		if err != nil {
			t.Fatal(err)
		}
		a.do(0, incidents.RoomSynced{Chat: "console", Room: room})
	}
	a.do(time.Second, incidents.Note{By: bea, Text: "a line"})
	sync()
	a.do(time.Second, incidents.Ack{By: bea})
	sync()
	if got := c.rooms["storm"]; !slices.Equal(got, []string{"card"}) || a.s.Rooms["console"].Row != 42 {
		t.Fatalf("the shared room has %v", got)
	}
	a.do(time.Second, incidents.WantRoom{By: bea})
	for range 2 {
		sync()
	}
	room := a.s.Rooms["console"]
	if room.Row != 0 || room.Wanted || c.created != 1 || !slices.Contains(c.rooms[room.Name], "suggestions") {
		t.Errorf("%+v with %v", room, c.rooms[room.Name])
	}
	edits := c.edits
	a.do(time.Second, incidents.WantRoom{By: bea})
	sync()
	if c.edits != edits || c.created != 1 {
		t.Error("a second wish did something")
	}
	// The button of a row works where no incident is at home, and no other does.
	row := StormTable([]StormRow{{ID: 42}}, 0, a.now).In("en").Items[0].Buttons[0].ID
	if p, ok := decodePress(row); !ok || p.verb != pressRoom || p.incident != 42 {
		t.Errorf("%q is %+v", row, p)
	}
}

// archived notes what is put away.
type archiving struct {
	*fakeChat
	away []string
}

func (c *archiving) Archive(_ context.Context, room incidents.Room) error {
	c.away = append(c.away, room.ID)
	return nil
}

func TestAnArchivedRoomIsLeftAlone(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	put := &archiving{fakeChat: c}
	y := Syncer{Chat: "console", Poster: put, Now: nowOf(a)}
	a.mustSync(c)
	a.do(time.Second, incidents.Resolve{By: bea}).do(31*time.Minute, incidents.Tick{Name: "close"})
	a.mustSync(c)
	if did, err := y.Archive(t.Context(), a.s.Rooms["console"]); !did || err != nil || len(put.away) != 1 {
		t.Fatalf("%v %v %v", did, err, put.away)
	}
	a.do(time.Second, incidents.RoomArchived{Chat: "console"})
	version, calls := a.s.Version, c.calls
	a.do(time.Second, incidents.RoomArchived{Chat: "console"})
	a.do(time.Second, incidents.Said{Chat: "slack", MessageID: "1", By: bea, Text: "late"}).mustSync(c)
	if c.calls != calls || a.s.Version != version+1 {
		t.Errorf("%d calls, %d events after it was put away", c.calls-calls, a.s.Version-version)
	}
	if did, _ := (&Syncer{Poster: c}).Archive(t.Context(), a.s.Rooms["console"]); did {
		t.Error("a chat without archives says it has put the room away")
	}
}
