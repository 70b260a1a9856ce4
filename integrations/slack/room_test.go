package slack

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

func TestARoomHasItsNameItsPeopleAndItsFurniture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := incident(42, "Checkout <!channel> & more")
	s.Samples = []incidents.Alert{{Annotations: incidents.LabelsFromMap(map[string]string{"dashboard_url": "https://grafana.example.com/d/1"})}}
	r := w.room(s)
	if r.Name != "inc-0042-checkout-channel-more" || !strings.HasPrefix(r.URL, "https://hikeshi-test.slack.com/archives/C") || r.OpenedAt.IsZero() {
		t.Errorf("room %+v", r)
	}
	if id, ok, err := w.directory.Incident(t.Context(), r.ID); id != 42 || !ok || err != nil {
		t.Errorf("the channel belongs to %v %v %v", id, ok, err)
	}
	eventually(t, "the bookmarks", func() bool { return len(w.fake.Rooms()[0].Bookmarks) == 2 })
	got := w.fake.Rooms()[0]
	if want := "INC-42 Checkout &lt;!channel&gt; &amp; more"; got.Topic != want {
		t.Errorf("topic %q, want %q", got.Topic, want)
	}
	if !strings.Contains(got.Purpose, "https://hikeshi.example.com/incidents/INC-42") {
		t.Errorf("purpose %q", got.Purpose)
	}
	if people := strings.Join(got.Members, " "); people != fake.BotUser+" U1 U2" {
		t.Errorf("in the room: %s", people)
	}
}

func TestARoomIsAdoptedOnlyIfItIsOurs(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tc := range map[string]struct {
		creator string
		created time.Time
		archive bool
		want    string
	}{
		"ours, from an attempt that died": {fake.BotUser, now, false, "inc-0007-x"},
		"somebody else's":                 {"U1", now, false, "inc-0007-x-2"},
		"an earlier incident's":           {fake.BotUser, now.Add(-48 * time.Hour), false, "inc-0007-x-2"},
		"ours, but archived":              {fake.BotUser, now, true, "inc-0007-x-2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.fake.MakeRoom("inc-0007-x", tc.creator, tc.created)
			if tc.archive {
				w.fake.Archive(id)
			}
			for range 2 { // once more, as after a crash before it was written down
				r := w.room(incident(7, "x"))
				if r.Name != tc.want {
					t.Errorf("room %s, want %s", r.Name, tc.want)
				}
			}
			if n := len(w.fake.Rooms()); n > 2 {
				t.Errorf("%d rooms", n)
			}
		})
	}
}

// Whatever Slack says, or fails to say, about making a room: trying again until
// it works leaves one.
func TestLiesAboutMakingARoomLeaveOneRoom(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]fake.Lie{
		"500 before": fake.FailBefore, "500 after": fake.FailAfter, "hung up after": fake.HangUpAfter, "a page": fake.HTML, "a page after": fake.HTMLAfter,
		"half an answer": fake.Garbage, "64 MB": fake.Huge, "elsewhere": fake.Redirect, "limited with 200": fake.Limited,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fake.Lie("conversations.create", lie)
			s := incident(7, "x")
			_, err := w.OpenRoom(t.Context(), s)
			if err == nil {
				t.Fatal("it was believed")
			}
			if code := incidents.CodeOf(err); code != incidents.Unavailable && code != incidents.Overloaded {
				t.Errorf("%s: %v", code, err)
			}
			if name == "limited with 200" {
				return // the window is closed for a while
			}
			w.room(s)
			if rooms := w.fake.Rooms(); len(rooms) != 1 || rooms[0].Name != "inc-0007-x" {
				t.Errorf("rooms: %+v", rooms)
			}
		})
	}
}

func TestWhatRefusesARoomIsSaidInWords(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do   func(f *fake.Server)
		want []string
	}{
		"scope":      {func(f *fake.Server) { f.Scopes([]string{"chat:write"}) }, []string{"channels:manage"}},
		"revoked":    {func(f *fake.Server) { f.Revoke(true) }, []string{"token_revoked"}},
		"restricted": {func(f *fake.Server) { f.Lie("conversations.create", fake.Refuse("restricted_action")) }, []string{"conversations.create"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.do(w.fake)
			_, err := w.OpenRoom(t.Context(), incident(7, "x"))
			if incidents.CodeOf(err) != incidents.Unavailable {
				t.Fatalf("it may heal, so it must be tried again: %v", err)
			}
			e := asError(t, err)
			for _, lang := range []string{"en", "ja"} {
				for _, want := range tc.want {
					if text := bot.ErrorText(lang, e); !strings.Contains(text, want) {
						t.Errorf("%s: %q lacks %s", lang, text, want)
					}
				}
			}
			if e.Hint != "hikeshi slack doctor" {
				t.Errorf("hint %q", e.Hint)
			}
		})
	}
}

// Two customers, who come into their own rooms only, and one who is configured no more.
func TestWhoComesIntoACustomersRooms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config, _ *fake.Options) {
		c.Invite, c.Customers = []string{"U1"}, map[string][]string{"acme": {"S1"}, "globex": {"U2"}}
	})
	for i, customer := range []string{"acme", "globex", "gone", ""} {
		s := incident(incidents.ID(i+1), "x")
		s.Customer = customer
		w.room(s)
	}
	var got []string
	for _, r := range w.fake.Rooms() {
		got = append(got, strings.TrimSpace(strings.TrimPrefix(strings.Join(r.Members, " "), fake.BotUser)))
	}
	if all := strings.Join(got, "|"); all != "U1 U2|U2||U1" {
		t.Errorf("in the rooms: %s", all)
	}
}

func TestOneWhoCannotComeKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config, _ *fake.Options) { c.Invite = []string{"UGONE", "U1", "SGONE", "U2"} })
	w.room(incident(7, "x"))
	if people := strings.Join(w.fake.Rooms()[0].Members, " "); people != fake.BotUser+" U1 U2" {
		t.Errorf("in the room: %s", people)
	}
}
