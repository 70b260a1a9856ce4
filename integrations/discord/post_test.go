package discord

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

func TestACardIsPinnedAndEditedInPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	p := h.post(room, card("first"), incidents.Posted{})
	again := h.post(room, card("second"), p)
	all := h.Messages(room.ID)
	if len(all) != 1 || again.ID != p.ID || all[0].Embeds[0]["title"] != "second" {
		t.Fatalf("%+v", all)
	}
	if pins := h.Channels(textChannel)[0].Pins; len(pins) != 1 || pins[0] != p.ID {
		t.Errorf("pins %v", pins)
	}
	if n := h.Count("PUT channels/*/messages/pins/*"); n != 1 {
		t.Errorf("pinned %d times", n)
	}
	if url := all[0].Embeds[0]["url"]; url != base+"/incidents/INC-42#card" {
		t.Errorf("url %v", url)
	}
}

// Whatever Discord answers, a message stands once, and says the newest.
func TestAMessageStandsOnce(t *testing.T) {
	t.Parallel()
	for _, l := range []fake.Lie{fake.Fail, fake.Bad, fake.DoneFail, fake.DoneCut, fake.DoneHang, fake.HTML, fake.Empty, fake.Redirect, fake.Huge} {
		for _, forgotten := range []bool{false, true} {
			name := string(l)
			if forgotten {
				name += ", and Discord forgets the nonce"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t)
				room := h.open(incident(42, "HighErrorRate"))
				h.Lies(l, 1, "POST", "/messages", nil)
				ctx, cancel := h.deaf(l, "POST channels/*/messages")
				defer cancel()
				if _, err := h.poster.Post(ctx, room, "card", local(card("old")), incidents.Posted{}); err == nil {
					t.Fatal("no error")
				}
				if forgotten {
					h.Forget()
				}
				p := h.post(room, card("new"), incidents.Posted{})
				all := h.Messages(room.ID)
				if len(all) != 1 || all[0].ID != p.ID || all[0].Embeds[0]["title"] != "new" || len(h.Channels(textChannel)[0].Pins) != 1 {
					t.Errorf("%+v", all)
				}
			})
		}
	}
}

// After a restart nothing is known of what was posted and not written down.
func TestARestartFindsWhatStands(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	h.post(room, card("old"), incidents.Posted{})
	first := h.post(room, told("ev-4", "bea acknowledged"), incidents.Posted{})
	h.Forget()
	next := houseOn(t, h.Server, h.store)
	next.post(room, card("new"), incidents.Posted{})
	if p := next.post(room, told("ev-4", "bea acknowledged"), incidents.Posted{}); p.ID != first.ID {
		t.Error("the line stands twice")
	}
	if p := next.post(room, told("ev-5", "bea acknowledged"), incidents.Posted{}); p.ID == first.ID {
		t.Error("a second line that says the same is lost")
	}
	if n := len(h.Messages(room.ID)); n != 3 {
		t.Errorf("%d messages", n)
	}
}

func TestADeletedMessageIsPostedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	p := h.post(room, card("a"), incidents.Posted{})
	h.DeleteMessage(room.ID, p.ID)
	again := h.post(room, card("b"), p)
	if all := h.Messages(room.ID); len(all) != 1 || again.ID == p.ID || all[0].ID != again.ID {
		t.Errorf("%+v", all)
	}
}

// What a run says meanwhile is not posted anew each time where its message was deleted.
func TestADeletedLiveMessageStaysDeleted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	p := h.post(room, card("a"), incidents.Posted{})
	h.DeleteMessage(room.ID, p.ID)
	m := bot.Message{Key: "card", Kind: bot.KindRun, Live: true, Title: "Restart"}
	_, err := h.poster.Post(t.Context(), room, m.Key, local(m), p)
	if all := h.Messages(room.ID); !errors.Is(err, bot.ErrGone) || len(all) != 0 {
		t.Errorf("%v: %+v", err, all)
	}
}

func TestADeletedRoomIsSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	p := h.post(room, card("a"), incidents.Posted{})
	h.DeleteChannel(room.ID)
	for _, previous := range []incidents.Posted{{}, p} {
		_, err := h.poster.Post(t.Context(), room, "card", local(card("b")), previous)
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Phrase != "error.discord_room_gone" || e.Code != incidents.NotFound || e.Args["room"] != room.Name {
			t.Errorf("%v", err)
		}
	}
}

