package slack

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// incidentBook holds the incidents of a test.
type incidentBook struct {
	mu  sync.Mutex
	all map[incidents.ID]*incidents.Incident
}

func (b *incidentBook) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.all[id]; s != nil {
		c := *s
		return &c, nil
	}
	return nil, incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
}

func (b *incidentBook) List(_ context.Context, q incidents.Query) (incidents.Page, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var p incidents.Page
	for _, s := range b.all {
		if !q.Open || s.Status().Open() {
			p.Incidents = append(p.Incidents, s.Summary())
		}
	}
	return p, nil
}

func (b *incidentBook) put(s *incidents.Incident) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[s.ID] = s
}

// desk notes the wishes; the same one, by Once, works once, as the engine has it.
type desk struct {
	mu      sync.Mutex
	did     []bot.Request
	presses []string
	reacts  []bot.Reaction
	once    map[string]bool
	slow    chan struct{} // nil: at once
	err     error
}

func (d *desk) do(q bot.Request) (bot.Reply, error) {
	if d.slow != nil {
		<-d.slow
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	text := func(s string) bot.Reply {
		return bot.Reply{Private: true, Message: &bot.Message{Kind: bot.KindReply, Text: s}}
	}
	if d.err != nil {
		return text(d.err.Error()), d.err
	}
	if q.Once != "" && d.once[q.Once] {
		return text("again"), nil
	}
	if d.once == nil {
		d.once = map[string]bool{}
	}
	d.once[q.Once] = true
	d.did = append(d.did, q)
	return text("did: " + q.Line), nil
}

func (d *desk) Handle(_ context.Context, q bot.Request) (bot.Reply, error) { return d.do(q) }

func (d *desk) Press(_ context.Context, q bot.Request, id string) (bot.Reply, error) {
	d.mu.Lock()
	d.presses = append(d.presses, id)
	d.mu.Unlock()
	return d.do(q)
}

func (d *desk) React(_ context.Context, q bot.Request, e bot.Reaction) (bot.Reply, error) {
	d.mu.Lock()
	d.reacts = append(d.reacts, e)
	d.mu.Unlock()
	return d.do(q)
}

func (d *desk) requests() []bot.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]bot.Request(nil), d.did...)
}

// talk tells an incident what was said, and notes what it did not refuse.
type talk struct {
	mu    sync.Mutex
	said  []incidents.Said
	heard *incidents.Incident
}

func (k *talk) Said(_ context.Context, id incidents.ID, s incidents.Said) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.heard == nil {
		k.heard = incident(id, "x")
	}
	if _, _, err := incidents.Advance(k.heard, s, time.Now(), incidents.Policy{}); err != nil {
		return err
	}
	k.said = append(k.said, s)
	return nil
}

func (k *talk) all() []incidents.Said {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]incidents.Said(nil), k.said...)
}

// world is one Slack and one replica of ours.
type world struct {
	*Chat
	fake  *fake.Server
	store *contract.Settings
	book  *incidentBook
	desk  *desk
	talk  *talk
	t     *testing.T
}

func config(url string) Config {
	return Config{Token: fake.Token, SigningSecrets: []string{fake.Secret}, Team: fake.Team, App: fake.App, Language: phrases.English, Invite: []string{"U1", "S1"}, API: url}
}

// newWorld starts a Slack with two members, and a replica over HTTP.
func newWorld(t *testing.T, change ...func(*Config, *fake.Options)) *world {
	t.Helper()
	c, o := Config{}, fake.Options{Patience: time.Minute}
	for _, f := range change {
		f(&c, &o)
	}
	f := fake.New(t, o)
	f.Add(fake.User{ID: "U1", Name: "bea", Locale: "en-GB"})
	f.Add(fake.User{ID: "U2", Name: "千代", Locale: "ja-JP"})
	f.Group("S1", "U1", "U2")
	base := config(f.URL)
	for _, g := range change {
		g(&base, &o)
	}
	w := &world{fake: f, store: &contract.Settings{}, book: &incidentBook{all: map[incidents.ID]*incidents.Incident{}}, desk: &desk{}, talk: &talk{}, t: t}
	w.Chat = w.replica(base)
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	f.At(server.URL)
	return w
}

// replica is another one over the same store and the same Slack.
func (w *world) replica(c Config) *Chat {
	w.t.Helper()
	chat := w.chat(c, w.book, time.Now)
	chat.Connect(w.desk, w.talk)
	w.runs(chat)
	return chat
}

func (w *world) chat(c Config, book Incidents, now func() time.Time) *Chat {
	w.t.Helper()
	chat, err := New(Options{
		Config: c, Limits: limit.New(limit.Options{Provider: Name, Rates: nil, Now: now}), Directory: chatDirectory(w.store),
		Incidents: book, Rights: bot.Open{}, Links: bot.Links{Base: "https://hikeshi.example.com"}, Now: now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	chat.patience = time.Minute // whatever else this machine does
	return chat
}

func (w *world) runs(chat *Chat) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { chat.Run(ctx); close(done) }()
	w.t.Cleanup(func() { cancel(); <-done })
}

func chatDirectory(s *contract.Settings) *chat.Directory { return chat.NewDirectory(s, Name) }

// incident is an open one.
func incident(id incidents.ID, title string) *incidents.Incident {
	return &incidents.Incident{ID: id, Title: title, Version: 1, Released: true, CreatedAt: time.Now(), OpenedAt: time.Now()}
}

// room opens the incident's room.
func (w *world) room(s *incidents.Incident) incidents.Room {
	w.t.Helper()
	r, err := w.OpenRoom(w.t.Context(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.Rooms == nil {
		s.Rooms = map[string]incidents.Room{}
	}
	s.Rooms[Name] = r
	w.book.put(s)
	return r
}

func say(text string) bot.LocalMessage {
	return bot.LocalMessage{"en": {Key: "ev-1", Kind: bot.KindLine, Title: text}, "ja": {Key: "ev-1", Kind: bot.KindLine, Title: text}}
}

// eventually waits for something that others do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal("it never came: " + what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
