package slack_test

import (
	"strings"
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// Slack's own clients for Node are content with this Slack: it is not only
// shaped to our requests.
func TestSlacksOwnClients(t *testing.T) {
	t.Parallel()
	s := fake.New(t, fake.Options{Others: true})
	s.Add(fake.User{ID: "U1", Name: "bea", Locale: "ja-JP"})
	s.Lie("conversations.setTopic", fake.TooMany("1"))
	acks := make(chan fake.Answer, 3)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for s.Sockets() == 0 {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		channel := s.Rooms()[0].ID
		acks <- s.Event("Ev1", map[string]any{"type": "app_mention", "user": "U1", "channel": channel, "text": "<@" + fake.BotUser + "> ack", "ts": "1.2"}, 0)
		acks <- s.Press("U1", channel, "1.2", "h1.1.ack..")
		acks <- s.Command("U1", channel, "status")
	}()
	out := testenv.Node(t, "testdata/client.js", []string{"SLACK_API=" + s.URL, "SLACK_TOKEN=" + fake.Token, "SLACK_APP_TOKEN=" + fake.AppToken})
	want := `me U0BOT T0HIKESHI
room inc-0001-other U0BOT
again name_taken
invited already_in_channel
edited true
pinned already_pinned
history card 2 card
user bea ja-JP
rooms 1
nobody invalid_auth
waited true
mention U1 <@U0BOT> ack
press block_actions h1.1.ack..
command /inc status
`
	if out != want {
		t.Errorf("the clients saw\n%swant\n%s", out, want)
	}
	<-told
	for _, body := range []string{"", "", "done"} {
		if a := <-acks; a.Status != 200 || !strings.Contains(a.Body, body) {
			t.Errorf("acknowledged: %+v", a)
		}
	}
}
