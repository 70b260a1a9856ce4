package contract

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// Who is somebody in these tests: the same one in every chat.
type Who string

// The people.
const (
	Bea Who = "bea" // may respond
	Eve Who = "eve" // may look
)

// Does is a way of doing something in a room.
type Does string

// The ways.
const (
	Types  Does = "types"  // a line after /inc
	Clicks Does = "clicks" // a button, by its ID
	Thumbs Does = "thumbs" // puts 👍 on a message
	Says   Does = "says"   // something to the others
	Echoes Does = "echoes" // nobody: the bot's own words are told to the bot
)

// Act is something that somebody does.
type Act struct {
	By    Who
	Does  Does
	What  string // the line, the words, the button
	On    string // the message's id, for Clicks and Thumbs
	Room  incidents.Room
	Twice bool // the platform delivers it once more, under the same id
}

// Lively is a chat with people in it.
type Lively interface {
	World
	// Act has somebody do something, and returns when the platform has told of
	// it; what becomes of it may take longer.
	Act(t *testing.T, a Act)
}

// Inside is what a chat is connected to.
type Inside struct {
	Desk      *bot.Router
	Talk      chat.Talk
	Rights    bot.Rights
	Incidents *Book
}

// Party is a chat for RunPeople: its name, the accounts that it gives people,
// and how to begin one.
type Party struct {
	Chat     string
	Accounts map[Who]string
	Open     func(t *testing.T, in Inside) Lively
	NoThumbs bool // it has no reactions
}

// RunPeople holds a chat to what people do in rooms: the same wish has the same
// effect, the same rights and the same refusals whichever chat it comes from.
func RunPeople(t *testing.T, p Party) {
	for name, behaviour := range map[string]func(h *hall){
		"a button does what it says":          pressed,
		"a line does what it says":            typed,
		"rights are asked whatever the way":   rightsAsked,
		"a button of another room is refused": elsewhere,
		"what comes again works once":         onceOnly,
		"a thumb is a vote":                   thumbs,
		"what people say is told":             told,
		"our own words are nobody's":          ownWords,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); behaviour(enter(t, p)) })
	}
}

// hall is a chat with one incident's room in it, and what came of what people did.
type hall struct {
	Lively
	Party
	*Book
	t    *testing.T
	room incidents.Room

	mu   sync.Mutex
	did  []string
	once map[string]bool
	said []incidents.Said
}

func enter(t *testing.T, p Party) *hall {
	t.Helper()
	h := &hall{Party: p, Book: &Book{all: map[incidents.ID]*incidents.Incident{}}, t: t, once: map[string]bool{}}
	roster, err := bot.NewRoster([]bot.Member{
		{Name: string(Bea), Accounts: []string{p.Accounts[Bea]}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}}}},
		{Name: string(Eve), Accounts: []string{p.Accounts[Eve]}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Viewer}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	router, err := bot.NewRouter(bot.RouterOptions{Commands: h.commands(), Rights: roster, Incidents: h.Book, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.Lively = p.Open(t, Inside{router, h, roster, h.Book})
	h.room = h.open(42)
	return h
}

// open makes an incident's room, with a suggestion in it.
func (h *hall) open(id incidents.ID) incidents.Room {
	h.t.Helper()
	st := begin(h.t, id, "checkout is slow")
	st.s.Suggestions = []incidents.Suggestion{{Rank: 1, Action: "flush-cache", Title: incidents.Text{EN: "Flush the cache", JA: "キャッシュを消す"}}}
	y := bot.Syncer{Chat: h.Chat, Poster: h.Poster(h.t), Now: func() time.Time { return st.now }}
	room, err := y.Sync(h.t.Context(), st.s, st.log)
	if err != nil {
		h.t.Fatalf("open the room: %v", err)
	}
	st.s.Rooms = map[string]incidents.Room{h.Chat: room}
	h.put(st.s)
	return room
}

// commands are as many as the behaviours need; they work once for one event of
// the platform, as the engine's do.
func (h *hall) commands() []bot.Command {
	one := func(verb string) bot.Command {
		return bot.Command{Name: verb, Help: "help." + verb, Usage: verb, Right: bot.Respond, Room: true, Run: func(_ context.Context, q bot.Request, args []string) (bot.Reply, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if q.Once == "" || !h.once[q.Once] {
				h.once[q.Once] = true
				h.did = append(h.did, strings.Join(append([]string{q.Person.ID, verb, q.Incident.String()}, args...), " "))
			}
			return bot.Reply{Private: true, Message: &bot.Message{Kind: bot.KindReply, Text: "done"}}, nil
		}}
	}
	return []bot.Command{one("ack"), one("vote"), one("resolve")}
}

// Said is a chat.Talk.
func (h *hall) Said(_ context.Context, _ incidents.ID, s incidents.Said) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, s)
	return nil
}

func (h *hall) act(a Act) {
	h.t.Helper()
	if a.Room.ID == "" {
		a.Room = h.room
	}
	h.Act(h.t, a)
}

