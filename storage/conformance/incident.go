package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
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
