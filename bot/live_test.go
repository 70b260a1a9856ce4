package bot

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// liveWorld is a run that goes on in a room, in a bubble of time of its own.
type liveWorld struct {
	*fakeChat
	*tale
	live *Live

	mu    sync.Mutex
	now   incidents.Progress
	more  chan struct{}
	away  error
	takes time.Duration // an edit of the chat
	fails error         // each edit
	bad   bool          // each edit panics
	loads int
}

func newLiveWorld(t *testing.T) *liveWorld {
	w := &liveWorld{fakeChat: newFakeChat(), tale: running(t), more: make(chan struct{})}
	if err := w.sync(w.fakeChat); err != nil {
		t.Fatal(err)
	}
	w.live = NewLive(LiveOptions{Incidents: w, Posters: map[string]Poster{"console": w}, Now: nowOf(w.tale), Logger: slog.New(slog.DiscardHandler)})
	w.edits = 0
	return w
}

func (w *liveWorld) Load(context.Context, incidents.ID) (*incidents.Incident, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loads++
	return w.s, w.away
}

func (w *liveWorld) Post(ctx context.Context, room incidents.Room, key string, m LocalMessage, previous incidents.Posted) (incidents.Posted, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	time.Sleep(w.takes)
	if ctx.Err() != nil {
		return previous, ctx.Err()
	}
	if w.bad {
		w.edits++
		panic("what it says")
	}
	if w.fails != nil {
		w.edits++
		return previous, w.fails
	}
	return w.fakeChat.Post(ctx, room, key, m, previous)
}

func (w *liveWorld) look() (incidents.Progress, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now, w.more
}

// change makes a change that who follows sees.
func (w *liveWorld) change(how func()) {
	w.mu.Lock()
	how()
	w.mu.Unlock()
	synctest.Wait()
}

// says is one more line of the step under way.
func (w *liveWorld) says(line string) {
	w.change(func() {
		w.now.Step, w.now.Output = "go", w.now.Output+line+"\n"
		close(w.more)
		w.more = make(chan struct{})
	})
}

// begin follows the run; over ends it.
func (w *liveWorld) begin() (over func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		w.live.Follow(ctx, w.s.Runs[0].Plan, w.s.Runs[0].ID, w.look)
		close(done)
	}()
	synctest.Wait()
	return func() { cancel(); <-done }
}

func (w *liveWorld) pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

func (w *liveWorld) shown() string {
	m := w.text["run-1"].In("en")
	if len(m.Code) == 0 {
		return ""
	}
	return m.Code[len(m.Code)-1].Text
}

// What a run says is shown in its message, taken together over a pause, and the
// next sync puts the run's outcome in its place.
func TestLiveOutputIsShownAndReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		before := w.s.Version
		over := w.begin()
		for range 100 {
			w.says("a line")
		}
		w.says("the last line")
		w.pass(liveEvery)
		if m := w.text["run-1"].In("ja"); w.edits != 1 || !strings.HasSuffix(w.shown(), "the last line\n") || !m.Live || !strings.Contains(m.Text, "手順 1/1") {
			t.Errorf("%d edits, %q: %+v", w.edits, w.shown(), m)
		}
		w.pass(time.Hour)
		if w.edits != 1 {
			t.Errorf("%d edits, and nothing was said", w.edits)
		}
		w.says("more")
		w.pass(liveEvery)
		w.says("nobody saw this")
		over()
		if w.edits != 2 || w.s.Version != before {
			t.Errorf("%d edits, %d events", w.edits, w.s.Version-before)
		}
		w.do(time.Second, incidents.FinishRun{Run: "INC-42/1", Owner: "w1", Steps: []incidents.StepResult{{Step: "go", OK: true, Value: "exit 0", Output: "the end"}}})
		if err := w.sync(w.fakeChat); err != nil || w.text["run-1"].In("en").Live || w.shown() != "" {
			t.Errorf("%v: %q", err, w.shown())
		}
	})
}

// Nothing is shown of a run of which somebody else has said that nobody knows what
// became of it, where its message does not stand, or where the store is away; and
// what could not be shown is shown later.
func TestLiveOutputStaysOutOfTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		over := w.begin()
		w.change(func() { w.away = errors.New("away") })
		w.says("a line")
		w.pass(10 * liveEvery)
		if w.edits != 0 {
			t.Error("edited without knowing how the run stands")
		}
		w.change(func() { w.away = nil })
		w.pass(2 * liveEvery)
		if w.edits != 1 {
			t.Errorf("%d edits after the store came back", w.edits)
		}
		w.change(func() { w.do(0, incidents.LoseRun{Run: "INC-42/1"}) })
		w.says("what a slow owner says")
		w.pass(10 * liveEvery)
		over()
		if w.edits != 1 {
			t.Error("a run that was given up was shown as running")
		}
	})
}

// A chat that hangs delays the run's end by one bounded edit.
func TestAHangingChatHoldsNoRunUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		w.takes = time.Second
		over := w.begin()
		w.says("a line")
		w.pass(liveEvery)
		began := time.Now()
		over()
		if w.edits != 1 || time.Since(began) != w.takes {
			t.Errorf("%d edits in %s: one that has begun must end before the run does", w.edits, time.Since(began))
		}
	})
}

