package discord

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
)

// unreachable is a Discord that nothing reaches.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no route to host")
}

// So much is under way at once and no more, and the end does not wait for
// answers that never arrive.
func TestTheEndBoundsWhatIsPromised(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config := Config{App: fake.App, Guild: fake.Guild, Language: "en"}
		d := &desk{reply: replied, hold: make(chan struct{})}
		in := NewInbox(InboxOptions{
			Config: config, Desk: d, Talk: d, Rooms: chat.NewDirectory(&contract.Settings{}, Chat), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
			Client: NewClient(ClientOptions{Config: config, Pace: limit.New(limit.Options{}), Transport: unreachable{}, Now: time.Now}),
		})
		took := func(n int) int {
			i := &interaction{ID: strconv.Itoa(n), App: fake.App, Type: kindComponent, Guild: fake.Guild, Channel: "500000000000000009", Member: &member{}}
			i.Member.User.ID, i.Data.ID = bea.ID, "h1.16.ack.."
			return in.Take(t.Context(), i).Type
		}
		for n := range maxAnswers {
			if got := took(n); got != answerLater {
				t.Fatalf("the %dth: %d", n+1, got)
			}
		}
		if got := took(maxAnswers); got != answerMessage {
			t.Errorf("one too many: %d", got)
		}
		close(d.hold)
		began := time.Now()
		in.Wait()
		if took := time.Since(began); took > drainTime {
			t.Errorf("the end took %s", took)
		}
		synctest.Wait() // what is given up ends
		if got := took(100); got == answerLater || len(d.once) != maxAnswers {
			t.Errorf("after the end: %d, %d were carried out", got, len(d.once))
		}
	})
}

func TestRunsAndBadNewsGoFirst(t *testing.T) {
	t.Parallel()
	for want, all := range map[limit.Lane][]bot.Message{
		limit.Urgent: {{Kind: bot.KindApproval}, {Kind: bot.KindCard}, {Kind: bot.KindRun}, {Kind: bot.KindLine, Tone: bot.ToneBad}},
		limit.Normal: {{Kind: bot.KindLine}, {Kind: bot.KindSaid}},
		limit.Idle:   {{Kind: bot.KindDiagnostics}, {Kind: bot.KindSuggestions}},
	} {
		for _, m := range all {
			if got := lane(&m); got != want {
				t.Errorf("%s, %s: %d, want %d", m.Kind, m.Tone, got, want)
			}
		}
	}
}

func TestReplaysAreForgotten(t *testing.T) {
	t.Parallel()
	r := replays{}
	if !r.first("a", someDay) || r.first("a", someDay) {
		t.Error("a replay is not known")
	}
	r.forget("a")
	if !r.first("a", someDay) {
		t.Error("what was not worked on may not come again")
	}
	for n := range maxReplays {
		r.seen[sha256.Sum256([]byte(strconv.Itoa(n)))] = someDay
	}
	if !r.first("b", someDay) || len(r.seen) > maxReplays {
		t.Errorf("%d are remembered", len(r.seen))
	}
}

// What there is no place for may come again, signed as it was.
func TestTooMuchOverHTTPComesAgain(t *testing.T) {
	t.Parallel()
	x := newInbox(t)
	for range maxAnswers {
		x.works.heard <- struct{}{}
	}
	i := x.Press(bea, x.room.ID, "1", "h1.16.ack..")
	stamp, signature := x.Sign(time.Now(), i.Body)
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
		if err := x.DeliverSigned(t.Context(), x.url, i, stamp, signature); err != nil || i.Status != want {
			t.Errorf("%v %d, want %d", err, i.Status, want)
		}
		<-x.works.heard
	}
	if len(x.desk.once) != 1 {
		t.Errorf("%v", x.desk.once)
	}
}
