package conformance

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// What must not be committed, because somebody else was faster or because it was
// committed before, and that nothing of it is.

func testVersionConflict(t *testing.T, s storage.Store) {
	st := open(t, s, 0)
	other, err := s.Load(t.Context(), st.ID)
	check(t, err)
	advance(t, s, st, note("first"))
	wantErr(t, s.Commit(t.Context(), step(t, other, note("second"))), incidents.ErrConflict)
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	same(t, "after the conflict", got, st)
	_, c := opened(t, s, 0)
	c.Changes[0].State.ID, c.Groups = st.ID, nil
	wantErr(t, s.Commit(t.Context(), c), incidents.ErrConflict) // an opening of what exists
}

func testGroupConflict(t *testing.T, s storage.Store) {
	st := open(t, s, 0)
	second, c := opened(t, s, 0)
	equal(t, "same group", second.Group, st.Group)
	wantErr(t, s.Commit(t.Context(), c), incidents.ErrConflict)
	set := func(expect, next []incidents.ID) error {
		return s.Commit(t.Context(), &incidents.Commit{Groups: []incidents.GroupChange{{Key: st.Group, Expect: expect, Next: next}}})
	}
	check(t, set([]incidents.ID{st.ID}, []incidents.ID{st.ID, second.ID}))
	wantErr(t, set([]incidents.ID{st.ID}, nil), incidents.ErrConflict)
	wantErr(t, set([]incidents.ID{second.ID, st.ID}, nil), incidents.ErrConflict)
	lists, err := s.Groups(t.Context(), 0, []incidents.Key{st.Group})
	check(t, err)
	if !slices.Equal(lists[0], []incidents.ID{st.ID, second.ID}) {
		t.Fatalf("group: %v", lists[0])
	}
	check(t, set([]incidents.ID{st.ID, second.ID}, []incidents.ID{second.ID}))
	check(t, set([]incidents.ID{second.ID}, nil))
	check(t, set(nil, nil))
	check(t, set(nil, []incidents.ID{7}))
	wantErr(t, set(nil, []incidents.ID{8}), incidents.ErrConflict)
}

// testRefusedLeavesNothing: of a commit with one thing wrong nothing happens.
func testRefusedLeavesNothing(t *testing.T, s storage.Store) {
	st, second := open(t, s, 0), declare(t, s, 0, "second")
	base, err := s.Load(t.Context(), st.ID)
	check(t, err)
	for what, spoil := range map[string]func(c *incidents.Commit){
		"mark":  func(c *incidents.Commit) { c.Fold.From = 5 },
		"group": func(c *incidents.Commit) { c.Groups[0].Expect = []incidents.ID{99} },
		"claim": func(c *incidents.Commit) {
			c.Done = &incidents.Claim{Effect: effect(0, "never/was", 0, 1), Token: 1}
		},
		"second change": func(c *incidents.Commit) {
			_, other := opened(t, s, 0)
			other.Changes[0].State.ID = second.ID
			c.Changes = append(c.Changes, other.Changes...)
		},
	} {
		now, err := s.Load(t.Context(), st.ID)
		check(t, err)
		c := step(t, now, note("never"))
		c.Once = "once " + what
		c.Fold = &incidents.Fold{Log: 0, From: 0, To: 1}
		c.Groups = []incidents.GroupChange{{Key: incidents.Key{9}, Next: []incidents.ID{st.ID}}}
		c.Effects = []incidents.Effect{effect(0, "never/asked", 0, 1)}
		c.Facts = []incidents.Fact{{Kind: incidents.FactVote, Incident: st.ID}}
		good := *c
		spoil(c)
		if err := s.Commit(t.Context(), c); !errors.Is(err, incidents.ErrConflict) && !errors.Is(err, incidents.ErrClaimLost) {
			t.Fatalf("%s: %v", what, err)
		}
		got, err := s.Load(t.Context(), st.ID)
		check(t, err)
		same(t, what, got, base)
		mark, err := s.Mark(t.Context(), 0, 0)
		check(t, err)
		equal(t, what+": mark", mark, 0)
		lists, err := s.Groups(t.Context(), 0, []incidents.Key{{9}})
		check(t, err)
		equal(t, what+": group", len(lists[0]), 0)
		nothingDue(t, s, 0)
		facts, err := s.Facts(t.Context(), 0, 0, 10)
		check(t, err)
		equal(t, what+": facts", len(facts), 0)
		check(t, s.Commit(t.Context(), &incidents.Commit{Once: good.Once})) // the name was not taken
	}
}

func testRacingCommits(t *testing.T, s storage.Store) {
	st := open(t, s, 0)
	const racers, rounds = 6, 10
	var won atomic.Int64
	var wg sync.WaitGroup
	for r := range racers {
		wg.Go(func() {
			for i := range rounds {
				mine, err := s.Load(t.Context(), st.ID)
				if err != nil {
					t.Error(err)
					return
				}
				err = s.Commit(t.Context(), step(t, mine, note(name("%d of %d", i, r))))
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, incidents.ErrConflict):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	equal(t, "version", got.Version, 1+won.Load())
	equal(t, "notes", int64(got.Notes), won.Load())
	if won.Load() == 0 {
		t.Fatal("nobody won")
	}
}

func testRacingOpenings(t *testing.T, s storage.Store) {
	const racers = 12
	commits := make([]*incidents.Commit, racers)
	for i := range commits {
		_, commits[i] = opened(t, s, 0)
	}
	var wg sync.WaitGroup
	var won atomic.Int64
	for _, c := range commits {
		wg.Go(func() {
			switch err := s.Commit(t.Context(), c); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, incidents.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "openings that won", won.Load(), 1)
	page, err := s.List(t.Context(), incidents.Query{Open: true})
	check(t, err)
	equal(t, "open incidents", page.Open, 1)
}

func testOnce(t *testing.T, s storage.Store) {
	st := open(t, s, 0)
	commit := func(shard int) error {
		return s.Commit(t.Context(), &incidents.Commit{Shard: shard, Once: "slack:1:2"})
	}
	check(t, commit(0))
	wantErr(t, commit(0), incidents.ErrOnce)
	if s.Shards() > 1 {
		check(t, commit(1)) // names are told apart per shard
	}
	c := step(t, st, note("twice"))
	c.Once = "slack:1:2"
	wantErr(t, s.Commit(t.Context(), c), incidents.ErrOnce)
	var wg sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		wg.Go(func() {
			if err := s.Commit(t.Context(), &incidents.Commit{Once: "race"}); err == nil {
				won.Add(1)
			} else if !errors.Is(err, incidents.ErrOnce) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "winners of a name", won.Load(), 1)
}
