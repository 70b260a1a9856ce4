package kept_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

// shelf is a store of one kind in memory. Where hold is there, a write waits for it.
type shelf struct {
	mu     sync.Mutex
	items  []incidents.RingItem
	last   int64
	pushes int
	away   error
	held   chan struct{} // told that a write waits
	hold   chan struct{}
	breaks bool // a write panics
}

func (s *shelf) PushRings(_ context.Context, _ string, b incidents.RingBound, items []incidents.RingItem) (int64, error) {
	if s.hold != nil {
		s.held <- struct{}{}
		<-s.hold
	}
	if s.breaks {
		panic("broken")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := incidents.CheckRings("x", b, items); err != nil || s.away != nil {
		return 0, errors.Join(err, s.away)
	}
	s.pushes++
	for _, i := range items {
		s.last++
		i.Number = s.last
		s.items = append(s.items, i)
	}
	return s.last, nil
}

func (s *shelf) PullRings(_ context.Context, _ string, after int64, most int) ([]incidents.RingItem, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []incidents.RingItem
	for _, i := range s.items {
		if most -= len(i.Body); i.Number > after && (most > 0 || len(found) == 0) {
			found = append(found, i)
		}
	}
	return found, s.last, s.away
}

func ring(s *shelf, self string, heard *[]string) *kept.Ring {
	return kept.New(kept.Options{Store: s, Kind: "x", Bound: incidents.RingBound{Ring: 1 << 20, All: 2 << 20}, Self: self, Logger: slog.New(slog.DiscardHandler),
		Each: func(line []byte) { *heard = append(*heard, string(line)) }})
}

func add(t *testing.T, r *kept.Ring, of string, lines ...string) {
	t.Helper()
	if err := r.Add(t.Context(), []kept.Lines{{Ring: of, Text: []byte(strings.Join(lines, "\n") + "\n")}}); err != nil {
		t.Fatal(err)
	}
}

func TestEachHearsTheOthersOnce(t *testing.T) {
	s := &shelf{}
	var one, two []string
	a, b := ring(s, "one", &one), ring(s, "two", &two)
	catch := func() {
		t.Helper()
		if err := errors.Join(a.Catch(t.Context()), b.Catch(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	add(t, a, "x", "a1", "a2")
	catch()
	add(t, b, "x", "b1")
	add(t, a, "y", "a3")
	add(t, b, "y", "b2")
	catch()
	catch()
	if !slices.Equal(one, []string{"b1", "b2"}) || !slices.Equal(two, []string{"a1", "a2", "a3"}) {
		t.Errorf("one heard %q, two %q", one, two)
	}
	s.mu.Lock()
	s.items, s.last = s.items[:1], 1 // the store lost what came after
	s.mu.Unlock()
	catch()
	add(t, a, "x", "a4")
	catch()
	if !slices.Equal(one, []string{"b1", "b2"}) || !slices.Equal(two, []string{"a1", "a2", "a3", "a4"}) {
		t.Errorf("after the store lost some: one heard %q, two %q", one, two)
	}
	for i := range 3 {
		add(t, a, "x", fmt.Sprint("c", i))
	}
	s.mu.Lock()
	s.items = s.items[len(s.items)-1:] // pushed out by others before they were read
	s.mu.Unlock()
	catch()
	if n := b.Missed(); n != 2 || two[len(two)-1] != "c2" {
		t.Errorf("%d missed, heard %q", n, two)
	}
}

// While one write is under way, all who come wait for the next, and share it.
func TestWhoAddsAtOnceSharesAWrite(t *testing.T) {
	s := &shelf{held: make(chan struct{}), hold: make(chan struct{})}
	var heard, others []string
	r := ring(s, "one", &heard)
	var all sync.WaitGroup
	begin := func(n int) {
		all.Go(func() { add(t, r, "x", fmt.Sprint("line ", n)) })
	}
	begin(0)
	<-s.held
	const more = 50
	for n := range more {
		begin(n + 1)
	}
	writes := 1
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	s.hold <- struct{}{}
	for done := false; !done; {
		select {
		case <-s.held:
			writes++
			s.hold <- struct{}{}
		case <-finished:
			done = true
		}
	}
	s.hold = nil
	if err := ring(s, "two", &others).Catch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(others) != more+1 || len(s.items) != writes {
		t.Errorf("%d lines, %d pieces in %d writes", len(others), len(s.items), writes)
	}
	if err := r.Catch(t.Context()); err != nil || len(heard) > 0 {
		t.Errorf("its own are heard: %q %v", heard, err)
	}
}

// What comes back are the lines that were added, however long and whatever they hold.
func TestLinesComeBackAsTheyWere(t *testing.T) {
	s := &shelf{}
	var heard []string
	r := rand.New(rand.NewPCG(1, 2))
	var lines []string
	for i := range 3000 {
		line := make([]byte, r.IntN(200))
		for j := range line {
			if line[j] = byte(r.IntN(256)); line[j] == '\n' {
				line[j] = 0
			}
		}
		lines = append(lines, fmt.Sprintf("%d %s", i, line))
	}
	add(t, ring(s, "one", &heard), "x", lines...)
	if len(s.items) < 2 {
		t.Errorf("%d pieces", len(s.items))
	}
	s.items = append(s.items, incidents.RingItem{Number: s.last + 1, Body: []byte("torn")}, incidents.RingItem{Number: s.last + 2, Body: []byte("zsixteen bytes...no deflate")})
	s.last += 2
	if err := ring(s, "two", &heard).Catch(t.Context()); err != nil || !slices.Equal(heard, lines) {
		t.Errorf("%d of %d lines came back: %v", len(heard), len(lines), err)
	}
}

func TestTooMuchWaiting(t *testing.T) {
	s := &shelf{held: make(chan struct{}), hold: make(chan struct{})}
	var heard []string
	r := ring(s, "one", &heard)
	var all sync.WaitGroup
	all.Go(func() { add(t, r, "x", "first") })
	<-s.held
	big := []kept.Lines{{Ring: "x", Text: []byte(strings.Repeat(strings.Repeat("x", 1000)+"\n", 9000))}}
	leaving, leave := context.WithCancel(t.Context())
	all.Go(func() {
		code := incidents.Overloaded
		for code == incidents.Overloaded { // by those below
			code = incidents.CodeOf(r.Add(leaving, big))
		}
		if code != incidents.Unavailable {
			t.Errorf("nobody waited for it any more: %v", code)
		}
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for code := incidents.Unavailable; code != incidents.Overloaded; { // until the one before waits
		code = incidents.CodeOf(r.Add(gone, big))
	}
	leave()
	s.hold <- struct{}{}
	all.Wait()
	s.hold = nil
	add(t, r, "x", "after")
	if s.last != 2 {
		t.Errorf("%d pieces: what nobody waited for was written", s.last)
	}
	s.away = errors.New("away")
	if err := r.Add(t.Context(), big); !errors.Is(err, s.away) {
		t.Errorf("a store that is away: %v", err)
	}
}

// A panic in the store ends the write of who had the turn; who waited with it is told,
// and the next has the turn.
func TestAPanicGivesTheTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{held: make(chan struct{}), hold: make(chan struct{})}
		var heard []string
		r := ring(s, "one", &heard)
		answers, panics := make(chan error, 3), make(chan any, 3)
		begin := func() {
			go func() {
				defer func() {
					if p := recover(); p != nil {
						panics <- p
					}
				}()
				answers <- r.Add(t.Context(), []kept.Lines{{Ring: "x", Text: []byte("x\n")}})
			}()
		}
		begin()
		<-s.held
		begin()
		begin()
		synctest.Wait() // the two wait together
		s.breaks = true
		s.hold <- struct{}{}
		if p := <-panics; p != "broken" {
			t.Errorf("panicked with %v", p)
		}
		<-s.held
		s.hold <- struct{}{}
		if p := <-panics; p != "broken" {
			t.Errorf("panicked with %v", p)
		}
		if err := <-answers; incidents.CodeOf(err) != incidents.Unavailable {
			t.Errorf("who waited was told %v", err)
		}
		s.hold, s.breaks = nil, false
		add(t, r, "x", "after")
		if s.last != 1 {
			t.Errorf("%d pieces", s.last)
		}
	})
}
