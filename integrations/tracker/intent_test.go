package tracker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// shelf is a store's settings.
type shelf map[string]incidents.Document

func (m shelf) Setting(_ context.Context, name string) (incidents.Document, error) {
	return m[name], nil
}

func (m shelf) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	if len(body) > incidents.MaxSetting {
		return incidents.Fail(incidents.TooLarge, "error.setting", "too large")
	}
	if m[name].Version != expect {
		return incidents.ErrConflict
	}
	m[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errBusy = errors.New("another replica is at it")
)

func newIntents(docs shelf, now *time.Time) *Intents {
	return &Intents{Name: "x", Settings: docs, Now: func() time.Time { return *now }, Busy: errBusy, Was: func(marker string) string { return "old/" + marker }}
}

// However many tickets there ever were: the store keeps a bounded number of
// intents, and of those that may still matter every one, until nobody can ask.
func TestIntentsAreBounded(t *testing.T) {
	t.Parallel()
	now, docs := noon, shelf{}
	all := newIntents(docs, &now)
	home := all.drawer("m0")
	open := []*Intent{
		{Marker: "unknown end", At: noon}, {Marker: "a twin to close", At: noon, Key: "OPS-1", Close: []string{"OPS-2"}},
		{Marker: "to be linked", At: noon, Key: "OPS-3", Link: "OPS-1"}, {Marker: "not looked for twins yet", At: noon, Key: "OPS-4", Tries: 2},
	}
	for _, in := range open {
		for all.drawer(in.Marker) != home {
			in.Marker += "." // so that all are in one drawer
		}
		if err := all.Note(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	const tickets = maxDrawer + 20
	done := make([]string, 0, tickets)
	for n := 0; len(done) < tickets; n++ {
		if m := fmt.Sprint("m", n); all.drawer(m) == home {
			done = append(done, m)
		}
	}
	for n, m := range done {
		now = now.Add(time.Second)
		if err := all.Note(t.Context(), &Intent{Marker: m, Key: fmt.Sprint("OPS-", n+10), At: now, Tries: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if size := len(docs[home].Body); len(docs) != 1 || size > (maxDrawer+len(open))*300 || size > incidents.MaxSetting/2 {
		t.Errorf("%d bytes, %d documents", size, len(docs))
	}
	knows := func(marker string) bool {
		in, err := all.Find(t.Context(), marker)
		if err != nil {
			t.Fatal(err)
		}
		return in.Rev > 0
	}
	for _, in := range open {
		if !knows(in.Marker) {
			t.Errorf("%s was dropped", in.Marker)
		}
	}
	for n, m := range done {
		if knows(m) != (n >= tickets-maxDrawer) {
			t.Errorf("%d of %d, the oldest first: kept is %v", n, tickets, knows(m))
		}
	}
}

// What was noted by somebody else meanwhile is not written over.
func TestTwoReplicasNote(t *testing.T) {
	t.Parallel()
	now := noon
	all := newIntents(shelf{"old/m1": {Version: 3, Body: []byte(`{"marker":"m1","tries":1,"key":""}`)}}, &now)
	for _, marker := range []string{"m0", "m1"} { // the second is one that the release before noted
		if marker == "m0" {
			if err := all.Note(t.Context(), &Intent{Marker: marker, At: noon, Tries: 1}); err != nil {
				t.Fatal(err)
			}
		}
		mine, _ := all.Find(t.Context(), marker)
		theirs, _ := all.Find(t.Context(), marker)
		if mine.Rev != 1 || mine.Tries != 1 {
			t.Errorf("%+v", mine)
		}
		theirs.Key = "OPS-9"
		if err := all.Note(t.Context(), theirs); err != nil {
			t.Fatal(err)
		}
		if err := all.Note(t.Context(), mine); !errors.Is(err, errBusy) {
			t.Errorf("two replicas noted different things about %s: %v", marker, err)
		}
		if now, _ := all.Find(t.Context(), marker); now.Key != "OPS-9" || now.Rev != 2 {
			t.Errorf("%+v", now)
		}
	}
}

// What was refused, and second attempts of which nobody asked again, do not fill a
// drawer. What is open does: nothing of it is dropped, and the one that does not fit
// any more waits, and is not taken for refused by the tracker.
func TestADrawerIsNeverFullOfWhatIsOver(t *testing.T) {
	t.Parallel()
	now := noon
	all := newIntents(shelf{}, &now)
	home, n := all.drawer("m0"), 0
	fill := func(most int, in Intent) error {
		for i := 0; i < most; n++ {
			if in.Marker = fmt.Sprint("m", n); all.drawer(in.Marker) != home {
				continue
			}
			i++
			in.At, in.Rev, in.Twins = now, 0, []string{strings.Repeat("x", 1000)} // so that few fill it
			if err := all.Note(t.Context(), &in); err != nil {
				return err
			}
		}
		return nil
	}
	const tooMany = 90
	for range 3 {
		now = now.Add(3 * 24 * time.Hour)
		if err := fill(tooMany/3, Intent{Tries: 1, Clear: true}); err != nil {
			t.Fatal("refused ones:", err)
		}
		if err := fill(tooMany/3, Intent{Tries: 2, Key: "OPS-1"}); err != nil {
			t.Fatal("second attempts:", err)
		}
	}
	now = now.Add(3 * 24 * time.Hour)
	err := fill(tooMany, Intent{Tries: 1})
	if later, ok := errors.AsType[*incidents.Later](err); !ok || !later.Alone || refused(err) {
		t.Errorf("a full drawer: %v", err)
	}
	_, kept, _, err := all.open(t.Context(), "m0")
	if err != nil || slices.ContainsFunc(kept, func(in Intent) bool { return in.over(now) }) || len(kept) < 50 {
		t.Errorf("%d are kept, %v", len(kept), err)
	}
}
