// Package contract is what every chat has to do with war rooms, as one list of
// behaviours that the tests of the console, Slack and Discord run alike.
//
// A chat's test implements World over its adapter and its fake platform and calls
// Run, which covers what stands in a room: made once, posted once, edited in
// place, within limits, harmless, talk from elsewhere, storms. RunPeople covers
// what people do in it: buttons, words, reactions, and the rights to them.
package contract

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// World is a chat in a test.
type World interface {
	// Poster is a new one over the same platform and store, as a new process has.
	Poster(t *testing.T) bot.Poster
	// Shown is what stands in the room, in the order in which it was posted.
	Shown(t *testing.T, room incidents.Room) []Shown
}

// Shown is a message as people see it.
type Shown struct {
	ID       string
	Text     string // all words of it, in whatever order the chat lays them out
	Mentions int    // how many people or groups it calls; a chat that has no such thing says 0
}

// Run holds a chat to the list. open makes a world with no rooms in it.
func Run(t *testing.T, open func(t *testing.T) World) {
	for name, behaviour := range map[string]func(t *testing.T, w World){
		"a room is made once":                  roomOnce,
		"a message is posted once":             postedOnce,
		"a message is edited in place":         editedInPlace,
		"every kind fits":                      everyKindFits,
		"words from outside do nothing":        harmless,
		"the card follows the incident":        cardFollows,
		"what is said elsewhere is shown":      saidElsewhere,
		"a storm shares a room with its table": stormShares,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); behaviour(t, open(t)) })
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// story is an incident with its log, moved by real decisions.
type story struct {
	t   *testing.T
	s   *incidents.Incident
	log []incidents.Event
	now time.Time
}

func begin(t *testing.T, id incidents.ID, title string) *story {
	t.Helper()
	st := &story{t: t, s: &incidents.Incident{}, now: noon}
	st.do(incidents.Declare{ID: id, Title: title, Severity: incidents.Sev3, By: bea})
	return st
}

var (
	bea = incidents.Actor{ID: "console:bea", Name: "bea"}
	eve = incidents.Actor{ID: "elsewhere:eve", Name: "eve"}
)

func (st *story) do(cmd incidents.Command) {
	st.t.Helper()
	st.now = st.now.Add(time.Second)
	events, _, err := incidents.Advance(st.s, cmd, st.now, incidents.Policy{})
	if err != nil {
		st.t.Fatalf("%T: %v", cmd, err)
	}
	st.log = append(st.log, events...)
}

// here is the chat's name in these stories.
const here = "here"

// sync does what the worker does.
func (st *story) sync(p bot.Poster) incidents.Room {
	st.t.Helper()
	y := bot.Syncer{Chat: here, Poster: p, Now: func() time.Time { return st.now }}
	room, err := y.Sync(st.t.Context(), st.s, st.log[st.s.Rooms[here].LastSeq:])
	if err != nil {
		st.t.Fatalf("sync: %v", err)
	}
	st.do(incidents.RoomSynced{Chat: here, Room: room})
	return room
}

func local(m bot.Message) bot.LocalMessage { return bot.LocalMessage{"en": m, "ja": m} }

func room(t *testing.T, p bot.Poster, s *incidents.Incident) incidents.Room {
	t.Helper()
	r, err := p.OpenRoom(t.Context(), s)
	if err != nil {
		t.Fatalf("open the room: %v", err)
	}
	return r
}

func post(t *testing.T, p bot.Poster, r incidents.Room, m bot.Message, previous incidents.Posted) incidents.Posted {
	t.Helper()
	posted, err := p.Post(t.Context(), r, m.Key, local(m), previous)
	if err != nil {
		t.Fatalf("post %s (%s): %v", m.Key, m.Kind, err)
	}
	return posted
}

func with(all []Shown, text string) (found []Shown) {
	for _, s := range all {
		if strings.Contains(s.Text, text) {
			found = append(found, s)
		}
	}
	return found
}

// A process that died after it made a room leaves it to the next one.
func roomOnce(t *testing.T, w World) {
	st := begin(t, 42, "checkout is slow")
	first := room(t, w.Poster(t), st.s)
	for range 3 {
		if again := room(t, w.Poster(t), st.s); again.ID != first.ID || again.ID == "" {
			t.Errorf("made %q, then %q", first.ID, again.ID)
		}
	}
	if other := room(t, w.Poster(t), begin(t, 43, "checkout is slow").s); other.ID == first.ID {
		t.Error("two incidents have one room")
	}
}

func postedOnce(t *testing.T, w World) {
	p := w.Poster(t)
	r := room(t, p, begin(t, 42, "x").s)
	m := bot.Message{Key: "ev-7", Kind: bot.KindLine, At: noon, Title: "bea acknowledged"}
	first := post(t, p, r, m, incidents.Posted{})
	if again := post(t, w.Poster(t), r, m, incidents.Posted{}); again.ID != first.ID {
		t.Errorf("posted as %q, then as %q", first.ID, again.ID)
	}
	if got := with(w.Shown(t, r), "bea acknowledged"); len(got) != 1 {
		t.Errorf("it stands %d times", len(got))
	}
}

