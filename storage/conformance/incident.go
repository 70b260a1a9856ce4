package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func testNewIDs(t *testing.T, s storage.Store) {
	last := incidents.ID(0)
	for i := range 20 {
		first, err := s.NewIDs(t.Context(), i%s.Shards(), 1+i%3)
		check(t, err)
		if first != last+1 {
			t.Fatalf("number %s follows %s", first, last)
		}
		last = first + incidents.ID(i%3)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[incidents.ID]bool{}
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				id, err := s.NewIDs(t.Context(), i%s.Shards(), 1)
				mu.Lock()
				if err != nil || seen[id] {
					t.Errorf("number %s: twice or %v", id, err)
				}
				seen[id] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// same compares states by their JSON: what a reader of the store can see.
func same(t *testing.T, what string, got, want *incidents.Incident) {
	t.Helper()
	sameJSON(t, what, got, want)
}

func sameJSON(t *testing.T, what string, got, want any) {
	t.Helper()
	a, err := json.Marshal(got)
	check(t, err)
	b, err := json.Marshal(want)
	check(t, err)
	if !bytes.Equal(a, b) {
		t.Fatalf("%s:\n got %s\nwant %s", what, a, b)
	}
}

func testIncident(t *testing.T, s storage.Store) {
	shard := s.Shards() - 1
	st := open(t, s, shard)
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	same(t, "after opening", got, st)
	lists, err := s.Groups(t.Context(), shard, []incidents.Key{{1}, st.Group})
	check(t, err)
	if len(lists) != 2 || len(lists[0]) != 0 || !slices.Equal(lists[1], []incidents.ID{st.ID}) {
		t.Fatalf("groups: %v", lists)
	}
	advance(t, s, st, incidents.Ack{By: somebody})
	advance(t, s, st, note("looking at it"))
	advance(t, s, st, incidents.Resolve{By: somebody})
	got, err = s.Load(t.Context(), st.ID)
	check(t, err)
	same(t, "after resolving", got, st)

	events, err := s.Events(t.Context(), st.ID, 0, 100)
	check(t, err)
	equal(t, "events", int64(len(events)), st.Version)
	again := &incidents.Incident{}
	for i := range events {
		incidents.Apply(again, &events[i])
	}
	same(t, "from its events", again, st)
	part, err := s.Events(t.Context(), st.ID, 1, 2)
	check(t, err)
	if len(part) != 2 || part[0].Seq != 2 || part[1].Seq != 3 {
		t.Fatalf("two events after the first: %+v", part)
	}
}

// testSnapshots drives an incident far enough that its state is written and
// read back in every way a store has.
func testSnapshots(t *testing.T, s storage.Store) {
	st := open(t, s, 0)
	for i := range 70 {
		advance(t, s, st, note(name("%d ", i)+strings.Repeat("x", 300)))
		if i%9 == 0 {
			got, err := s.Load(t.Context(), st.ID)
			check(t, err)
			same(t, name("after %d notes", i+1), got, st)
		}
	}
	c := incidents.Receive{Source: "test"}
	for i := range 400 { // a heavy state
		a := alert("pod", name("p%d", i))
		c.Alerts, c.Keys = append(c.Alerts, a), append(c.Keys, a.Fingerprint())
	}
	advance(t, s, st, c)
	for range 3 {
		advance(t, s, st, note("and on"))
	}
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	same(t, "with many alerts", got, st)
	equal(t, "alerts", got.Alerts.Len(), 401)
}

func testLoadMany(t *testing.T, s storage.Store) {
	a, b := open(t, s, 0), declare(t, s, s.Shards()-1, "by hand")
	stale := incidents.Ref{ID: a.ID, Shard: 0, Known: a.Version}
	advance(t, s, a, note("newer"))
	got, err := s.LoadMany(t.Context(), []incidents.Ref{
		stale, {ID: b.ID, Shard: b.Shard, Known: b.Version}, {ID: a.ID, Shard: 0, Known: a.Version}, {ID: b.ID, Shard: b.Shard}, {ID: 999, Shard: 0},
	})
	check(t, err)
	if len(got) != 5 || got[0] == nil || got[1] != nil || got[2] != nil || got[3] == nil || got[4] != nil {
		t.Fatalf("loaded %v", got)
	}
	same(t, "the stale one", got[0], a)
	same(t, "the unknown one", got[3], b)
	none, err := s.LoadMany(t.Context(), nil)
	check(t, err)
	equal(t, "nothing asked for", len(none), 0)
}

func testNonsense(t *testing.T, s storage.Store) {
	st, c := opened(t, s, 0)
	for what, spoil := range map[string]func(c *incidents.Commit){
		"a version that does not fit":  func(c *incidents.Commit) { c.Changes[0].Expect = 4 },
		"no events":                    func(c *incidents.Commit) { c.Changes[0].Events = nil },
		"no state":                     func(c *incidents.Commit) { c.Changes[0].State = nil },
		"an event with a wrong number": func(c *incidents.Commit) { c.Changes[0].Events[0].Seq = 7 },
		"an effect of another shard":   func(c *incidents.Commit) { c.Effects = []incidents.Effect{effect(200, "x", 0, 1)} },
		"an effect with a bad lane": func(c *incidents.Commit) {
			f := effect(0, "x", 0, 1)
			f.Lane = "a|b {s1}"
			c.Effects = []incidents.Effect{f}
		},
		"the same incident twice": func(c *incidents.Commit) { c.Changes = append(c.Changes, c.Changes[0]) },
		"an effect without a key": func(c *incidents.Commit) { c.Effects = []incidents.Effect{effect(0, "", 0, 1)} },
		"a state of another shard": func(c *incidents.Commit) {
			other := *st
			other.Shard = 77
			c.Changes[0].State = &other
		},
	} {
		bad := *c
		bad.Changes = slices.Clone(c.Changes)
		bad.Changes[0].Events = slices.Clone(c.Changes[0].Events)
		spoil(&bad)
		if err := s.Commit(t.Context(), &bad); err == nil || errors.Is(err, incidents.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	check(t, s.Commit(t.Context(), c))
}

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

func testList(t *testing.T, s storage.Store) {
	var all []*incidents.Incident
	for i := range 25 {
		st := declare(t, s, i%s.Shards(), name("number %d", i))
		all = append(all, st)
		if i%3 == 0 {
			advance(t, s, st, incidents.Resolve{By: somebody})
		}
	}
	other := open(t, s, 0, alert("service", "search"))
	equal(t, "service", other.Service, "search")
	walk := func(q incidents.Query) (ids []incidents.ID) {
		for {
			page, err := s.List(t.Context(), q)
			check(t, err)
			equal(t, "open", page.Open, 17)
			if len(page.Incidents) > q.Limit {
				t.Fatalf("%d on a page of %d", len(page.Incidents), q.Limit)
			}
			for _, sum := range page.Incidents {
				ids = append(ids, sum.ID)
			}
			if page.Next == 0 {
				return ids
			}
			q.Before = page.Next
		}
	}
	var want, wantOpen []incidents.ID
	for _, st := range append(slices.Clone(all), other) {
		want = append(want, st.ID)
		if st.Status().Open() {
			wantOpen = append(wantOpen, st.ID)
		}
	}
	slices.Reverse(want)
	slices.Reverse(wantOpen)
	for _, limit := range []int{1, 4, 26, 200} {
		if got := walk(incidents.Query{Limit: limit}); !slices.Equal(got, want) {
			t.Fatalf("all by %d: %v, want %v", limit, got, want)
		}
		if got := walk(incidents.Query{Limit: limit, Open: true}); !slices.Equal(got, wantOpen) {
			t.Fatalf("open by %d: %v, want %v", limit, got, wantOpen)
		}
	}
	for _, q := range []incidents.Query{{Service: "search", Limit: 5}, {Service: "search", Open: true, Limit: 5}} {
		if got := walk(q); !slices.Equal(got, []incidents.ID{other.ID}) {
			t.Fatalf("service search: %v", got)
		}
	}
	equal(t, "unknown service", len(walk(incidents.Query{Service: "none", Limit: 5})), 0)
	page, err := s.List(t.Context(), incidents.Query{Limit: 1})
	check(t, err)
	sameJSON(t, "summary", page.Incidents[0], other.Summary())
	advance(t, s, other, incidents.Resolve{By: somebody})
	page, err = s.List(t.Context(), incidents.Query{Service: "search", Open: true})
	check(t, err)
	equal(t, "open ones of search after resolving", len(page.Incidents), 0)
	equal(t, "open after resolving", page.Open, 16)
}