// Without the permission to pin the room is of use all the same; the log says
// what is missing.
func TestWithoutPinMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	h.Allow(fake.AllPerms &^ permPin)
	h.post(room, card("a"), incidents.Posted{})
	if !strings.Contains(h.log.String(), "Pin Messages") {
		t.Errorf("the log says %q", h.log)
	}
}

func TestWithoutSendMessages(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(42, "HighErrorRate"))
	h.Allow(fake.AllPerms &^ permSend)
	_, err := h.poster.Post(t.Context(), room, "card", local(card("b")), incidents.Posted{})
	if e, ok := errors.AsType[*incidents.Error](err); !ok || !strings.Contains(e.Args["permission"], "Send Messages") {
		t.Errorf("%v", err)
	}
}

// A 429 closes what it names, for as long as it says, whatever form it has; no
// request is sent meanwhile.
func TestSlowDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lie     fake.Lie
		seconds any
		least   time.Duration
		all     bool // other channels wait too
	}{
		"a fraction":      {fake.SlowDown, 64.57, 64 * time.Second, false},
		"nothing":         {fake.SlowDown, nil, time.Second, true},
		"negative":        {fake.SlowDown, -3.0, time.Second, true},
		"garbage":         {fake.Cloudflare, "soon", time.Second, true},
		"a page":          {fake.Cloudflare, 30.0, 29 * time.Second, true},
		"everything":      {fake.SlowGlobal, 12.5, 12 * time.Second, true},
		"a shared bucket": {fake.SlowShared, 9.0, 8 * time.Second, false},
		"years":           {fake.SlowDown, 1e12, 59 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, began := newHouse(t), time.Now()
			// A clock that stands still: no window opens because this machine is slow.
			h.client.pace = limit.New(limit.Options{Provider: Chat, Rates: Rates(), Now: func() time.Time { return began }})
			room, other := h.open(incident(1, "A")), h.open(incident(2, "B"))
			h.Lies(c.lie, 1, "POST", "/messages", c.seconds)
			_, err := h.poster.Post(t.Context(), room, "card", local(card("a")), incidents.Posted{})
			later, ok := errors.AsType[*incidents.Later](err)
			if !ok || later.After < c.least || later.After > maxWindow {
				t.Fatalf("%v", err)
			}
			before := h.Count("POST channels/*/messages")
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := h.poster.Post(ctx, room, "card", local(card("a")), incidents.Posted{}); err == nil {
				t.Error("it was sent into a closed window")
			}
			apart := t.Context()
			if c.all {
				apart = ctx
			}
			_, err = h.poster.Post(apart, other, "card", local(card("a")), incidents.Posted{})
			if (err != nil) != c.all {
				t.Errorf("another channel: %v", err)
			}
			if n := h.Count("POST channels/*/messages") - before; (n > 0) == c.all {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// What an answer says is used up is not asked for.
func TestAUsedUpBucketIsNotAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Pace = fake.Pace{N: 2, Per: time.Minute}
	room := h.open(incident(1, "A"))
	h.post(room, told("ev-1", "one"), incidents.Posted{})
	h.post(room, told("ev-2", "two"), incidents.Posted{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := h.poster.Post(ctx, room, "ev-3", local(told("ev-3", "three")), incidents.Posted{}); err == nil {
		t.Error("no error")
	}
	if h.Refused() != 0 {
		t.Errorf("%d requests were refused", h.Refused())
	}
}

func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	now := someDay
	b := budget{now: func() time.Time { return now }}
	for range maxRefusals - 1 {
		b.spend()
	}
	if b.closed() != 0 {
		t.Error("closed too early")
	}
	now = now.Add(5 * time.Minute)
	b.spend()
	if b.closed() == 0 {
		t.Error("not closed")
	}
	now = now.Add(6 * time.Minute)
	if b.closed() != 0 || b.refusals() != 1 {
		t.Errorf("%d refusals", b.refusals())
	}
	now = now.Add(time.Hour)
	if b.refusals() != 0 {
		t.Errorf("%d refusals", b.refusals())
	}
}