// A run whose message was deleted is not shown any more until it is over.
func TestADeletedMessageIsLeftToTheSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		w.fails = ErrGone
		over := w.begin()
		for range 5 {
			w.says("a line")
			w.pass(2 * liveEvery)
		}
		over()
		if w.edits != 1 {
			t.Errorf("%d edits of a message that was deleted", w.edits)
		}
	})
}

// A chat that panics over what a run says takes neither the process nor the turn of the
// next run with it.
func TestAPanicOverOutputIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		w.bad = true
		for range 2 {
			over := w.begin()
			w.says("a line")
			w.pass(2 * liveEvery)
			over()
		}
		if w.edits != 2 {
			t.Errorf("%d edits", w.edits)
		}
	})
}

// An edit that the chat has not answered may be made after the outcome's: the outcome is
// sent once more, and only then.
func TestAnUnansweredEditIsPutRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			fails error
			again int
		}{
			"no answer":       {context.DeadlineExceeded, 1},
			"its own limit":   {incidents.Fail(incidents.Overloaded, "error.chat_limit", "busy"), 0},
			"it was answered": {nil, 0},
		} {
			w := newLiveWorld(t)
			w.fails = c.fails
			over := w.begin()
			w.says("a line")
			w.pass(liveEvery)
			over()
			var right string
			w.change(func() {
				w.fails = nil
				w.do(time.Second, incidents.FinishRun{Run: "INC-42/1", Owner: "w1", Steps: []incidents.StepResult{{Step: "go", OK: true, Value: "exit 0", Output: "the end"}}})
				if err := w.sync(w.fakeChat); err != nil {
					t.Error(err)
				}
				right = w.text["run-1"].hash()
				w.text["run-1"] = LocalMessage{"en": {Text: "it runs"}} // the chat makes the edit now
				w.edits = 0
			})
			w.pass(rightAfter)
			if w.edits != c.again || c.again > 0 && w.text["run-1"].hash() != right {
				t.Errorf("%s: %d edits: %+v", name, w.edits, w.text["run-1"].In("en"))
			}
			w.pass(time.Hour)
			if w.edits != c.again {
				t.Errorf("%s: %d edits", name, w.edits)
			}
		}
	})
}

// While the outcome is not told yet, or the chat is away, putting it right waits, and ends.
func TestPuttingRightWaitsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		w.fails = context.DeadlineExceeded
		over := w.begin()
		w.says("a line")
		w.pass(liveEvery)
		over()
		w.edits = 0
		w.pass(2 * rightAfter)
		if w.edits != 0 {
			t.Errorf("%d edits of a run that goes on", w.edits)
		}
		w.change(func() {
			w.do(time.Second, incidents.FinishRun{Run: "INC-42/1", Owner: "w1", Steps: []incidents.StepResult{{Step: "go", OK: true}}})
		})
		w.pass(24 * time.Hour)
		if w.edits != rightTries-1 {
			t.Errorf("%d edits while the chat was away", w.edits)
		}
	})
}

// Putting right waits for the chat's turn, and is left when the app stops.
func TestPuttingRightTakesTurnsAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		app, stop := context.WithCancel(t.Context())
		w.live.app, w.fails = app, context.DeadlineExceeded
		over := w.begin()
		w.says("a line")
		w.pass(liveEvery)
		over()
		c := w.live.chats["console"]
		w.pass(liveEvery)
		w.change(func() {
			w.do(time.Second, incidents.FinishRun{Run: "INC-42/1", Owner: "w1", Steps: []incidents.StepResult{{Step: "go", OK: true}}})
			w.edits = 0
		})
		c.turn <- struct{}{}
		w.pass(rightAfter)
		if w.edits != 0 {
			t.Errorf("%d edits in another's turn", w.edits)
		}
		<-c.turn
		w.pass(rightWithin)
		if w.edits != 1 {
			t.Errorf("%d edits in its own turn", w.edits)
		}
		w.pass(liveEvery)
		stop()
		w.loads = 0
		w.pass(time.Hour)
		if w.edits != 1 || w.loads != 0 {
			t.Errorf("%d edits, and the store was asked %d times, after the app had stopped", w.edits, w.loads)
		}
	})
}

// Where a run has no message it is looked for less and less, and then no more.
func TestARunWithoutARoomIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newLiveWorld(t)
		posted := w.s.Rooms["console"].Posted
		run := posted["run-1"]
		delete(posted, "run-1")
		over := w.begin()
		for range 1000 {
			w.says("a line")
			w.pass(liveEvery)
		}
		if w.loads != liveLooks {
			t.Errorf("the store was asked %d times", w.loads)
		}
		over()
		posted["run-1"] = run
		over = w.begin()
		w.says("a line")
		w.pass(liveEvery)
		over()
		if w.edits != 1 {
			t.Errorf("%d edits of the next run", w.edits)
		}
	})
}
