package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
)

var errDied = errors.New("died")

// platform makes rooms by name and keeps messages by key, and dies once after
// having done what it was asked to.
type platform struct {
	mu     sync.Mutex
	rooms  map[string]int // by name: how often it was asked for
	tables map[string]bot.LocalMessage
	calls  int
	dieAt  int
}

func (p *platform) call() error {
	if p.calls++; p.calls == p.dieAt {
		return errDied
	}
	return nil
}

func (p *platform) OpenRoom(_ context.Context, s *incidents.Incident) (incidents.Room, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rooms[s.Slug()]++
	return incidents.Room{ID: "C-" + s.Slug(), Name: s.Slug()}, p.call()
}

func (p *platform) Post(_ context.Context, room incidents.Room, key string, m bot.LocalMessage, _ incidents.Posted) (incidents.Posted, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key == "storm" {
		p.tables[room.ID] = m
	}
	return incidents.Posted{ID: "M-" + room.ID + key}, p.call()
}

type clock struct{ now time.Time }

func newStorm(p *platform, store chat.Settings, c *clock) *chat.Storm {
	return chat.NewStorm(chat.StormOptions{Chat: "slack", Poster: p, Store: store, PerMinute: 5, PerHour: 20, Now: func() time.Time { return c.now }})
}

func incident(id incidents.ID, sev incidents.Severity) *incidents.Incident {
	return &incidents.Incident{ID: id, Title: fmt.Sprint("thing ", id), Released: true, Version: 1, AlertSeverity: sev}
}

func newPlatform() *platform {
	return &platform{rooms: map[string]int{}, tables: map[string]bot.LocalMessage{}}
}

