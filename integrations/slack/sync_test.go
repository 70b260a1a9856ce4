package slack

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// At each request around making a room and posting into it the process dies:
// the request arrives or it does not, its answer is lost, and nothing of what
// was done is written down. Each next process, which knows nothing, finds what
// there is: one room, one message of each kind and one pin are left.
func TestADeathAtEachRequestLeavesOneRoomAndOneCard(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"auth.test", "conversations.create", "usergroups.users.list", "conversations.invite", "chat.postMessage", "pins.add", "conversations.history"} {
		for name, lie := range map[string]fake.Lie{"before it": fake.FailBefore, "after it": fake.HangUpAfter} {
			for at := range 3 {
				t.Run(method+" "+name, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					s := incident(7, "x")
					lies := make([]fake.Lie, at, at+1) // the zero lie is the truth
					w.fake.Lie(method, append(lies, lie)...)
					for attempt, done := 0, 0; done < 3; attempt++ { // the last three come through, of them the first two die before they write it down
						if attempt == 9 {
							t.Fatal("it never comes through")
						}
						y := &bot.Syncer{Chat: Name, Poster: w.replica(w.config), Now: time.Now}
						room, err := y.Sync(t.Context(), s, nil)
						if err != nil {
							continue
						}
						if done++; done == 3 {
							s.Rooms = map[string]incidents.Room{Name: room}
						}
					}
					y := &bot.Syncer{Chat: Name, Poster: w.replica(w.config), Now: time.Now}
					if _, err := y.Sync(t.Context(), s, nil); err != nil {
						t.Fatal(err)
					}
					rooms := w.fake.Rooms()
					if len(rooms) != 1 {
						t.Fatalf("%d rooms", len(rooms))
					}
					keys := map[string]int{}
					for _, m := range rooms[0].Messages {
						keys[m.Key]++
					}
					if len(keys) != 3 || keys["card"] != 1 || keys["diagnostics"] != 1 || keys["suggestions"] != 1 || len(rooms[0].Pins) != 1 {
						t.Errorf("messages %v, pins %v", keys, rooms[0].Pins)
					}
				})
			}
		}
	}
}
