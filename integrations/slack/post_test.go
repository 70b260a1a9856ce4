package slack

import (
	"errors"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

func asError(t *testing.T, err error) *incidents.Error {
	t.Helper()
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok {
		t.Fatalf("no words for people in %v", err)
	}
	return e
}

func card(text string) bot.LocalMessage {
	m := bot.Message{Key: "card", Kind: bot.KindCard, Pinned: true, Tone: bot.ToneBad, Title: "INC-7 x", Text: text}
	return bot.LocalMessage{"en": m, "ja": m}
}

func TestAMessageIsPostedOnceEditedInPlaceAndPinnedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	first, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Post(t.Context(), r, "card", card("two"), first)
	if err != nil || second.ID != first.ID {
		t.Fatalf("%+v %v", second, err)
	}
	got := w.fake.Rooms()[0]
	if len(got.Messages) != 1 || got.Messages[0].Edits != 1 || !strings.Contains(got.Messages[0].Blocks, "two") || len(got.Pins) != 1 {
		t.Errorf("%+v", got)
	}
	if calls := w.fake.Calls(); calls["pins.add"] != 1 || calls["conversations.history"] != 0 {
		t.Errorf("calls %v: a new room needs no search", calls)
	}
}

// A pin that never got an answer is tried again with its message, and a refusal
// of it keeps nobody from the room.
func TestAPinIsTriedAgainUntilSlackAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	w.fake.Lie("pins.add", fake.FailBefore)
	first, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{})
	if err == nil || first.ID != "" {
		t.Fatalf("%+v %v: nobody would pin it any more", first, err)
	}
	second, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{})
	if got := w.fake.Rooms()[0]; err != nil || second.ID == "" || len(got.Messages) != 1 || len(got.Pins) != 1 {
		t.Errorf("%+v %v: %+v", second, err, got)
	}
}

// A message that was posted by a process that died is found by the next one.
func TestTheNextProcessFindsWhatTheLastOnePosted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := incident(7, "x")
	r := w.room(s)
	first, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	next := w.replica(w.config)
	again, err := next.OpenRoom(t.Context(), s)
	if err != nil || again.ID != r.ID {
		t.Fatalf("%+v %v", again, err)
	}
	second, err := next.Post(t.Context(), again, "card", card("two"), incidents.Posted{})
	if err != nil || second != first {
		t.Fatalf("%+v, want %+v: %v", second, first, err)
	}
	if got := w.fake.Rooms()[0]; len(got.Messages) != 1 || len(got.Pins) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLiesAboutPostingLeaveOneMessage(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]fake.Lie{
		"500 before": fake.FailBefore, "500 after": fake.FailAfter, "hung up after": fake.HangUpAfter, "a page after": fake.HTMLAfter,
		"half an answer": fake.Garbage, "64 MB": fake.Huge, "an empty refusal": fake.Refuse(""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.room(incident(7, "x"))
			w.fake.Lie("chat.postMessage", lie)
			posted, err := w.Post(t.Context(), r, "ev-1", say("hello"), incidents.Posted{})
			if err != nil { // nobody knows: it is tried again
				if posted, err = w.Post(t.Context(), r, "ev-1", say("hello"), incidents.Posted{}); err != nil {
					t.Fatal(err)
				}
			}
			got := w.fake.Rooms()[0].Messages
			if len(got) != 1 || got[0].TS != posted.ID || got[0].Key != "ev-1" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRetryAfterInWhateverFormClosesTheWindow(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"1", "0.5", "-3", "", "soon", "3600", "999999999999", "Wed, 21 Oct 2015 07:28:00 GMT"} {
		w := newWorld(t)
		r := w.room(incident(7, "x"))
		w.fake.Lie("chat.postMessage", fake.TooMany(after))
		_, err := w.Post(t.Context(), r, "ev-1", say("hello"), incidents.Posted{})
		later, ok := errors.AsType[*incidents.Later](err)
		if !ok || later.After <= 0 || incidents.CodeOf(err) != incidents.Overloaded {
			t.Errorf("Retry-After %q: %v", after, err)
		}
	}
}

func TestARoomThatWasTakenAwayIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	w.fake.Archive(r.ID)
	_, err := w.Post(t.Context(), r, "ev-1", say("hello"), incidents.Posted{})
	if incidents.CodeOf(err) != incidents.NotFound {
		t.Fatalf("%v", err)
	}
	if text := bot.ErrorText("en", asError(t, err)); !strings.Contains(text, "archived") {
		t.Errorf("%q", text)
	}
}

func TestADeletedMessageIsPostedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	got, err := w.Post(t.Context(), r, "card", card("one"), incidents.Posted{ID: "1.000001"})
	if err != nil || got.ID == "1.000001" || len(w.fake.Rooms()[0].Messages) != 1 {
		t.Errorf("%+v %v", got, err)
	}
}

// What a run says meanwhile is not posted anew each time where its message was deleted.
func TestADeletedLiveMessageStaysDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	m := bot.Message{Key: "run-1", Kind: bot.KindRun, Live: true, Title: "Restart"}
	_, err := w.Post(t.Context(), r, "run-1", bot.LocalMessage{"en": m}, incidents.Posted{ID: "1.000001"})
	if n := len(w.fake.Rooms()[0].Messages); !errors.Is(err, bot.ErrGone) || n != 0 {
		t.Errorf("%d messages, %v", n, err)
	}
}

func TestLongOutputGoesIntoTheThreadOnce(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"reply": 5000, "file": 40_000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.room(incident(7, "x"))
			m := bot.Message{Key: "run-1", Kind: bot.KindRun, Title: "Restart", Code: []bot.Code{{Label: "log", Text: strings.Repeat("<!channel> 決済 ", size/14)}}}
			local := bot.LocalMessage{"en": m, "ja": m}
			first, err := w.Post(t.Context(), r, "run-1", local, incidents.Posted{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Post(t.Context(), r, "run-1", local, first); err != nil {
				t.Fatal(err)
			}
			got := w.fake.Rooms()[0].Messages
			if len(got) != 2 || got[1].Thread != first.ID {
				t.Fatalf("%+v", got)
			}
			if name == "file" && (got[1].File == "" || !strings.Contains(got[1].Text, m.Code[0].Text[:30000])) {
				t.Errorf("the file has %d bytes", len(got[1].Text))
			}
		})
	}
}

// What a run says while it goes is shown in its message, gives way to everything
// else, and leaves nothing in the thread.
func TestLiveOutputGivesWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.room(incident(7, "x"))
	m := bot.Message{Key: "run-1", Kind: bot.KindRun, Live: true, Title: "Restart", Code: []bot.Code{{Label: "says", Text: strings.Repeat("<!channel> *x*\n", 66)}}}
	first, err := w.Post(t.Context(), r, "run-1", bot.LocalMessage{"en": m}, incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	m.Code[0].Text += "more\n"
	if _, err := w.Post(t.Context(), r, "run-1", bot.LocalMessage{"en": m}, first); err != nil {
		t.Fatal(err)
	}
	if got := w.fake.Rooms()[0].Messages; len(got) != 1 || got[0].Edits != 1 || !strings.Contains(got[0].Blocks, "more") || laneOf(m) != limit.Idle {
		t.Errorf("%+v", got)
	}
}
