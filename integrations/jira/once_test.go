package jira

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
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
	k := h.tracker
	k.settings = pluggedStore{h.store, p}
	c, err := newClient(k.config, free{}, pluggedWire{h.jira.Transport(), p}, h.clock)
	if err != nil {
		h.t.Fatal(err)
	}
	k.client = c
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
		ref = h.open(h.another(k.config.Flavour), ticket)
	}
	return ref, dead
}

// Whatever Jira does at the creation, and wherever the process is killed around
// it, with an index that lags by a minute: exactly one ticket.
func TestExactlyOne(t *testing.T) {
	t.Parallel()
	lies := []fake.Lie{"", fake.Fail, fake.DoneFail, fake.DoneHang, fake.DoneCut, fake.DoneHTML, fake.Cut, fake.HTML, fake.Redirect, fake.Huge, fake.SlowDown}
	both(t, func(t *testing.T, flavour Flavour) {
		for i, lie := range lies {
			for _, lag := range []time.Duration{0, time.Minute} {
				everything := os.Getenv("HIKESHI_CRASH") == "all"
				if (lag == 0) == (flavour == Cloud) && !everything {
					continue // the one flavour with a quick index, the other with a slow one
				}
				first, step := 1+i%3, 3 // the lies share the points among them
				if everything || lie == "" || lie == fake.DoneFail || lie == fake.DoneHang {
					first, step = 1, 1
				}
				if lie == fake.Huge && !everything {
					step = 4 // a megabyte, at which the race detector looks long
				}
				killed := 0
				for at := first; ; at += step {
					all := false
					for _, after := range []bool{false, true} {
						if lie == fake.DoneHang && at > 3 && at%4 != 0 {
							continue // each waits for real
						}
						h := newHouse(t, flavour)
						h.jira.Lag = lag
						if lie == fake.DoneHang {
							h.patience = 50 * time.Millisecond
						}
						if lie != "" {
							h.jira.Lies(lie, 1, "POST", "issue", "7")
						}
						ref, dead := h.lives(&plug{at: at, after: after}, ticketOf("hikeshi-inc-42-bb"))
						if n := len(h.jira.Issues()); n != 1 || ref.Key != "OPS-1" {
							t.Errorf("%s, lag %s, killed at %d (after: %v): %d tickets, %s", lie, lag, at, after, n, ref.Key)
						}
						if dead {
							killed++
						}
						all = all || dead
					}
					if at > 40 || !all && (lie != fake.DoneHang || at%4 == 0) {
						break
					}
				}
				if killed < 4 {
					t.Errorf("%s: only %d processes died", lie, killed)
				}
			}
		}
	})
}

// What is surely refused is tried again at once; what may have worked is not
// before the index must know.
func TestNoHasteAfterAnUnknownEnd(t *testing.T) {
	t.Parallel()
	for lie, want := range map[fake.Lie]time.Duration{fake.SlowDown: 7 * time.Second, fake.Cut: 5 * time.Minute, fake.Fail: 5 * time.Minute} {
		h := newHouse(t, Cloud)
		h.jira.Lies(lie, 1, "POST", "issue", "7")
		h.open(h.tracker, ticketOf("hikeshi-inc-42-cc"))
		if took := h.clock().Sub(noon); took < want || took > want+time.Minute {
			t.Errorf("%s: made after %s, want %s", lie, took, want)
		}
		h.one()
	}
}

// An index that lags for longer than anybody waits makes a second ticket. It is
// found, linked to the older one and closed, and the incident follows the older.
func TestTwoBecomeOne(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		for _, way := range []string{"update", "poll"} {
			h := newHouse(t, flavour)
			h.jira.Lag = 8 * time.Minute
			h.jira.Lies(fake.DoneFail, 1, "POST", "issue", "")
			ticket := ticketOf("hikeshi-inc-42-dd")
			copied := ""
			if ref := h.open(h.tracker, ticket); ref.Key != "OPS-2" {
				t.Fatal(ref)
			}
			copied = h.jira.Clone(fake.Joe, "OPS-1")
			h.wait(9 * time.Minute)
			if way == "poll" {
				if err := h.tracker.Poll(t.Context(), hearer{}); err != nil {
					t.Fatal(err)
				}
			}
			ref, err := h.tracker.Update(t.Context(), "OPS-2", ticket, tracker.Fields)
			if err != nil || ref.Key != "OPS-1" {
				t.Fatal(way, ref, err)
			}
			for _, i := range h.jira.Issues() {
				if closed := fake.CategoryOf(i.Status) == "done"; closed != (i.Key == "OPS-2") {
					t.Errorf("%s, %s: closed is %v", way, i.Key, closed)
				}
			}
			if got := fmt.Sprint(h.jira.Links()); got != "[[OPS-2 OPS-1]]" || copied == "" {
				t.Error(got, copied)
			}
			if s := h.tracker.Stats(); s.Healed != 1 || s.Unsure != 1 {
				t.Errorf("%+v", s)
			}
			if ref, err := h.another(flavour).Update(t.Context(), "OPS-2", ticket, tracker.Fields); err != nil || ref.Key != "OPS-1" {
				t.Error("after a restart:", ref, err)
			}
		}
	})
}

// Wherever the process is killed while two become one: the incident follows the
// older, and the younger is closed.
func TestTwoBecomeOneThroughKills(t *testing.T) {
	t.Parallel()
	ticket := ticketOf("hikeshi-inc-42-dd")
	dead := false
	for at := 1; at == 1 || dead; at++ {
		dead = false
		for _, after := range []bool{false, true} {
			h := newHouse(t, Cloud)
			h.jira.Lag = 8 * time.Minute
			h.jira.Lies(fake.DoneFail, 1, "POST", "issue", "")
			h.open(h.tracker, ticket)
			h.wait(9 * time.Minute)
			p := &plug{at: at, after: after}
			k := h.another(Cloud)
			k.settings = pluggedStore{h.store, p}
			c, err := newClient(k.config, free{}, pluggedWire{h.jira.Transport(), p}, h.clock)
			if err != nil {
				t.Fatal(err)
			}
			k.client = c
			func() {
				defer func() {
					if v := recover(); v != nil {
						if _, dead = v.(died); !dead {
							panic(v)
						}
					}
				}()
				_, _ = k.Update(t.Context(), "OPS-2", ticket, tracker.Fields)
			}()
			if ref, err := h.another(Cloud).Update(t.Context(), "OPS-2", ticket, tracker.Fields); err != nil || ref.Key != "OPS-1" {
				t.Errorf("killed at %d (after: %v): %s %v", at, after, ref.Key, err)
			}
			for _, i := range h.jira.Issues() {
				if closed := fake.CategoryOf(i.Status) == "done"; closed != (i.Key == "OPS-2") {
					t.Errorf("killed at %d (after: %v), %s: closed is %v", at, after, i.Key, closed)
				}
			}
		}
	}
}

type hearer struct{}

func (hearer) Changed(context.Context, tracker.Change) error { return nil }
