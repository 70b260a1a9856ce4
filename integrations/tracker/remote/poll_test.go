package remote_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// reader is a tracker with many tickets, some of which cannot be read.
type reader struct {
	all []remote.Stub
	ill map[string]bool
}

func (*reader) Me(context.Context) (remote.Account, error) { return remote.Account{ID: "1"}, nil }

func (r *reader) Changed(_ context.Context, since time.Time) ([]remote.Stub, error) {
	var found []remote.Stub
	for _, s := range r.all {
		if !s.Updated.Before(since) && len(found) < remote.MaxChanged {
			found = append(found, s)
		}
	}
	return found, nil
}

func (r *reader) Look(_ context.Context, key string) (*remote.Look, error) {
	for _, s := range r.all {
		if s.Key == key && !r.ill[key] {
			return &remote.Look{Key: key, State: bot.TicketDone, Word: "done", Updated: s.Updated, Entries: []remote.Entry{
				{ID: "e", At: s.Updated, By: remote.Account{ID: "2"}, Fields: []tracker.Field{tracker.Status}},
			}}, nil
		}
	}
	return nil, errors.New("internal server error")
}

// watched is a Watch over r whose clock moves a minute with every poll, and how
// often each ticket was heard.
func watched(t *testing.T, r *reader) (poll func(), heard map[string]int) {
	now, to := noon, &listener{}
	w := &remote.Watch{
		Config: &remote.Config{Name: "x"}, Reader: r, Once: &remote.Once{}, Settings: &memory{docs: map[string]incidents.Document{}},
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	heard = map[string]int{}
	return func() {
		t.Helper()
		if err := w.Poll(t.Context(), to); err != nil {
			t.Fatal(err)
		}
		for _, c := range to.all {
			heard[c.Key]++
		}
		to.all, now = nil, now.Add(time.Minute)
	}, heard
}

// However many tickets change, in minutes or at once, each is heard, once, and
// so is what changes afterwards.
func TestAStormOfChangesIsHeard(t *testing.T) {
	t.Parallel()
	for _, storm := range []struct {
		tickets int
		apart   time.Duration
	}{{300, time.Second}, {300, 0}, {2500, 200 * time.Millisecond}} {
		r := &reader{}
		poll, heard := watched(t, r)
		poll()
		for i := range storm.tickets {
			r.all = append(r.all, remote.Stub{Key: fmt.Sprint("#", i+1), Updated: noon.Add(time.Minute + time.Duration(i)*storm.apart)})
		}
		for range 9 { // the storm goes on
			poll()
		}
		r.all = append(r.all, remote.Stub{Key: "#later", Updated: noon.Add(10 * time.Minute)})
		for range 12 {
			poll()
		}
		for _, s := range r.all {
			if heard[s.Key] != 1 {
				t.Fatalf("%d tickets, %s apart: %s was heard %d times", storm.tickets, storm.apart, s.Key, heard[s.Key])
			}
		}
	}
}

// A ticket that cannot be read keeps nobody from the others, and is heard when
// it can.
func TestABadTicketBlocksNobody(t *testing.T) {
	t.Parallel()
	r := &reader{ill: map[string]bool{"#1": true}}
	poll, heard := watched(t, r)
	poll()
	for i := range 3 {
		r.all = append(r.all, remote.Stub{Key: fmt.Sprint("#", i+1), Updated: noon.Add(time.Second * time.Duration(i+1))})
	}
	for range 30 { // until it is out of the search
		poll()
	}
	if heard["#1"] != 0 || heard["#2"] != 1 || heard["#3"] != 1 {
		t.Error(heard)
	}
	r.ill = nil
	for range 61 {
		poll()
	}
	if heard["#1"] != 1 || heard["#2"] != 1 {
		t.Error(heard)
	}
}
