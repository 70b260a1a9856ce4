package discord

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

const (
	textChannel = 0
	aCategory   = 4
)

func TestARoomIsMadeOnceAndKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := incident(42, "HighErrorRate")
	room := h.open(s)
	if room.Name != "inc-0042-higherrorrate" || room.URL != "https://discord.com/channels/"+fake.Guild+"/"+room.ID {
		t.Errorf("%+v", room)
	}
	if again := h.open(s); again.ID != room.ID {
		t.Errorf("a second room %s beside %s", again.ID, room.ID)
	}
	if other := houseOn(t, h.Server, h.store).open(s); other.ID != room.ID {
		t.Errorf("another replica made %s beside %s", other.ID, room.ID)
	}
	if id, ok, err := h.rooms.Incident(t.Context(), room.ID); id != 42 || !ok || err != nil {
		t.Errorf("the directory says %v %v %v", id, ok, err)
	}
	all := h.Channels(textChannel)
	if len(all) != 1 || !strings.Contains(all[0].Topic, "INC-42") || !strings.HasSuffix(all[0].Topic, topicMark(s)) || all[0].Parent != h.Channels(aCategory)[0].ID {
		t.Errorf("%+v", all)
	}
}

// What others made is not taken: not by its name, not by its topic, and not the
// room of the same number from another store.
func TestAStrangersRoomIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := incident(42, "HighErrorRate")
	earlier := *s
	earlier.CreatedAt = s.CreatedAt.Add(-time.Hour)
	h.AddChannel(textChannel, "inc-0042-higherrorrate", "hands off", "")
	h.AddChannel(textChannel, "lounge", topicMark(s), "")
	h.AddChannel(textChannel, "inc-0042-higherrorrate", topicMark(&earlier), "")
	h.AddChannel(textChannel, "inc-0042-higherrorrate", topicMark(s)+"9", "")
	h.open(s)
	if n := len(h.Channels(textChannel)); n != 5 {
		t.Errorf("%d channels", n)
	}
}

// An answer that is lost, late or wrong leaves one room and no second one.
func TestOneRoomWhateverDiscordSays(t *testing.T) {
	t.Parallel()
	for _, l := range []fake.Lie{fake.Fail, fake.Bad, fake.DoneFail, fake.DoneCut, fake.DoneHang, fake.HTML, fake.Empty, fake.Redirect, fake.Huge} {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			s := incident(42, "HighErrorRate")
			h.AddChannel(aCategory, DefaultCategory, "", "")
			h.Lies(l, 1, "POST", "/channels", nil)
			ctx, cancel := h.deaf(l, "POST guilds/*/channels")
			defer cancel()
			if _, err := h.poster.OpenRoom(ctx, s); err == nil {
				t.Fatal("no error")
			}
			h.open(s)
			if n := len(h.Channels(textChannel)); n != 1 {
				t.Errorf("%d rooms", n)
			}
		})
	}
}

func TestCategoriesThatAreFull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.AddChannel(aCategory, "Incidents", "", "")
	for i := range maxPerCategory {
		h.AddChannel(textChannel, fmt.Sprintf("c-%d", i), "", first)
	}
	h.open(incident(1, "A"))
	h.open(incident(2, "B"))
	all := h.Channels(aCategory)
	if len(all) != 2 || all[1].Name != "incidents 2" {
		t.Fatalf("%+v", all)
	}
	for _, c := range h.Channels(textChannel)[maxPerCategory:] {
		if c.Parent != all[1].ID {
			t.Errorf("%+v", c)
		}
	}
}

func TestAFullGuildSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range maxPerGuild - 1 {
		h.AddChannel(textChannel, fmt.Sprintf("c-%d", i), "", "")
	}
	for range 2 { // first Discord says it (the category took the last place), then we know
		_, err := h.poster.OpenRoom(t.Context(), incident(1, "A"))
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Phrase != "error.discord_full" || e.Code != incidents.TooLarge {
			t.Errorf("%v", err)
		}
	}
}

