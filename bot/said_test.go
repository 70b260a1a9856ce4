package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var eve = incidents.Actor{ID: "slack:T1/U1", Name: "eve"}

func slackSaid(id, text string) incidents.Said {
	return incidents.Said{Chat: "slack", MessageID: id, By: eve, Text: text}
}

func (a *tale) mustSync(c *fakeChat) {
	a.t.Helper()
	if err := a.sync(c); err != nil {
		a.t.Fatal(err)
	}
}

func TestWhatIsSaidElsewhereIsShownAndFollowed(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	a.mustSync(c)
	said := slackSaid("1", "it is <the> pool\x1b[31m @everyone")
	a.do(time.Second, said).mustSync(c)
	m := c.text[said.Key()].In("en")
	if m.Kind != KindSaid || m.By != "eve" || m.Text != "it is <the> pool @everyone" || m.Title != "in slack" || m.Chat != "slack" {
		t.Fatalf("%+v", m)
	}
	room := "inc-0042-higherrorrate-checkout"
	keys := slices.Clone(c.rooms[room])
	said.Text, said.Edited = "it is the cache", true
	a.do(time.Second, said).mustSync(c)
	if m := c.text[said.Key()].In("ja"); m.Text != "it is the cache" || !strings.Contains(m.Title, "編集済み") {
		t.Errorf("edited: %+v", m)
	}
	said = incidents.Said{Chat: said.Chat, MessageID: said.MessageID, Deleted: true} // whose it was, a chat may not tell
	a.do(time.Second, said).mustSync(c)
	if m := c.text[said.Key()].In("en"); m.Text != "(deleted)" || m.By != "" {
		t.Errorf("deleted: %+v", m)
	}
	if !slices.Equal(c.rooms[room], keys) {
		t.Errorf("posted anew: %v", c.rooms[room])
	}
	calls := c.calls
	a.do(time.Second, incidents.Said{Chat: "console", MessageID: "9", By: bea, Text: "said here"}).mustSync(c)
	gone := slackSaid("2", "")
	gone.Deleted = true
	a.do(time.Second, gone).mustSync(c) // taken back before it was shown
	if c.calls != calls {
		t.Errorf("%d calls for what must not be shown", c.calls-calls)
	}
}

// A room that was away gets the latest of what was said, told once even where
// the attempt dies in the middle.
func TestARoomThatWasAwayGetsTheLatestOfWhatWasSaid(t *testing.T) {
	t.Parallel()
	for die := range 30 {
		a, c := opened(t), newFakeChat()
		a.mustSync(c)
		for i := range 2 * maxMissedSaid {
			a.do(time.Second, slackSaid(fmt.Sprint(i), fmt.Sprint("message ", i)))
		}
		c.dieAt = c.calls + 1 + die
		for a.sync(c) != nil {
		}
		a.mustSync(c)
		var shown []string
		for _, key := range c.rooms["inc-0042-higherrorrate-checkout"] {
			if strings.HasPrefix(key, saidPrefix) {
				shown = append(shown, c.text[key].In("en").Text)
			}
		}
		if len(shown) != maxMissedSaid || shown[0] != "message 20" || shown[19] != "message 39" {
			t.Fatalf("died at %d: %q", die, shown)
		}
		if title := c.text[slackSaid("20", "").Key()].In("en").Title; title != "in slack · 20 earlier messages are not repeated here" {
			t.Errorf("died at %d: %q", die, title)
		}
	}
}

func TestARoomRemembersFewOfThem(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	for i := range maxKeptSaid + 10 {
		a.do(time.Second, slackSaid(fmt.Sprint(i), "x")).mustSync(c)
	}
	n := 0
	for key := range a.s.Rooms["console"].Posted {
		if strings.HasPrefix(key, saidPrefix) {
			n++
		}
	}
	if n != maxKeptSaid {
		t.Errorf("%d are remembered", n)
	}
	calls := c.calls
	old := slackSaid("3", "edited too late")
	old.Edited = true
	a.do(time.Second, old).mustSync(c)
	if c.calls != calls {
		t.Error("a message that is forgotten was posted once more")
	}
}

func TestTheCardSaysThatTheChatWasBehind(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	a.mustSync(c)
	for i := range 12 {
		a.do(time.Second, incidents.Note{By: bea, Text: fmt.Sprint("note ", i)})
	}
	a.do(0, incidents.Ack{By: bea})
	a.now = a.now.Add(29 * time.Second)
	a.mustSync(c)
	late := func() string {
		for _, f := range c.text["card"].In("en").Fields {
			if f.Name == "This chat" {
				return f.Value
			}
		}
		return ""
	}
	if got := late(); !strings.HasPrefix(got, "console was 40 s behind at ") || !strings.HasSuffix(got, ": 13 updates came at once") {
		t.Errorf("%q", got)
	}
	calls := c.calls
	a.mustSync(c)
	if got := late(); got != "" || c.calls != calls+1 {
		t.Errorf("still %q after %d calls", got, c.calls-calls)
	}
}

// An hour away: everything is there in one go, folded, and nothing twice.
func TestAnHourAway(t *testing.T) {
	t.Parallel()
	a, c := opened(t), newFakeChat()
	c.dieAt = 1
	if a.sync(c) == nil {
		t.Fatal("the chat is not away")
	}
	for i := range 60 {
		a.do(time.Minute, incidents.Note{By: cho, Text: fmt.Sprint("minute ", i)})
	}
	a.mustSync(c)
	keys := c.rooms["inc-0042-higherrorrate-checkout"]
	lines := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, "ev-") })
	if len(lines) != 1 || c.created != 1 || c.text["card"].In("en").Fields == nil {
		t.Errorf("after an hour: %v", keys)
	}
	calls := c.calls
	a.mustSync(c)
	if c.calls > calls+1 { // the card no longer says that it was behind
		t.Errorf("%d more calls", c.calls-calls)
	}
}
