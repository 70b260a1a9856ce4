package discord

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// connected runs the gateway until the test ends.
func connected(t *testing.T, x *inbox) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	x.await("a connection", func() bool { return x.Connected() == 1 })
}

func (x *inbox) await(what string, ok func() bool) {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			x.t.Fatalf("waiting for %s; so far:\n%s\n%s", what, x.desk.all(), x.log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (x *inbox) log() string { return x.house.log.String() }

func (x *inbox) hears(want string) {
	x.t.Helper()
	x.await(want, func() bool { return strings.Contains(x.desk.all(), want) })
}

func viaGateway(c *Config) { c.Via, c.Messages = ViaGateway, true }

func TestTheGatewayHears(t *testing.T) {
	t.Parallel()
	x := newInbox(t, viaGateway)
	p := x.post(x.room, card("a"), incidents.Posted{})
	x.Incidents.(loader).s.Rooms[Chat].Posted["card"] = p
	connected(t, x)
	i := x.Press(bea, x.room.ID, p.ID, "h1.16.ack..")
	x.Offer(i)
	x.hears(beaID + " press INC-42 h1.16.ack..")
	x.await("the answer", func() bool { return x.First(i) != nil })
	id := x.Say(bea, x.room.ID, "it is the disk")
	x.hears(beaID + " said INC-42 it is the disk edited=false deleted=false")
	x.Rewrite(bea, x.room.ID, id, "it is the other disk")
	x.hears("it is the other disk edited=true deleted=false")
	x.React(bea, x.room.ID, p.ID, "👍", false)
	x.hears(beaID + ` react INC-42 "card" 👍 false`)
	x.React(bea, x.room.ID, p.ID, "👍", true)
	x.hears(`"card" 👍 true`)
	x.React(bea, x.room.ID, id, "📌", false)
	x.hears(`"" 📌 false ` + beaID + " it is the other disk")
	x.TakeBack(x.room.ID, id)
	x.hears("deleted=true")
	if !x.desk.heard.Said[incidents.Said{Chat: Chat, MessageID: id}.Key()].Deleted {
		t.Errorf("the incident did not hear of it: %+v", x.desk.heard.Said)
	}
}

// A moderator may delete many at once.
func TestManyDeletionsAtOnceAreFollowed(t *testing.T) {
	t.Parallel()
	x := newInbox(t, viaGateway)
	const first, second = "600000000000000001", "600000000000000002"
	for _, id := range []string{first, second} {
		if err := x.desk.Said(t.Context(), 42, incidents.Said{Chat: Chat, MessageID: id, By: incidents.Actor{ID: beaID, Name: "bea"}, Text: "hunter2"}); err != nil {
			t.Fatal(err)
		}
	}
	ears := &ears{in: x.Inbox, ctx: t.Context(), talk: make(chan heard, 1)}
	ears.hear("MESSAGE_DELETE_BULK", fmt.Appendf(nil, `{"ids":[%q,%q],"channel_id":%q,"guild_id":%q}`, first, second, x.room.ID, fake.Guild))
	select {
	case h := <-ears.talk:
		x.overheard(t.Context(), h)
	default:
		t.Fatal("it is not heard")
	}
	for _, id := range []string{first, second} {
		if !x.desk.heard.Said[incidents.Said{Chat: Chat, MessageID: id}.Key()].Deleted {
			t.Errorf("%s is not taken back:\n%s", id, x.desk.all())
		}
	}
}

// Our own words, those of bots, of other guilds and of other channels are not heard.
func TestTheGatewayDoesNotHear(t *testing.T) {
	t.Parallel()
	x := newInbox(t, viaGateway, func(c *Config) { c.Roles = []string{fake.Role} })
	connected(t, x)
	lounge := x.AddChannel(textChannel, "lounge", "", "")
	x.post(x.room, told("ev-1", "approve 1"), incidents.Posted{})
	x.Say(fake.Person{ID: "400000000000000002", Name: "b", Bot: true, Roles: bea.Roles}, x.room.ID, "approve 1")
	x.Say(fake.Person{ID: bea.ID, Name: "b", Guild: "200000000000000002", Roles: bea.Roles}, x.room.ID, "approve 1")
	x.Say(fake.Person{ID: bea.ID, Name: "no role"}, x.room.ID, "approve 1")
	x.Say(bea, lounge, "approve 1")
	x.Say(bea, x.room.ID, "the end")
	x.hears("the end")
	if strings.Contains(x.desk.all(), "approve") {
		t.Error(x.desk.all())
	}
}

// Whatever happens to the connection, it comes back, and what was said
// meanwhile is heard.
func TestTheGatewayComesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble func(*fake.Server)
		missed  bool // what is said meanwhile is lost with the session
	}{
		"a drop":            {(*fake.Server).Drop, false},
		"a wish":            {(*fake.Server).Reconnect, false},
		"a session is gone": {(*fake.Server).Invalidate, true},
		"a drop and a drop": {func(s *fake.Server) { s.Drop(); s.Lies(fake.Fail, 1, "GET", "/gateway", nil) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newInbox(t, viaGateway)
			connected(t, x)
			before := x.Count("resume") + x.Count("identify")
			c.trouble(x.Server)
			x.await("it hangs up", func() bool { return x.Connected() == 0 || x.Count("resume")+x.Count("identify") > before })
			x.Say(bea, x.room.ID, "meanwhile")
			x.await("it comes back", func() bool { return x.Connected() == 1 && x.Count("resume")+x.Count("identify") > before })
			x.Say(bea, x.room.ID, "afterwards")
			x.hears("afterwards")
			if !c.missed {
				x.hears("meanwhile")
			}
		})
	}
}

func TestTheGatewaySaysWhatIsHopeless(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*inbox){
		"token":  func(x *inbox) { x.Revoke() },
		"intent": func(x *inbox) { x.Server.Intents &^= 1 << 15 },
	} {
		x := newInbox(t, viaGateway)
		change(x)
		err := x.Run(t.Context())
		if err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
