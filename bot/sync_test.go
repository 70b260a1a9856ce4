package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// fakeChat keeps rooms as a chat does: by name, with messages by key.
type fakeChat struct {
	rooms   map[string][]string // room → keys, in the order in which they appeared
	text    map[string]LocalMessage
	edits   int
	dieAt   int // the call after which it dies once; 0: never
	calls   int
	created int
}

var errDied = errors.New("died")

func newFakeChat() *fakeChat {
	return &fakeChat{rooms: map[string][]string{}, text: map[string]LocalMessage{}}
}

func (c *fakeChat) call() error {
	if c.calls++; c.calls == c.dieAt {
		return errDied
	}
	return nil
}

func (c *fakeChat) OpenRoom(_ context.Context, s *incidents.Incident) (incidents.Room, error) {
	if _, taken := c.rooms[s.Slug()]; !taken {
		c.rooms[s.Slug()] = nil
		c.created++
	}
	return incidents.Room{ID: "R-" + s.Slug(), Name: s.Slug()}, c.call()
}

func (c *fakeChat) Post(_ context.Context, room incidents.Room, key string, m LocalMessage, _ incidents.Posted) (incidents.Posted, error) {
	if slices.Contains(c.rooms[room.Name], key) {
		c.edits++
	} else {
		c.rooms[room.Name] = append(c.rooms[room.Name], key)
	}
	c.text[key] = m
	return incidents.Posted{ID: "M-" + key}, c.call()
}

// sync is what a worker does: it reads the events after the room's mark and
// commits the room that comes back, where it differs.
func (a *tale) sync(c *fakeChat) error {
	a.t.Helper()
	y := Syncer{Chat: "console", Poster: c, Now: nowOf(a)}
	old := a.s.Rooms["console"]
	room, err := y.Sync(a.t.Context(), a.s, a.events[old.LastSeq:])
	if err != nil {
		return err
	}
	if room.ID != old.ID || room.LastSeq != old.LastSeq || !maps.Equal(room.Posted, old.Posted) {
		a.do(0, incidents.RoomSynced{Chat: "console", Room: room})
	}
	return nil
}

func TestSyncPostsInOrder(t *testing.T) {
	t.Parallel()
	a, c := resolved(t), newFakeChat()
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	want := []string{"card", "diagnostics", "suggestions", "ev-4", "ev-5", "ev-6", "approval-1", "run-1", "ev-12", "ev-20"}
	if got := c.rooms["inc-0042-higherrorrate-checkout"]; !slices.Equal(got, want) {
		t.Errorf("posted %v, want %v", got, want)
	}
	if c.edits > 0 {
		t.Errorf("%d edits in a new room", c.edits)
	}
	for key, m := range c.text {
		if len(m) != len(phrases.Languages) || m.In("ja").Key != key || m.In("xx").Key != key {
			t.Errorf("%s is not in every language", key)
		}
	}
}

// TestSyncChangesOnlyWhatChanged: a room in which nothing happened is returned
// as it was, even hours later, and an event costs the edits it needs.
func TestSyncChangesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	a, c := voted(t), newFakeChat()
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	version, calls := a.s.Version, c.calls
	for range 3 {
		a.now = a.now.Add(3 * time.Hour)
		if err := a.sync(c); err != nil {
			t.Fatal(err)
		}
	}
	if a.s.Version != version || c.calls != calls {
		t.Fatalf("nothing happened, yet there were %d events and %d calls", a.s.Version-version, c.calls-calls)
	}
	a.do(time.Minute, incidents.Note{By: cho, Text: "it is the pool"})
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	if posted := c.calls - calls; posted != 1 || c.edits != 0 {
		t.Errorf("a note cost %d calls and %d edits, want 1 and 0", posted, c.edits)
	}
	a.do(time.Minute, incidents.SetSeverity{By: cho, Severity: incidents.Sev3})
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	if c.edits != 1 {
		t.Errorf("a severity cost %d edits, want 1: the card", c.edits)
	}
}

// TestSyncSurvivesDying: die after any call, so that nobody learns what was
// done; after another attempt there is one room and each message once.
func TestSyncSurvivesDying(t *testing.T) {
	t.Parallel()
	want := newFakeChat()
	if err := resolved(t).sync(want); err != nil {
		t.Fatal(err)
	}
	for at := 1; at <= want.calls; at++ {
		a, c := resolved(t), newFakeChat()
		c.dieAt = at
		if err := a.sync(c); !errors.Is(err, errDied) {
			t.Fatalf("call %d: %v", at, err)
		}
		if err := a.sync(c); err != nil {
			t.Fatalf("call %d, second attempt: %v", at, err)
		}
		if c.created != 1 {
			t.Errorf("call %d: %d rooms", at, c.created)
		}
		for name, keys := range want.rooms {
			if !slices.Equal(c.rooms[name], keys) {
				t.Errorf("call %d: the room has %v, want %v", at, c.rooms[name], keys)
			}
		}
	}
}

