package discord

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

func illustrated(paths ...string) bot.Message {
	m := bot.Message{Key: "diagnostics", Kind: bot.KindDiagnostics, At: someDay, Title: "First look", Code: []bot.Code{{Label: "log", Text: strings.Repeat("a line\n", 300)}}}
	for _, p := range paths {
		m.Images = append(m.Images, bot.Image{Path: p, URL: base + p, Title: "latency *p99*", Alt: "latency from 10 ms to 2 s"})
	}
	return m
}

// pictured is a house whose messages have pictures.
func pictured(t *testing.T) (*house, incidents.Room, *chat.Tally) {
	t.Helper()
	h, tally := newHouse(t), chat.NewTally(Chat)
	h.poster.shown = chat.Gallery{Pictures: &contract.Drawings{}, Tally: tally, Log: h.poster.log}
	return h, h.open(incident(42, "HighErrorRate")), tally
}

// shows is what of a message's embeds have a picture, and where each leads.
func shows(m fake.Message) (pictures, links int) {
	for _, e := range m.Embeds[1:] {
		if e["image"] != nil {
			pictures++
		}
		if url, _ := e["url"].(string); strings.HasPrefix(url, base+"/") {
			links++
		}
	}
	return pictures, links
}

func TestPicturesStandInTheMessage(t *testing.T) {
	t.Parallel()
	h, room, tally := pictured(t)
	p := h.post(room, illustrated("/charts/1", "/none", "/charts/2", "/charts/2"), incidents.Posted{})
	again := h.post(room, illustrated("/charts/1", "/charts/2"), p)
	all := h.Messages(room.ID)
	if len(all) != 1 || again.ID != p.ID {
		t.Fatalf("%+v", all)
	}
	if pictures, links := shows(all[0]); pictures != 2 || links != 2 || len(all[0].Files) != 3 {
		t.Errorf("%d pictures, %d links, %d files", pictures, links, len(all[0].Files))
	}
	if tally.PicturesShown.Load() != 5 || tally.PicturesFailed.Load() != 1 {
		t.Errorf("counted %d and %d", tally.PicturesShown.Load(), tally.PicturesFailed.Load())
	}
}

// What Discord does not take as a picture is a link, and the message stands.
func TestAPictureThatCannotBeShownLeavesItsLink(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]fake.Lie{"too large": fake.TooLarge, "not allowed": fake.Forbidden} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, room, tally := pictured(t)
			h.Lies(lie, 1, http.MethodPost, "/messages", nil)
			p := h.post(room, illustrated("/charts/1"), incidents.Posted{})
			all := h.Messages(room.ID)
			if pictures, links := shows(all[0]); len(all) != 1 || all[0].ID != p.ID || pictures != 0 || links != 1 {
				t.Errorf("%d pictures, %d links: %+v", pictures, links, all)
			}
			if tally.PicturesFailed.Load() != 1 || tally.PicturesShown.Load() != 0 {
				t.Errorf("counted %d and %d", tally.PicturesShown.Load(), tally.PicturesFailed.Load())
			}
		})
	}
}

// After an answer that was lost, the message with its picture is found again.
func TestAMessageWithAPictureStandsOnce(t *testing.T) {
	t.Parallel()
	h, room, _ := pictured(t)
	h.Lies(fake.DoneFail, 1, http.MethodPost, "/messages", nil)
	if _, err := h.poster.Post(t.Context(), room, "diagnostics", local(illustrated("/charts/1")), incidents.Posted{}); err == nil {
		t.Fatal("no error")
	}
	h.Forget()
	p := h.post(room, illustrated("/charts/1"), incidents.Posted{})
	if all := h.Messages(room.ID); len(all) != 1 || all[0].ID != p.ID {
		t.Errorf("%+v", all)
	}
}

func TestAnAnswerHasItsPicture(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	tally := chat.NewTally(Chat)
	x.Shown = chat.Gallery{Pictures: &contract.Drawings{}, Tally: tally, Log: x.poster.log}
	m := illustrated("/charts/1")
	m.Code = nil
	x.desk.reply = bot.Reply{Private: true, Message: &m}
	i := x.Command(bea, x.room.ID, []string{"status"}, nil)
	if first := x.deliver(i); fmt.Sprint(first["type"]) != fmt.Sprint(answerLater) {
		t.Fatalf("%v", first)
	}
	if err := x.Await(t.Context(), "the answer", func() bool { return len(x.More(i)) == 1 }); err != nil {
		t.Fatal(err)
	}
	embeds, _ := x.More(i)[0]["embeds"].([]any)
	if len(embeds) != 2 || embeds[1].(map[string]any)["image"] == nil {
		t.Errorf("%v", embeds)
	}
}