// expect waits for what is wanted to be done, and then for whatever else the
// chat may still have under way: it hears the last words after everything before.
func (h *hall) expect(want ...string) {
	h.t.Helper()
	h.await(fmt.Sprintf("%q", want), func() bool { return len(h.did) >= len(want) })
	h.act(Act{By: Bea, Does: Says, What: "the end"})
	h.await("the last words", func() bool {
		return slices.ContainsFunc(h.said, func(s incidents.Said) bool { return s.Text == "the end" })
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.did, want) {
		h.t.Errorf("done: %q, want %q", h.did, want)
	}
}

func (h *hall) await(what string, ok func() bool) {
	h.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for {
		h.mu.Lock()
		is := ok()
		h.mu.Unlock()
		if is {
			return
		}
		if time.Now().After(end) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.t.Fatalf("it never came: %s; done %q, said %+v", what, h.did, h.said)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// button is one of the incident's, as its card has it.
func button(id incidents.ID, verb string) string {
	return "h1." + strconv.FormatInt(int64(id), 36) + "." + verb + ".."
}

func pressed(h *hall) {
	h.act(Act{By: Bea, Does: Clicks, What: button(42, "ack"), On: h.room.Posted["card"].ID})
	h.expect("person:bea ack INC-42")
}

func typed(h *hall) {
	h.act(Act{By: Bea, Does: Types, What: "ack"})
	h.expect("person:bea ack INC-42")
}

func rightsAsked(h *hall) {
	h.act(Act{By: Eve, Does: Clicks, What: button(42, "ack"), On: h.room.Posted["card"].ID})
	h.act(Act{By: Eve, Does: Types, What: "ack"})
	if !h.NoThumbs {
		h.act(Act{By: Eve, Does: Thumbs, On: h.room.Posted["suggestions"].ID})
	}
	h.expect()
}

func elsewhere(h *hall) {
	other := h.open(43)
	h.act(Act{By: Bea, Does: Clicks, What: button(42, "ack"), On: other.Posted["card"].ID, Room: other})
	h.act(Act{By: Bea, Does: Clicks, What: "h1.nonsense", On: other.Posted["card"].ID, Room: other})
	h.act(Act{By: Bea, Does: Types, What: "resolve", Room: other})
	h.expect("person:bea resolve INC-43")
}

func onceOnly(h *hall) {
	h.act(Act{By: Bea, Does: Clicks, What: button(42, "ack"), On: h.room.Posted["card"].ID, Twice: true})
	h.act(Act{By: Bea, Does: Types, What: "resolve", Twice: true})
	h.act(Act{By: Bea, Does: Says, What: "it is the pool", Twice: true})
	h.expect("person:bea ack INC-42", "person:bea resolve INC-42")
	ids := map[string]bool{}
	for _, s := range h.said {
		if s.Text == "it is the pool" {
			ids[s.Key()] = true
		}
	}
	if len(ids) != 1 {
		h.t.Errorf("one message has the keys %v", ids)
	}
}

func thumbs(h *hall) {
	if h.NoThumbs {
		h.act(Act{By: Bea, Does: Clicks, What: "h1.16.up.flush-cache.", On: h.room.Posted["suggestions"].ID})
	} else {
		h.act(Act{By: Bea, Does: Thumbs, On: h.room.Posted["suggestions"].ID})
		h.act(Act{By: Bea, Does: Thumbs, On: h.room.Posted["card"].ID}) // about nothing that could be voted for
	}
	h.expect("person:bea vote INC-42 flush-cache up")
}

func told(h *hall) {
	h.act(Act{By: Bea, Does: Says, What: "it is the pool"})
	h.expect()
	s := h.said[0]
	if s.Text != "it is the pool" || s.Chat != h.Chat || s.By.Name != string(Bea) || s.By.ID != h.Accounts[Bea] && s.By.ID != "person:bea" || s.MessageID == "" || s.Deleted || s.Edited {
		h.t.Errorf("told %+v", s)
	}
}

func ownWords(h *hall) {
	h.act(Act{Does: Echoes, What: "resolve"})
	post(h.t, h.Poster(h.t), h.room, bot.Message{Key: "ev-1", Kind: bot.KindLine, At: noon, Title: "resolve"}, incidents.Posted{})
	h.expect()
	for _, s := range h.said {
		if s.Text != "the end" {
			h.t.Errorf("we heard ourselves say %q", s.Text)
		}
	}
}

// Book has the incidents of a test.
type Book struct {
	mu  sync.Mutex
	all map[incidents.ID]*incidents.Incident
}

func (b *Book) put(s *incidents.Incident) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[s.ID] = s
}

// Load finds one.
func (b *Book) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.all[id]; s != nil {
		return s, nil
	}
	return nil, incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
}

// List finds all.
func (b *Book) List(context.Context, incidents.Query) (incidents.Page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var p incidents.Page
	for _, s := range b.all {
		p.Incidents = append(p.Incidents, s.Summary())
	}
	return p, nil
}

// Events are none: the stories of these incidents are told elsewhere.
func (b *Book) Events(context.Context, incidents.ID, int64, int) ([]incidents.Event, error) {
	return nil, nil
}