func TestAStormSharesARoom(t *testing.T) {
	p, store, c := newPlatform(), &contract.Settings{}, &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	replicas := []*chat.Storm{newStorm(p, store, c), newStorm(p, store, c)}
	own, rows := 0, 0
	var shared incidents.Room
	for i := range 50 {
		s := incident(incidents.ID(i+1), incidents.Sev3)
		room, err := replicas[i%2].OpenRoom(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if room.Row == 0 {
			own++
			continue
		}
		rows++
		if room.Row != s.ID || shared.ID != "" && room.ID != shared.ID {
			t.Errorf("%s is row %d of %s", s.ID, room.Row, room.ID)
		}
		shared = room
		card := bot.LocalMessage{"en": bot.Card(s, "en", c.now, bot.Links{})}
		if _, err := replicas[i%2].Post(t.Context(), room, "card", card, incidents.Posted{}); err != nil {
			t.Fatal(err)
		}
	}
	if own != 4 || rows != 46 || len(p.rooms) != 5 {
		t.Errorf("%d rooms of their own, %d rows, %d rooms made", own, rows, len(p.rooms))
	}
	table := p.tables[shared.ID].In("en")
	if len(table.Items) != 30 || table.Title != "Storm: 46 incidents share this room" || !strings.HasPrefix(table.Fields[0].Value, "…and 16 more") {
		t.Errorf("%d rows under %q, %v", len(table.Items), table.Title, table.Fields)
	}
	if it := table.Items[0]; len(it.Buttons) != 1 || !strings.HasPrefix(it.Title, "INC-50 SEV3") {
		t.Errorf("first row %+v", it)
	}
	// A place is kept for what is critical, and a person's wish is granted.
	if room, err := replicas[0].OpenRoom(t.Context(), incident(60, incidents.Sev1)); err != nil || room.Row != 0 {
		t.Errorf("critical: %+v, %v", room, err)
	}
	wanted := incident(50, incidents.Sev3)
	wanted.Rooms = map[string]incidents.Room{"slack": {ID: shared.ID, Row: 50, Wanted: true}}
	if room, err := replicas[1].OpenRoom(t.Context(), wanted); err != nil || room.Row != 0 {
		t.Errorf("wanted: %+v, %v", room, err)
	}
	if it := p.tables[shared.ID].In("en").Items[0]; strings.HasPrefix(it.Title, "INC-50 ") {
		t.Error("its row stands there still")
	}
	// It calms down.
	c.now = c.now.Add(2 * time.Hour)
	if room, err := replicas[0].OpenRoom(t.Context(), incident(70, incidents.Sev3)); err != nil || room.Row != 0 {
		t.Errorf("afterwards: %+v, %v", room, err)
	}
}

// Dying after any call and trying again makes no room twice, and no room more
// than is allowed.
func TestAStormSurvivesDyingAnywhere(t *testing.T) {
	for die := 1; die < 40; die++ {
		p, store, c := newPlatform(), &contract.Settings{}, &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
		p.dieAt = die
		for i := range 12 {
			s := incident(incidents.ID(i+1), incidents.Sev2)
			for {
				storm := newStorm(p, store, c) // a new process
				room, err := storm.OpenRoom(t.Context(), s)
				if err == nil {
					_, err = storm.Post(t.Context(), room, "card", bot.LocalMessage{"en": bot.Card(s, "en", c.now, bot.Links{})}, incidents.Posted{})
				}
				if err == nil {
					break
				}
				c.now = c.now.Add(time.Second)
			}
		}
		if len(p.rooms) != 6 {
			t.Fatalf("died at call %d: rooms %v", die, p.rooms)
		}
	}
}

func TestReplicasShareWhatIsLeft(t *testing.T) {
	p, store, c := newPlatform(), &contract.Settings{}, &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			err := error(&incidents.Later{Alone: true})
			for comesAgain(err) { // while another one makes the room that is shared
				_, err = newStorm(p, store, c).OpenRoom(t.Context(), incident(incidents.ID(i+1), incidents.Sev1))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(p.rooms) != 6 {
		t.Errorf("%d rooms, want five and the one that is shared: %v", len(p.rooms), p.rooms)
	}
}

// twins is a chat that makes a second channel of the same name, as Discord does.
type twins struct {
	*platform
	made int
}

func (w *twins) OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error) {
	room, err := w.platform.OpenRoom(ctx, s)
	if s.ID == 0 {
		time.Sleep(5 * time.Millisecond) // the others come while it is under way
		w.mu.Lock()
		defer w.mu.Unlock()
		w.made++
		room.ID = fmt.Sprint(room.ID, w.made)
	}
	return room, err
}

// Whoever comes while the shared room is being made comes again.
func TestTheSharedRoomIsMadeByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &twins{platform: newPlatform()}, &contract.Settings{}
		var all sync.WaitGroup
		for i := range 20 {
			storm := chat.NewStorm(chat.StormOptions{Chat: "discord", Poster: p, Store: store, PerMinute: 1, PerHour: 1, Now: time.Now})
			all.Go(func() {
				for range 2000 {
					room, err := storm.OpenRoom(t.Context(), incident(incidents.ID(i+1), incidents.Sev1))
					if err == nil {
						return
					}
					if _, later := errors.AsType[*incidents.Later](err); !later || room.ID != "" {
						t.Error(room, err)
						return
					}
					time.Sleep(time.Millisecond)
				}
				t.Error("it never gets a room")
			})
		}
		all.Wait()
		if p.made != 1 {
			t.Errorf("the shared room was made %d times", p.made)
		}
	})
}

// In a storm two customers' incidents have a table each, and neither's storm
// takes the other's rooms away.
func TestCustomersShareNoStormRoom(t *testing.T) {
	p, store, c := newPlatform(), &contract.Settings{}, &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	storm, rooms := newStorm(p, store, c), map[string]string{}
	for i := range 24 {
		s := incident(incidents.ID(i+1), incidents.Sev3)
		s.Customer = []string{"acme", "globex", ""}[i%3]
		s.Title = "trouble of " + s.Customer
		room, err := storm.OpenRoom(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if (room.Row == 0) != (i < 12) { // four each
			t.Errorf("%s is row %d", s.ID, room.Row)
		}
		if room.Row == 0 {
			continue
		}
		rooms[s.Customer] = room.ID
		if _, err := storm.Post(t.Context(), room, "card", bot.LocalMessage{"en": bot.Card(s, "en", c.now, bot.Links{})}, incidents.Posted{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.tables) != 3 {
		t.Fatalf("%d tables", len(p.tables))
	}
	for customer, room := range rooms {
		for _, it := range p.tables[room].In("en").Items {
			if !strings.HasSuffix(strings.TrimSpace(it.Title), strings.TrimSpace("trouble of "+customer)) {
				t.Errorf("the room of %q tells of %q", customer, it.Title)
			}
		}
	}
}
