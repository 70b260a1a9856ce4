package remote_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

// plug pulls the plug at the n-th thing that leaves the process, before or
// after it happened there.
type plug struct {
	n, at int
	after bool
}

type died struct{}

func (p *plug) pull(do func()) {
	p.n++
	if p.n == p.at && !p.after {
		panic(died{})
	}
	do()
	if p.n == p.at {
		panic(died{})
	}
}

type pluggedStore struct {
	*memory
	p *plug
}

func (s pluggedStore) Setting(ctx context.Context, name string) (doc incidents.Document, err error) {
	s.p.pull(func() { doc, err = s.memory.Setting(ctx, name) })
	return doc, err
}

func (s pluggedStore) PutSetting(ctx context.Context, name string, expect int64, body []byte) (err error) {
	s.p.pull(func() { err = s.memory.PutSetting(ctx, name, expect, body) })
	return err
}

type pluggedWire struct {
	next http.RoundTripper
	p    *plug
}

func (w pluggedWire) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	w.p.pull(func() { resp, err = w.next.RoundTrip(r) })
	return resp, err
}

// lives opens the ticket in a process that dies at the plug, then in one that
// lives; it says whether the first one died.
func (h *house) lives(p *plug, ticket bot.Ticket) (ref tracker.Ref, dead bool) {
	h.t.Helper()
	k, err := h.make(pluggedStore{h.store, p}, pluggedWire{h.fake(), p}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	func() {
		defer func() {
			if v := recover(); v != nil {
				if _, dead = v.(died); !dead {
					panic(v)
				}
			}
		}()
		ref = h.open(k, ticket)
	}()
	if dead {
		h.wait(30 * time.Second) // its lease
		ref = h.open(h.another(nil), ticket)
	}
	return ref, dead
}

// Whatever the tracker does at the creation, and wherever the process is killed
// around it, with an index that lags by a minute: exactly one ticket.
func TestExactlyOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for n, lie := range append([]lies.Lie{""}, lies.Unclear...) {
			killed, lag := 0, time.Duration(n%2)*time.Minute
			for at := 1; at <= 12; at++ { // afterwards it goes on looking the same way
				dead := false
				for _, after := range []bool{false, true} {
					h := newHouse(t, sys, lag)
					if lie != "" {
						h.fake().Tell(lie, 1, "POST", sys.creates, "7")
					}
					ref, died := h.lives(&plug{at: at, after: after}, quiet("hikeshi-inc-42-bbbbbbbbbbbb"))
					if n := len(h.tickets()); n != 1 || ref.Key != sys.first {
						t.Errorf("%s, lag %s, killed at %d (after: %v): %d tickets, %s", lie, lag, at, after, n, ref.Key)
					}
					if dead = dead || died; died {
						killed++
					}
				}
				if !dead {
					break
				}
			}
			if killed < 4 {
				t.Errorf("%s: only %d processes died", lie, killed)
			}
		}
	})
}

// What is surely refused is tried again at once; what may have worked is not
// before the index must know.
func TestNoHasteAfterAnUnknownEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for lie, want := range map[lies.Lie]time.Duration{lies.Redirect: time.Second, lies.Cut: 5 * time.Minute, lies.Fail: 5 * time.Minute} {
			h := newHouse(t, sys, 0)
			h.fake().Tell(lie, 1, "POST", sys.creates, "7")
			h.open(h.k, quiet("hikeshi-inc-42-cccccccccccc"))
			if took := h.clock().Sub(noon); took < want || took > want+time.Minute {
				t.Errorf("%s: made after %s, want %s", lie, took, want)
			}
			h.one()
		}
	})
}

// An index that lags for longer than anybody waits makes a second ticket. It is
// found, closed, and the incident follows the older one; a person's copy stays.
func TestTwoBecomeOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for _, way := range []string{"update", "poll"} {
			h := newHouse(t, sys, 8*time.Minute)
			h.fake().Tell(lies.DoneFail, 1, "POST", sys.creates, "")
			ticket := quiet("hikeshi-inc-42-dddddddddddd")
			second := h.open(h.k, ticket)
			if second.Key == sys.first {
				t.Fatal(second)
			}
			h.act("joe", sys.first, act{copied: true})
			h.wait(9 * time.Minute)
			if way == "poll" {
				if err := h.k.Poll(t.Context(), &listener{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, k := range []adapter{h.k, h.another(nil)} {
				if ref, err := k.Update(t.Context(), second.Key, ticket, tracker.Fields); err != nil || ref.Key != sys.first {
					t.Fatal(way, ref, err)
				}
			}
			for _, i := range h.tickets() {
				if closed := i.state == bot.TicketDone; closed != (i.key == second.Key) {
					t.Errorf("%s, %s: closed is %v", way, i.key, closed)
				}
			}
			if s := h.k.Stats(); s.Healed != 1 || s.Unsure != 1 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// Wherever the process is killed while two become one: the incident follows the
// older, and the younger is closed.
func TestTwoBecomeOneThroughKills(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		ticket := quiet("hikeshi-inc-42-dddddddddddd")
		died := false
		for at := 1; at == 1 || died; at++ {
			died = false
			for _, after := range []bool{false, true} {
				h := newHouse(t, sys, 8*time.Minute)
				h.fake().Tell(lies.DoneFail, 1, "POST", sys.creates, "")
				second := h.open(h.k, ticket)
				h.wait(9 * time.Minute)
				p := &plug{at: at, after: after}
				k, err := h.make(pluggedStore{h.store, p}, pluggedWire{h.fake(), p}, nil)
				if err != nil {
					t.Fatal(err)
				}
				died = killed(func() { _, err = k.Update(t.Context(), second.Key, ticket, tracker.Fields) }) || died
				if ref, err := h.another(nil).Update(t.Context(), second.Key, ticket, tracker.Fields); err != nil || ref.Key != sys.first {
					t.Errorf("killed at %d (after: %v): %s %v", at, after, ref.Key, err)
				}
				for _, i := range h.tickets() {
					if closed := i.state == bot.TicketDone; closed != (i.key == second.Key) {
						t.Errorf("killed at %d (after: %v), %s: closed is %v", at, after, i.key, closed)
					}
				}
			}
		}
	})
}

// killed says whether the plug was pulled.
func killed(do func()) (dead bool) {
	defer func() {
		if v := recover(); v != nil {
			if _, dead = v.(died); !dead {
				panic(v)
			}
		}
	}()
	do()
	return false
}

// listener keeps what it is told, unless it is away.
type listener struct {
	all  []tracker.Change
	away error
}

func (l *listener) Changed(_ context.Context, c tracker.Change) error {
	if l.away == nil {
		l.all = append(l.all, c)
	}
	return l.away
}