func editedInPlace(t *testing.T, w World) {
	p := w.Poster(t)
	r := room(t, p, begin(t, 42, "x").s)
	card := bot.Message{Key: "card", Kind: bot.KindCard, Pinned: true, At: noon, Title: "as it was"}
	first := post(t, p, r, card, incidents.Posted{})
	post(t, p, r, bot.Message{Key: "ev-1", Kind: bot.KindLine, At: noon, Title: "a line"}, incidents.Posted{})
	card.Title = "as it is"
	second := post(t, w.Poster(t), r, card, first)
	all := w.Shown(t, r)
	if second.ID != first.ID || len(with(all, "as it was")) != 0 || len(with(all, "as it is")) != 1 || len(with(all, "a line")) != 1 {
		t.Errorf("%q, then %q: %+v", first.ID, second.ID, all)
	}
}

// Whatever there is too much of, the platform does not refuse it, and its
// beginning is read.
func everyKindFits(t *testing.T, w World) {
	p := w.Poster(t)
	r := room(t, p, begin(t, 42, "x").s)
	long := strings.Repeat("long <text> & more 長い文 ", 1000)
	kinds := []bot.Kind{bot.KindCard, bot.KindDiagnostics, bot.KindSuggestions, bot.KindApproval, bot.KindRun, bot.KindLine, bot.KindSaid, bot.KindStorm}
	for _, kind := range kinds {
		m := bot.Message{Key: string(kind) + "-1", Kind: kind, At: noon, By: long, Title: "begins-" + string(kind) + " " + long, Text: long}
		for i := range 60 { // too many, and the first of them too long
			text := long
			if i > 0 {
				text = long[:300]
			}
			m.Fields = append(m.Fields, bot.Field{Name: text, Value: text})
			m.Checks = append(m.Checks, bot.Check{State: bot.CheckBad, Group: text, Name: text, Value: text, Detail: text})
			m.Items = append(m.Items, bot.Item{Rank: 1, Title: text, Evidence: text, Code: []bot.Code{{Text: text}}, Buttons: []bot.Button{{ID: "h1.16.up.a.", Label: text}}})
			m.Code = append(m.Code, bot.Code{Label: text, Text: text})
		}
		if kind == bot.KindSaid {
			m.By = "begins-said"
		}
		post(t, p, r, m, incidents.Posted{})
	}
	all := w.Shown(t, r)
	for _, kind := range kinds {
		if len(with(all, "begins-"+string(kind))) == 0 {
			t.Errorf("the beginning of a %s cannot be read", kind)
		}
	}
}

func harmless(t *testing.T, w World) {
	p := w.Poster(t)
	bad := "<!channel> <@U1> @everyone @here <@&1> *b* ```x``` [a](http://evil.example)"
	st := begin(t, 42, bad+" visible")
	r := st.sync(p)
	all := w.Shown(t, r)
	if len(with(all, "visible")) == 0 {
		t.Errorf("the title cannot be read: %+v", all)
	}
	for _, s := range all {
		if s.Mentions != 0 {
			t.Errorf("%q calls %d people", s.Text, s.Mentions)
		}
	}
}

func cardFollows(t *testing.T, w World) {
	st := begin(t, 42, "checkout is slow")
	r := st.sync(w.Poster(t))
	n := len(with(w.Shown(t, r), "checkout is slow"))
	st.do(incidents.Ack{By: bea})
	if again := st.sync(w.Poster(t)); again.ID != r.ID {
		t.Fatalf("another room: %q, %q", r.ID, again.ID)
	}
	if got := len(with(w.Shown(t, r), "checkout is slow")); got != n || n == 0 {
		t.Errorf("%d messages have the title, %d did before", got, n)
	}
	before := len(w.Shown(t, r))
	st.sync(w.Poster(t))
	if after := len(w.Shown(t, r)); after != before {
		t.Errorf("%d messages, then %d with nothing new", before, after)
	}
}

func saidElsewhere(t *testing.T, w World) {
	st := begin(t, 42, "x")
	st.sync(w.Poster(t))
	said := incidents.Said{Chat: "elsewhere", MessageID: "1", By: eve, Text: "it is the pool"}
	st.do(said)
	r := st.sync(w.Poster(t))
	if got := with(w.Shown(t, r), "it is the pool"); len(got) != 1 || !strings.Contains(got[0].Text, "eve") {
		t.Errorf("said: %+v", got)
	}
	said.Text, said.Edited = "it is the cache", true
	st.do(said)
	st.sync(w.Poster(t))
	if all := w.Shown(t, r); len(with(all, "it is the pool")) != 0 || len(with(all, "it is the cache")) != 1 {
		t.Errorf("edited: %+v", all)
	}
	n := len(w.Shown(t, r))
	st.do(incidents.Said{Chat: here, MessageID: "2", By: bea, Text: "said here"})
	st.sync(w.Poster(t))
	if len(w.Shown(t, r)) != n {
		t.Error("what was said here was said once more")
	}
}

func stormShares(t *testing.T, w World) {
	kept := &Settings{}
	var shared incidents.Room
	for i := range 6 {
		storm := chat.NewStorm(chat.StormOptions{Chat: here, Poster: w.Poster(t), Store: kept, PerMinute: 2, PerHour: 2, Now: func() time.Time { return noon }})
		if r := begin(t, incidents.ID(50+i), "many-at-once").sync(storm); r.Row != 0 {
			if shared.ID != "" && r.ID != shared.ID {
				t.Errorf("rows in %q and in %q", shared.ID, r.ID)
			}
			shared = r
		}
	}
	if shared.ID == "" {
		t.Fatal("each has a room of its own")
	}
	if all := w.Shown(t, shared); len(all) != 1 || !strings.Contains(all[0].Text, "INC-52") || !strings.Contains(all[0].Text, "INC-55") {
		t.Errorf("the shared room has %+v", all)
	}
}