// TestSyncReturnsWhatWasDone: with an error comes the room as far as it got.
func TestSyncReturnsWhatWasDone(t *testing.T) {
	t.Parallel()
	a, c := resolved(t), newFakeChat()
	c.dieAt = 6 // the room, three messages, a line; the second line dies
	y := Syncer{Chat: "console", Poster: c, Now: nowOf(a)}
	room, err := y.Sync(t.Context(), a.s, a.events)
	if !errors.Is(err, errDied) || len(room.Posted) != 3 || room.LastSeq != 4 {
		t.Errorf("%v with %d messages up to event %d", err, len(room.Posted), room.LastSeq)
	}
}

// TestSyncFoldsAfterAnOutage: a room that has missed much gets one line that
// says how much, and what is the newest.
func TestSyncFoldsAfterAnOutage(t *testing.T) {
	t.Parallel()
	a, c := voted(t), newFakeChat()
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		a.do(time.Second, incidents.Note{By: cho, Text: fmt.Sprintf("note %d", i)})
	}
	a.do(time.Second, incidents.Resolve{By: cho})
	before := len(c.rooms[a.s.Slug()])
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	got := c.rooms[a.s.Slug()][before:]
	if len(got) != 1 {
		t.Fatalf("posted %v, want one line", got)
	}
	line := c.text[got[0]].In("en").Title
	if !strings.HasPrefix(line, "… 31 updates, newest: cho resolved the incident after ") {
		t.Errorf("it says %q", line)
	}
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	if len(c.rooms[a.s.Slug()]) != before+1 {
		t.Errorf("the fold was posted again")
	}
}

// Once an incident is over that no runbook solved, and people noted what they ran, its
// room offers a draft; not before, and not where a runbook helped.
func TestADraftIsOfferedInTheRoom(t *testing.T) {
	t.Parallel()
	offered := func(a *tale) bool {
		c := newFakeChat()
		if err := a.sync(c); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(c.rooms[a.s.Slug()], func(key string) bool { return strings.Contains(c.text[key].In("en").Text, "/inc draft") })
	}
	byHand := incidents.Note{By: cho, Text: "$ systemctl restart nginx"}
	a := investigated(t).do(time.Second, byHand)
	if offered(a) {
		t.Error("offered while it is open")
	}
	if a.do(time.Second, incidents.Resolve{By: cho}); !offered(a) {
		t.Error("not offered once it is over")
	}
	if a = investigated(t).do(time.Second, incidents.Note{By: cho, Text: "it costs $ 5"}).do(time.Second, incidents.Resolve{By: cho}); offered(a) {
		t.Error("offered where nobody noted a command")
	}
	if a = resolved(t).do(time.Second, byHand); offered(a) {
		t.Error("offered where a runbook helped")
	}
}

// TestSyncSaysThatThereWasMore: the worker hands over the latest events only;
// that others came before is said.
func TestSyncSaysThatThereWasMore(t *testing.T) {
	t.Parallel()
	a, c := voted(t), newFakeChat()
	for i := range 50 {
		a.do(time.Second, incidents.Note{By: cho, Text: fmt.Sprintf("note %d", i)})
	}
	y := Syncer{Chat: "console", Poster: c, Now: nowOf(a)}
	if _, err := y.Sync(t.Context(), a.s, a.events[len(a.events)-25:]); err != nil {
		t.Fatal(err)
	}
	keys := c.rooms[a.s.Slug()]
	if line := c.text[keys[len(keys)-1]].In("ja").Title; !strings.HasPrefix(line, "… 25+ 件の更新") {
		t.Errorf("it says %q", line)
	}
}

// TestSyncIsQuietAboutHeldIncidents: nobody was told, so there is no room.
func TestSyncIsQuietAboutHeldIncidents(t *testing.T) {
	t.Parallel()
	alerts := []incidents.Alert{alert("web-1", time.Time{})}
	a, c := newTale(t), newFakeChat()
	a.do(0, incidents.Open{ID: 42, Alerts: alerts, Keys: keysOf(alerts), Grouping: incidents.Grouping{Rule: incidents.Rule{Hold: time.Minute}}})
	if err := a.sync(c); err != nil {
		t.Fatal(err)
	}
	if c.calls > 0 || len(a.s.Rooms) > 0 {
		t.Errorf("%d calls, rooms %v", c.calls, a.s.Rooms)
	}
}

// The card leads to the rooms in other chats, not to the one that it is in.
func TestARoomDoesNotLeadToItself(t *testing.T) {
	t.Parallel()
	a := opened(t)
	here, there := incidents.Room{ID: "C1", URL: "https://slack.example.com/C1"}, incidents.Room{ID: "D1", URL: "https://discord.example.com/D1"}
	a.s.Rooms = map[string]incidents.Room{"slack": here, "discord": there}
	y := Syncer{Chat: "slack", Now: nowOf(a)}
	for lang, card := range y.wanted(a.s, a.events, here, a.now)[0].local {
		leadsTo := func(room incidents.Room) bool {
			return slices.ContainsFunc(card.Links, func(l Link) bool { return l.URL == room.URL })
		}
		if leadsTo(here) || !leadsTo(there) {
			t.Errorf("%s: %v", lang, card.Links)
		}
	}
}
