package slack

import (
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// contractWorld is a Slack whose clock is after that of the contract's stories.
type contractWorld struct {
	*world
	now    func() time.Time
	events int
}

func newContractWorld(t *testing.T) *contractWorld {
	began, noon := time.Now(), time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	now := func() time.Time { return noon.Add(time.Since(began)) }
	f := fake.New(t, fake.Options{Now: now, Patience: time.Minute})
	f.Add(fake.User{ID: "U1", Name: "bea", Locale: "en-GB"})
	f.Add(fake.User{ID: "U2", Name: "eve", Locale: "en-GB"})
	return &contractWorld{now: now, world: &world{fake: f, store: &contract.Settings{}, book: &incidentBook{all: map[incidents.ID]*incidents.Incident{}}, desk: &desk{}, talk: &talk{}, t: t}}
}

func contractConfig(f *fake.Server) Config {
	c := config(f.URL)
	c.Invite = nil
	return c
}

func (w *contractWorld) Poster(*testing.T) bot.Poster { return w.replica(contractConfig(w.fake)) }

var calls = regexp.MustCompile(`<[@!#]|"type":"(?:user|usergroup|channel|broadcast)"`)

func (w *contractWorld) Shown(_ *testing.T, room incidents.Room) []contract.Shown {
	var all []contract.Shown
	for _, r := range w.fake.Rooms() {
		if r.ID != room.ID {
			continue
		}
		for _, m := range r.Messages {
			text := m.Text + " " + m.Blocks
			all = append(all, contract.Shown{ID: m.TS, Text: text, Mentions: len(calls.FindAllString(text, -1))})
		}
	}
	return all
}

func TestSlackIsAChat(t *testing.T) {
	t.Parallel()
	contract.Run(t, func(t *testing.T) contract.World { return newContractWorld(t) })
}

// Act sends what Slack sends.
func (w *contractWorld) Act(t *testing.T, a contract.Act) {
	t.Helper()
	user := map[contract.Who]string{contract.Bea: "U1", contract.Eve: "U2"}[a.By]
	w.events++
	id := "Ev" + strconv.Itoa(w.events)
	times := 1
	if a.Twice {
		times = 2
	}
	payload := w.fake.PressPayload(user, a.Room.ID, a.On, a.What)
	ts := ""
	for i := range times {
		var got fake.Answer
		switch a.Does {
		case contract.Types:
			got = w.fake.Event(id, object{"type": "app_mention", "user": user, "channel": a.Room.ID, "text": "<@" + fake.BotUser + "> " + a.What, "ts": "1.2"}, i)
		case contract.Clicks:
			got = w.fake.Interact(payload)
		case contract.Thumbs:
			got = w.fake.Event(id, object{"type": "reaction_added", "user": user, "reaction": "+1", "item": object{"type": "message", "channel": a.Room.ID, "ts": a.On}}, i)
		case contract.Says:
			if ts == "" {
				ts, got = w.fake.Say(user, a.Room.ID, a.What)
			} else {
				got = w.fake.Event("Ev"+ts, object{"type": "message", "user": user, "channel": a.Room.ID, "text": a.What, "ts": ts}, i)
			}
		case contract.Echoes:
			got = w.fake.Event(id, object{"type": "message", "user": fake.BotUser, "bot_id": "B0BOT", "channel": a.Room.ID, "text": a.What, "ts": "1.2"}, i)
		}
		if got.Status != 200 {
			t.Errorf("%+v: %+v", a, got)
		}
	}
}

func TestPeopleInSlack(t *testing.T) {
	t.Parallel()
	contract.RunPeople(t, contract.Party{
		Chat:     Name,
		Accounts: map[contract.Who]string{contract.Bea: "slack:" + fake.Team + "/U1", contract.Eve: "slack:" + fake.Team + "/U2"},
		Open: func(t *testing.T, in contract.Inside) contract.Lively {
			w := newContractWorld(t)
			c := w.chat(contractConfig(w.fake), in.Incidents, w.now)
			c.Connect(in.Desk, in.Talk)
			w.runs(c)
			server := httptest.NewServer(c.Handler())
			t.Cleanup(server.Close)
			w.fake.At(server.URL)
			return w
		},
	})
}
