package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	discordfake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	slackfake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// chatPoints are those around making a channel and posting into it.
var chatPoints = []string{
	"slack.room.before_create", "slack.room.after_create", "slack.room.noted",
	"slack.post.before_send", "slack.post.after_send", "slack.post.pinned",
	"discord.room.before_create", "discord.room.created", "discord.room.noted",
	"discord.post.before_post", "discord.post.posted", "discord.post.pinned", "discord.post.before_edit",
}

// TestKilledAroundAChannel: kill -9 at each point, with a Slack and a Discord
// that outlive it. The next process finds what the last one left: one room, one
// message under each key, one pin.
func TestKilledAroundAChannel(t *testing.T) {
	places := make(chan struct{}, atOnce)
	for _, point := range chatPoints {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			places <- struct{}{}
			defer func() { <-places }()
			w := newChats(t)
			if deaths := w.live(point); deaths != 1 {
				t.Errorf("it died %d times", deaths)
			}
			w.once()
		})
	}
}

// chats is a place with a Slack and a Discord in its configuration.
type chats struct {
	place
	t       *testing.T
	slack   *slackfake.Server
	discord *discordfake.Server
}

func newChats(t *testing.T) *chats {
	t.Helper()
	w := &chats{place: place{dir: t.TempDir()}, t: t, slack: slackfake.New(t, slackfake.Options{}), discord: discordfake.New(t)}
	w.slack.Add(slackfake.User{ID: "U1", Name: "bea"})
	w.discord.Hosts = []string{"127.0.0.1"}
	if err := w.configure("http://127.0.0.1:9"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(w.dir, "hikeshi.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, `
slack: {bot_token: %q, app_token: %q, team: %q, app: %q, invite: [U1], api: %q}
discord: {bot_token: %q, app_id: %q, guild_id: %q, api: %q}
`, slackfake.Token, slackfake.AppToken, slackfake.Team, slackfake.App, w.slack.URL, discordfake.Token, discordfake.App, discordfake.Guild, w.discord.URL); err != nil {
		t.Fatal(err)
	}
	return w
}

// live has one incident opened and acknowledged, and says how often the process
// died meanwhile.
func (w *chats) live(point string) (deaths int) {
	w.t.Helper()
	app := w.supervisor()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience) // chats keep their pace
	defer cancel()
	life, stop := context.WithCancel(w.t.Context())
	defer stop()
	var parts sync.WaitGroup
	var ended error
	parts.Go(func() { ended = app.supervise(life, dieAt(point)...) })
	s := newStory(app)
	defer s.http.CloseIdleConnections()
	parts.Go(func() { // Discord remembers a message's nonce for minutes; here it does not
		for app.died() == 0 && pause(life, retryAfter) == nil {
		}
		w.discord.Forget()
	})
	if err := s.webhook(ctx, s.fire("disk", 1)); err != nil {
		w.t.Fatal(err)
	}
	awaits(ctx, w.t, "the rooms", func() bool {
		slack, _ := w.inSlack()
		discord, _ := w.inDiscord()
		return slack["card"] > 0 && slack["suggestions"] > 0 && discord["card"] > 0 && discord["suggestions"] > 0
	})
	found, err := s.find(ctx, "disk", "its rooms", func(*seen) bool { return true })
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.command(ctx, found.ID, people[0], "ack", http.StatusOK); err != nil {
		w.t.Fatal(err)
	}
	awaits(ctx, w.t, "the acknowledged cards", func() bool {
		_, slack := w.inSlack()
		_, discord := w.inDiscord()
		return !strings.Contains(slack, ".ack.") && !strings.Contains(discord, ".ack.")
	})
	stop()
	parts.Wait()
	if ended != nil {
		w.t.Fatal(ended)
	}
	return app.deaths - 1
}

func (s *supervisor) died() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deaths
}

// inSlack is how often each key stands in all rooms, and the cards.
func (w *chats) inSlack() (keys map[string]int, cards string) {
	keys = map[string]int{}
	for _, r := range w.slack.Rooms() {
		for _, m := range r.Messages {
			if keys[m.Key]++; m.Key == "card" {
				cards += m.Blocks
			}
		}
	}
	return keys, cards
}

// foot says in Discord which message one is: "inc-0001-disk-burns · card".
var foot = regexp.MustCompile(`"text":"inc-[^"]* · ([a-z0-9-]+)"`)

func (w *chats) inDiscord() (keys map[string]int, cards string) {
	keys = map[string]int{}
	for _, c := range w.discord.Channels(0) {
		for _, m := range w.discord.Messages(c.ID) {
			raw, err := json.Marshal([]any{m.Embeds, m.Rows})
			if err != nil {
				w.t.Fatal(err)
			}
			key := m.ID
			if found := foot.FindSubmatch(raw); found != nil {
				key = string(found[1])
			}
			if keys[key]++; key == "card" {
				cards += string(raw)
			}
		}
	}
	return keys, cards
}

// once holds that everything stands once.
func (w *chats) once() {
	w.t.Helper()
	rooms, channels := w.slack.Rooms(), w.discord.Channels(0)
	if len(rooms) != 1 || len(channels) != 1 {
		w.t.Fatalf("%d rooms in Slack, %d in Discord", len(rooms), len(channels))
	}
	if len(rooms[0].Pins) != 1 || len(channels[0].Pins) != 1 {
		w.t.Errorf("pins: %v in Slack, %v in Discord", rooms[0].Pins, channels[0].Pins)
	}
	slack, _ := w.inSlack()
	discord, _ := w.inDiscord()
	for chat, keys := range map[string]map[string]int{"slack": slack, "discord": discord} {
		for key, n := range keys {
			if n != 1 {
				w.t.Errorf("%s stands %d times in %s", key, n, chat)
			}
		}
	}
	if members := strings.Join(rooms[0].Members, " "); members != slackfake.BotUser+" U1" {
		w.t.Errorf("in the room: %s", members)
	}
}