func TestPrivateRooms(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *Config) { c.Private, c.Roles = true, []string{fake.Role} })
	h.open(incident(1, "A"))
	got := fmt.Sprint(h.Channels(textChannel)[0].Overwrites)
	for _, want := range []string{"allow:0 deny:1024 id:" + fake.Guild, "id:" + fake.Role, "id:" + fake.Bot} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

// Two customers, who see their own rooms only, and one who is configured no more.
func TestACustomersPrivateRooms(t *testing.T) {
	t.Parallel()
	const acmes, globexs = "300000000000000007", "400000000000000008"
	h := newHouse(t, func(c *Config) {
		c.Private, c.Roles = true, []string{fake.Role}
		c.Customers = map[string][]string{"acme": {acmes, fake.Role, acmes}, "globex": {"user:" + globexs}}
	})
	for i, x := range []struct {
		customer string
		want     []string
	}{
		{"acme", []string{acmes + " type:0", fake.Role + " type:0"}}, {"globex", []string{globexs + " type:1"}}, {"gone", nil}, {"", []string{fake.Role + " type:0"}},
	} {
		s := incident(incidents.ID(i+1), "A")
		s.Customer = x.customer
		h.open(s)
		rooms := h.Channels(textChannel)
		got := fmt.Sprint(rooms[len(rooms)-1].Overwrites)
		for _, id := range x.want {
			if !strings.Contains(got, "id:"+id) {
				t.Errorf("of %q: %s lacks %s", x.customer, got, id)
			}
		}
		if n := strings.Count(got, "id:"); n != 2+len(x.want) || !strings.Contains(got, "allow:0 deny:1024 id:"+fake.Guild) {
			t.Errorf("of %q: %s", x.customer, got)
		}
	}
}

func TestAMissingPermissionIsNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Allow(fake.AllPerms &^ permManageChannels)
	_, err := h.poster.OpenRoom(t.Context(), incident(1, "A"))
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || !strings.Contains(e.Args["permission"], "Manage Channels") || e.Code != incidents.Forbidden {
		t.Errorf("%v", err)
	}
	if e != nil && !strings.HasPrefix(e.Hint, "hikeshi discord") {
		t.Errorf("hint %q", e.Hint)
	}
}

func TestARevokedTokenIsSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Revoke()
	_, err := h.poster.OpenRoom(t.Context(), incident(1, "A"))
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || e.Phrase != "error.discord_revoked" || e.Code != incidents.Unavailable {
		t.Errorf("%v", err)
	}
	if err != nil && strings.Contains(err.Error(), fake.Token) {
		t.Errorf("the token shows: %v", err)
	}
}

func TestClosedRoomsMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	room := h.open(incident(1, "A"))
	for range 2 {
		if err := h.poster.Archive(t.Context(), room); err != nil {
			t.Fatal(err)
		}
	}
	all := h.Channels(aCategory)
	if len(all) != 2 || all[1].Name != DefaultArchive || h.Channels(textChannel)[0].Parent != all[1].ID {
		t.Errorf("%+v", all)
	}
	if n := h.Count("PATCH channels/*"); n != 1 {
		t.Errorf("moved %d times", n)
	}
	h.DeleteChannel(room.ID)
	if err := h.poster.Archive(t.Context(), room); err != nil {
		t.Error(err)
	}
}

// A room that somebody put elsewhere stays there.
func TestARoomThatWasMovedStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	mine := h.AddChannel(aCategory, "incidents of last year", "", "")
	s := incident(1, "A")
	h.AddChannel(textChannel, s.Slug(), topicMark(s), mine)
	if err := h.poster.Archive(t.Context(), h.open(s)); err != nil {
		t.Fatal(err)
	}
	if h.Channels(textChannel)[0].Parent != mine {
		t.Error("it was moved")
	}
}
