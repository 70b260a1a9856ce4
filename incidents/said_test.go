package incidents

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func chatsOf(st *story) []string {
	var chats []string
	for _, e := range st.waiting {
		if e.Kind == DoSyncRoom {
			chats = append(chats, e.Arg)
		}
	}
	slices.Sort(chats)
	return chats
}

func TestWhatIsSaidIsShownElsewhereOnce(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	clear(st.waiting)
	hello := Said{Chat: "slack", MessageID: "17.1", By: eve, Text: "hello", At: minute(1)}
	if got := kinds(st.must(hello, minute(2))); len(got) != 1 || got[0] != EventSaid {
		t.Fatalf("said: %v", got)
	}
	if got := chatsOf(st); fmt.Sprint(got) != "[console]" {
		t.Errorf("shown in %v", got)
	}
	e := st.log[len(st.log)-1]
	if !e.At.Equal(minute(1)) || e.By != eve || e.Text != "hello" || !e.Said.First {
		t.Errorf("%+v", e)
	}
	if got := st.must(hello, minute(3)); len(got) != 0 {
		t.Errorf("told again: %v", kinds(got))
	}
	edited := hello
	edited.Text, edited.Edited = "hello, all", true
	if got := st.must(edited, minute(4)); len(got) != 1 || got[0].Text != "hello, all" || got[0].Said.First {
		t.Errorf("edited: %+v", got)
	}
	if got := st.must(hello, minute(5)); len(got) != 0 {
		t.Errorf("the original, redelivered after its edit: %+v", got)
	}
	gone := edited
	gone.Deleted = true
	if got := st.must(gone, minute(6)); len(got) != 1 || got[0].Text != "" || !got[0].Said.Deleted {
		t.Errorf("deleted: %+v", got)
	}
	for _, again := range []Said{hello, edited, gone} {
		if got := st.must(again, minute(7)); len(got) != 0 {
			t.Errorf("after it was deleted: %+v", got)
		}
	}
}

func TestWhatIsSaidIsBounded(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.light = true
	for i := range MaxSaid + 5 {
		st.must(Said{Chat: "slack", MessageID: fmt.Sprint(i), By: eve, Text: "x"}, minute(1))
	}
	if len(st.s.Said) != MaxSaid || st.s.Unheard != 5 {
		t.Errorf("%d kept, %d counted", len(st.s.Said), st.s.Unheard)
	}
	st.must(Pin{By: bea, Message: &Said{Chat: "slack", MessageID: "late", By: eve, Text: "the cause"}}, minute(2))
	if !st.s.Said[(Said{Chat: "slack", MessageID: "late"}).Key()].Pinned {
		t.Error("what comes late cannot be put on the timeline")
	}
	long := st.must(Said{Chat: "slack", MessageID: "1", By: eve, Text: strings.Repeat("火", 8000), Edited: true}, minute(3))
	if n := len(long[0].Text); n > MaxSaidText || n < MaxSaidText-3 {
		t.Errorf("%d bytes", n)
	}
	if _, err := st.try(Said{Chat: "slack", MessageID: "b", By: Bot, Text: "x"}, minute(3)); CodeOf(err) != Invalid {
		t.Errorf("said by the bot: %v", err)
	}
}

// Discord does not say whose message was deleted.
func TestADeletionNeedsNoAuthor(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	said := Said{Chat: "discord", MessageID: "1", By: eve, Text: "hunter2", At: minute(1), Pinned: true}
	st.must(said, minute(1))
	clear(st.waiting)
	if got := st.must(Said{Chat: "discord", MessageID: "1", Deleted: true}, minute(2)); len(got) != 1 || !got[0].Said.Deleted || got[0].Text != "" {
		t.Errorf("%+v", got)
	}
	if got := chatsOf(st); fmt.Sprint(got) != "[console slack]" {
		t.Errorf("taken back in %v", got)
	}
	if lines := timelineOf(st, EventPinned); len(lines) != 1 || lines[0].Said != "" || lines[0].Phrase.Args["by"] != eve.Name {
		t.Errorf("%+v", lines)
	}
	if got := st.must(Said{Chat: "discord", MessageID: "2", Deleted: true}, minute(3)); len(got) != 0 {
		t.Errorf("what nobody heard of: %+v", got)
	}
}

func timelineOf(st *story, kind EventKind) []Line {
	return slices.DeleteFunc(Timeline(st.s, st.log), func(l Line) bool { return l.Kind != kind })
}

func TestAPinnedMessageStandsOnTheTimelineAsItIsNow(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	said := Said{Chat: "slack", MessageID: "1", By: eve, Text: "restart it", At: minute(1)}
	st.must(said, minute(1))
	if got := timelineOf(st, EventSaid); len(got) != 0 {
		t.Errorf("mere talk is on the timeline: %+v", got)
	}
	pin := Pin{By: bea, Key: said.Key()} // on its copy in another room
	st.must(pin, minute(30))
	if got := st.must(pin, minute(31)); len(got) != 0 {
		t.Errorf("pinned twice: %+v", got)
	}
	said.Text, said.Edited = "restart the pool", true
	st.must(said, minute(32))
	lines := timelineOf(st, EventPinned)
	if len(lines) != 1 || lines[0].Said != "restart the pool" || !lines[0].At.Equal(minute(1)) || lines[0].By != eve || lines[0].Phrase.Args["who"] != "bea" {
		t.Fatalf("%+v", lines)
	}
	pin.Off = true
	st.must(pin, minute(33))
	if lines := timelineOf(st, EventPinned); len(lines) != 0 {
		t.Errorf("taken off: %+v", lines)
	}
	pin.Off = false
	st.must(pin, minute(34))
	said.Deleted = true
	st.must(said, minute(35))
	if lines := timelineOf(st, EventPinned); len(lines) != 1 || lines[0].Said != "" || lines[0].Phrase.Phrase != "timeline.pinned.deleted" {
		t.Errorf("deleted: %+v", lines)
	}
	if got := st.must(Pin{By: bea, Key: "said-unknown"}, minute(36)); len(got) != 0 {
		t.Errorf("what nobody said: %+v", got)
	}
}
