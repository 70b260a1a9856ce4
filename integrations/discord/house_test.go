package discord

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

const base = "https://hikeshi.example.com"

// house is one replica that talks to a fake Discord.
type house struct {
	*fake.Server
	t      *testing.T
	config Config
	client *Client
	poster *Poster
	rooms  *chat.Directory
	store  *contract.Settings
	log    *strings.Builder
}

func newFake(t *testing.T) *fake.Server {
	s := fake.New(t)
	s.Hosts, s.Patience = []string{"hikeshi.example.com"}, time.Minute
	return s
}

func goodConfig(s *fake.Server) Config {
	return Config{
		Token: fake.Token, App: fake.App, Guild: fake.Guild, PublicKey: s.PublicKey, Via: ViaGateway,
		Category: DefaultCategory, Archive: DefaultArchive, Language: "en", URL: s.URL,
	}
}

func newHouse(t *testing.T, change ...func(*Config)) *house {
	return houseOn(t, newFake(t), &contract.Settings{}, change...)
}

// houseOn is another replica, or the same one after a restart.
func houseOn(t *testing.T, s *fake.Server, store *contract.Settings, change ...func(*Config)) *house {
	t.Helper()
	h := &house{Server: s, t: t, config: goodConfig(s), store: store, log: &strings.Builder{}}
	for _, c := range change {
		c(&h.config)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	var mu sync.Mutex
	logger := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return h.log.Write(p) }), nil))
	h.client = NewClient(ClientOptions{Config: h.config, Pace: limit.New(limit.Options{Provider: "discord", Rates: Rates(), Store: store}), Transport: transport, Now: time.Now})
	h.rooms = chat.NewDirectory(store, Chat)
	h.poster = NewPoster(PosterOptions{Config: h.config, Client: h.client, Links: bot.Links{Base: base}, Rooms: h.rooms, Logger: logger})
	return h
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var _ io.Writer = writerFunc(nil)

var someDay = time.Date(2026, 2, 3, 14, 3, 0, 0, time.UTC)

func incident(id incidents.ID, title string) *incidents.Incident {
	s := &incidents.Incident{}
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": title, "severity": "critical"}), StartsAt: someDay}
	if _, _, err := incidents.Advance(s, incidents.Open{ID: id, Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}}, someDay, incidents.Policy{}); err != nil {
		panic(err)
	}
	return s
}

// open opens the room of an incident.
func (h *house) open(s *incidents.Incident) incidents.Room {
	h.t.Helper()
	room, err := h.poster.OpenRoom(h.t.Context(), s)
	if err != nil {
		h.t.Fatal(err)
	}
	return room
}

func local(m bot.Message) bot.LocalMessage { return bot.LocalMessage{"en": m, "ja": m} }

func card(title string) bot.Message {
	return bot.Message{Key: "card", Kind: bot.KindCard, Pinned: true, At: someDay, Title: title, Buttons: []bot.Button{{ID: "h1.16.ack..", Label: "Acknowledge", Style: bot.StylePrimary}}}
}

func told(key, title string) bot.Message {
	return bot.Message{Key: key, Kind: bot.KindLine, At: someDay, Title: title}
}

func (h *house) post(room incidents.Room, m bot.Message, previous incidents.Posted) incidents.Posted {
	h.t.Helper()
	p, err := h.poster.Post(h.t.Context(), room, m.Key, local(m), previous)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// deaf is a context for a request that is lied about: where no answer comes, it
// ends once Discord has done what was asked.
func (h *house) deaf(l fake.Lie, shape string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(h.t.Context())
	if l == fake.DoneHang {
		before := h.Count(shape)
		go func() {
			if h.Await(ctx, shape, func() bool { return h.Count(shape) > before }) == nil {
				cancel()
			}
		}()
	}
	return ctx, cancel
}

// free is no pace at all.
type free struct{}

func (free) Wait(ctx context.Context, _, _ string, _ limit.Lane) error { return ctx.Err() }
func (free) Close(context.Context, string, string, time.Duration)      {}
