package discord_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// discord.js is content with this Discord: it is not only shaped to our requests.
func TestDiscordJS(t *testing.T) {
	t.Parallel()
	s := fake.New(t)
	bea := fake.Person{ID: "400000000000000001", Name: "bea", Roles: []string{fake.Role}}
	offered := make(chan *fake.Interaction, 2)
	go func() {
		defer close(offered)
		for s.Count("PUT channels/*/messages/pins/*") == 0 || s.Count("GET channels/*") == 0 {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		room := s.Channels(0)[0].ID
		card := s.Messages(room)[0].ID
		s.Say(bea, room, "it is the pool")
		s.React(bea, room, card, "👍", false)
		press, typed := s.Press(bea, room, card, "h1.1.ack.."), s.Command(bea, room, []string{"status"}, nil)
		s.Offer(press)
		s.Offer(typed)
		offered <- press
		offered <- typed
	}()
	out := testenv.Node(t, "testdata/client.js", []string{
		"DISCORD_API=" + strings.TrimSuffix(s.URL, "/v10"), "DISCORD_TOKEN=" + fake.Token, "DISCORD_GUILD=" + fake.Guild,
	})
	want := `me hikeshi
guild ops
room inc-0001-other a room
once true
edited card 2 h1.1.ack..
pinned card 2
history card 2
nobody 404 10003
READY
said bea it is the pool
reacted 400000000000000001 👍
press bea h1.1.ack..
command inc status
`
	if got := regexp.MustCompile(`(?m)^READY .*$`).ReplaceAllString(out, "READY"); got != want {
		t.Errorf("discord.js saw\n%swant\n%s", got, want)
	}
	for i := range offered {
		if s.First(i) == nil {
			t.Errorf("interaction %s has no answer", i.ID)
		}
	}
}
