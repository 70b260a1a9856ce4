package chat_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
)

// slow is a chat in which the first edit of a table takes as long as the test
// wants, and reaches it only then.
type slow struct {
	*platform
	begun, end chan struct{}
}

func (s *slow) Post(ctx context.Context, room incidents.Room, key string, m bot.LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	if key == "storm" && s.begun != nil {
		close(s.begun)
		<-s.end
	}
	return s.platform.Post(ctx, room, key, m, previous)
}

// stormOf is two replicas with one row each in one table, of which nothing is
// posted yet.
func stormOf(t *testing.T) (p *platform, first *slow, replicas [2]*chat.Storm, rooms [2]incidents.Room, c *clock) {
	p, c = newPlatform(), &clock{time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	first = &slow{p, make(chan struct{}), make(chan struct{})}
	store := &contract.Settings{}
	for i, poster := range []bot.Poster{first, p} {
		replicas[i] = chat.NewStorm(chat.StormOptions{Chat: "slack", Poster: poster, Store: store, PerMinute: 1, PerHour: 1, Now: func() time.Time { return c.now }})
	}
	for i := range 3 {
		room, err := replicas[i%2].OpenRoom(t.Context(), incident(incidents.ID(i+1), incidents.Sev1))
		if err != nil {
			t.Fatal(err)
		}
		rooms[i%2] = room
	}
	if rooms[0].Row == 0 || rooms[0].ID != rooms[1].ID {
		t.Fatalf("%+v", rooms)
	}
	return p, first, replicas, rooms, c
}

func stateOf(state string) bot.LocalMessage {
	return bot.LocalMessage{"en": bot.Message{Kind: bot.KindCard, Title: state, Fields: []bot.Field{{Name: phrases.T("en", "card.status"), Value: state}}}}
}

func postRow(ctx context.Context, storm *chat.Storm, room incidents.Room, state string) error {
	_, err := storm.Post(ctx, room, "card", stateOf(state), incidents.Posted{})
	return err
}

func sameItems(a, b bot.Message) bool {
	return slices.EqualFunc(a.Items, b.Items, func(x, y bot.Item) bool { return x.Title == y.Title && x.Evidence == y.Evidence })
}

func comesAgain(err error) bool {
	later, ok := errors.AsType[*incidents.Later](err)
	return ok && later.Alone
}

// While one replica edits the table, another one does not.
func TestTheTableIsEditedByOne(t *testing.T) {
	p, first, replicas, rooms, _ := stormOf(t)
	done := make(chan error, 1)
	go func() { done <- postRow(t.Context(), replicas[0], rooms[0], "old") }()
	<-first.begun
	if err := postRow(t.Context(), replicas[1], rooms[1], "new"); !comesAgain(err) {
		t.Errorf("beside the edit that is under way: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := postRow(ended, replicas[1], rooms[1], "new"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if p.calls != callsBefore {
		t.Errorf("%d calls, want %d", p.calls, callsBefore)
	}
	close(first.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	first.begun = nil
	if err := postRow(t.Context(), replicas[1], rooms[1], "new"); err != nil || p.calls != callsBefore+2 {
		t.Errorf("afterwards: %v, %d calls", err, p.calls)
	}
}

// callsBefore is a room of its own, and the one that is shared.
const callsBefore = 2

// A replica that stood still over an edit, so that another one took its turn,
// puts its older table over the newer one: not for good.
func TestAnOldTableIsEditedOnceMore(t *testing.T) {
	p, first, replicas, rooms, c := stormOf(t)
	done := make(chan error, 1)
	go func() { done <- postRow(t.Context(), replicas[0], rooms[0], "old") }()
	<-first.begun
	c.now = c.now.Add(time.Minute)
	if err := postRow(t.Context(), replicas[1], rooms[1], "new"); err != nil {
		t.Fatal(err)
	}
	newest := p.tables[rooms[0].ID].In("en")
	close(first.end)
	if err := <-done; !comesAgain(err) {
		t.Errorf("its turn was another's: %v", err)
	}
	if old := p.tables[rooms[0].ID].In("en"); len(old.Items) != len(newest.Items) || sameItems(old, newest) {
		t.Fatalf("the older table is not on top: %+v", old)
	}
	first.begun = nil
	if err := postRow(t.Context(), replicas[0], rooms[0], "old"); err != nil {
		t.Fatal(err)
	}
	if got := p.tables[rooms[0].ID].In("en"); !sameItems(got, newest) {
		t.Errorf("%+v, want %+v", got, newest)
	}
}
