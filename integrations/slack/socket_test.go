package slack

import (
	"testing"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

func overSockets(c *Config, _ *fake.Options) { c.AppToken, c.SigningSecrets = fake.AppToken, nil }

func TestSocketsBringEverythingAndComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, overSockets)
	eventually(t, "two sockets", func() bool { return w.fake.Sockets() == sockets })
	r := w.room(incident(7, "x"))
	if got := w.fake.Command("U1", r.ID, "ack"); got.Status != 200 {
		t.Errorf("a command: %+v", got)
	}
	if got := w.fake.Press("U1", r.ID, "1.2", "h1.7.ack.."); got.Status != 200 {
		t.Errorf("a press: %+v", got)
	}
	mention := func(id string) fake.Answer {
		return w.fake.Event(id, map[string]any{"type": "app_mention", "user": "U1", "channel": r.ID, "text": "<@" + fake.BotUser + "> status", "ts": "1.2"}, 0)
	}
	for range 2 { // once over each socket, perhaps
		if got := mention("Ev1"); got.Status != 200 {
			t.Errorf("an event: %+v", got)
		}
	}
	if n := len(w.desk.requests()); n != 3 {
		t.Errorf("%d done, want 3", n)
	}
	w.fake.Refresh()
	eventually(t, "two sockets after a refresh", func() bool { return w.fake.Sockets() == sockets })
	w.fake.DropSockets()
	eventually(t, "none or new ones", func() bool { return w.fake.Calls()["apps.connections.open"] > 2 })
	eventually(t, "two sockets after the network was gone", func() bool { return w.fake.Sockets() == sockets })
	eventually(t, "an event after it", func() bool { return mention("Ev2").Status == 200 })
}

// A revoked token ends a socket for good in the library's eyes; in ours it is
// tried again, because somebody will mend it.
func TestASocketComesBackAfterARevokedToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, overSockets)
	eventually(t, "two sockets", func() bool { return w.fake.Sockets() == sockets })
	w.fake.Revoke(true)
	w.fake.DropSockets()
	eventually(t, "a refusal", func() bool { return w.fake.Calls()["apps.connections.open"] >= 4 })
	w.fake.Revoke(false)
	eventually(t, "two sockets again", func() bool { return w.fake.Sockets() == sockets })
}
