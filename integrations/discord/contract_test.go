package discord

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// contractWorld is a Discord in which nobody waits for a turn.
type contractWorld struct {
	*fake.Server
	config    Config
	store     *contract.Settings
	transport *http.Transport
}

func newContractWorld(t *testing.T) *contractWorld {
	w := &contractWorld{Server: newFake(t), store: &contract.Settings{}, transport: &http.Transport{}}
	w.config = goodConfig(w.Server)
	w.config.Messages = true
	t.Cleanup(w.transport.CloseIdleConnections)
	return w
}

func (w *contractWorld) client() *Client {
	return NewClient(ClientOptions{Config: w.config, Pace: free{}, Transport: w.transport, Now: time.Now})
}

func (w *contractWorld) Poster(*testing.T) bot.Poster {
	return NewPoster(PosterOptions{Config: w.config, Client: w.client(), Links: bot.Links{Base: base}, Rooms: chat.NewDirectory(w.store, Chat), Logger: slog.New(slog.DiscardHandler)})
}

// calls are mentions that Discord would act upon; those in embeds it does not.
var calls = regexp.MustCompile(`<@|@everyone|@here`)

func (w *contractWorld) Shown(t *testing.T, room incidents.Room) []contract.Shown {
	t.Helper()
	var all []contract.Shown
	for _, m := range w.Messages(room.ID) {
		rest, err := json.Marshal([]any{m.Embeds, m.Rows})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, contract.Shown{ID: m.ID, Text: m.Content + " " + string(rest), Mentions: len(calls.FindAllString(m.Content, -1))})
	}
	return all
}

func TestDiscordIsAChat(t *testing.T) {
	t.Parallel()
	contract.Run(t, func(t *testing.T) contract.World { return newContractWorld(t) })
}

var people = map[contract.Who]fake.Person{
	contract.Bea: bea,
	contract.Eve: {ID: "400000000000000002", Name: "eve", Roles: []string{fake.Role}},
}

// Act has the gateway tell what somebody did.
func (w *contractWorld) Act(t *testing.T, a contract.Act) {
	t.Helper()
	who := people[a.By]
	var offered *fake.Interaction
	switch a.Does {
	case contract.Types:
		words := strings.Fields(a.What)
		offered = w.Command(who, a.Room.ID, words[:1], nil)
	case contract.Clicks:
		offered = w.Press(who, a.Room.ID, a.On, a.What)
	case contract.Thumbs:
		w.React(who, a.Room.ID, a.On, "👍", false)
	case contract.Says:
		id := w.Say(who, a.Room.ID, a.What)
		if a.Twice {
			w.SayAgain(who, a.Room.ID, id)
		}
	case contract.Echoes:
		w.Say(fake.Person{ID: fake.Bot, Name: "hikeshi", Bot: true}, a.Room.ID, a.What)
	}
	if offered == nil {
		return
	}
	w.Offer(offered)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Await(ctx, "an answer", func() bool { return w.First(offered) != nil }); err != nil {
		t.Fatal(err)
	}
	if a.Twice {
		w.Offer(offered)
	}
}

func TestPeopleInDiscord(t *testing.T) {
	t.Parallel()
	account := func(who contract.Who) string { return "discord:" + fake.Guild + "/" + people[who].ID }
	contract.RunPeople(t, contract.Party{
		Chat:     Chat,
		Accounts: map[contract.Who]string{contract.Bea: account(contract.Bea), contract.Eve: account(contract.Eve)},
		Open: func(t *testing.T, in contract.Inside) contract.Lively {
			w := newContractWorld(t)
			inbox := NewInbox(InboxOptions{
				Config: w.config, Client: w.client(), Desk: in.Desk, Talk: in.Talk, Rooms: chat.NewDirectory(w.store, Chat), Incidents: in.Incidents,
				Commands: commands.All(commands.Deps{}), Links: bot.Links{Base: base}, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			})
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- inbox.Run(ctx) }()
			t.Cleanup(func() {
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
			waiting, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := w.Await(waiting, "a connection", func() bool { return w.Connected() == 1 }); err != nil {
				t.Fatal(err)
			}
			return w
		},
	})
}
