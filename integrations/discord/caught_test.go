package discord

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// A mistake of ours ends neither the process nor anybody's place in it; the
// person is told, and what comes after works.
func TestAPanicEndsNothing(t *testing.T) {
	t.Parallel()
	for _, x := range []*inbox{newInbox(t), newInbox(t, viaGateway)} {
		answered := func(i *fake.Interaction) string {
			t.Helper()
			if x.Inbox.config.Via == ViaHTTP {
				return fmt.Sprint(x.deliver(i))
			}
			x.await("an answer", func() bool { return x.First(i) != nil })
			return fmt.Sprint(x.First(i))
		}
		offer := func(i *fake.Interaction) *fake.Interaction {
			if x.Inbox.config.Via == ViaGateway {
				x.Offer(i)
			}
			return i
		}
		if x.Inbox.config.Via == ViaGateway {
			connected(t, x)
			x.Say(bea, x.room.ID, "boom")
		}
		if got := answered(offer(x.Press(bea, x.room.ID, "1", "h1.16.boom.."))); !strings.Contains(got, "Internal error") {
			t.Errorf("%s", got)
		}
		if got := answered(offer(x.Press(bea, x.room.ID, "1", "h1.16.ack.."))); strings.Contains(got, "Internal error") {
			t.Errorf("what came after: %s", got)
		}
		if x.Inbox.config.Via == ViaGateway {
			x.Say(bea, x.room.ID, "it is the disk")
			x.hears("it is the disk")
			if n := x.Tally.Panics.Load(); n != 2 {
				t.Errorf("%d panics were counted", n)
			}
		}
	}
}

// What panics before anybody's wish is read is answered too.
func TestAPanicOverAnInteractionIsAnswered(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	x.Rooms = nil // which nobody may look things up in
	for _, i := range []*fake.Interaction{x.Press(bea, x.room.ID, "1", "h1.16.ack.."), x.Complete(bea, x.room.ID, []string{"run"}, nil, "action")} {
		var in interaction
		if err := json.Unmarshal(i.Body, &in); err != nil {
			t.Fatal(err)
		}
		out := x.Take(t.Context(), &in)
		if in.Type == kindComplete && out.Type != answerChoices || in.Type == kindComponent && (out.Type != answerMessage || !strings.Contains(out.Data.Content, in.ID)) {
			t.Errorf("%+v", out)
		}
	}
	if n := x.Tally.Panics.Load(); n != 2 {
		t.Errorf("%d panics were counted", n)
	}
}
