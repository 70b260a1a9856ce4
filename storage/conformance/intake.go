package conformance

import (
	"reflect"
	"sync"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func testAppendRead(t *testing.T, s storage.Store) {
	var want []*incidents.Batch
	for i := range 5 {
		b := batch("group", alert("pod", name("p%d", i)), alert("pod", name("q%d", i)))
		b.Truncated = i
		check(t, s.Append(t.Context(), b))
		want = append(want, b)
	}
	found := 0
	for log := range s.Shards() {
		var got []*incidents.Batch
		last := int64(0)
		for _, e := range readAll(t, s, log) {
			if e.Offset <= last {
				t.Fatalf("offset %d follows %d", e.Offset, last)
			}
			if last == 0 && e.Offset != 1 {
				t.Fatalf("the first offset is %d", e.Offset)
			}
			last = e.Offset
			got = append(got, e.Batches...)
		}
		if len(got) == 0 {
			continue
		}
		found++
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("log %d holds %+v, want %+v", log, got, want)
		}
	}
	equal(t, "logs with batches of one group", found, 1)
}

func testAppendParallel(t *testing.T, s storage.Store) {
	const writers, each = 16, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := s.Append(t.Context(), batch(name("g%d", w), alert("n", name("%d", i)))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	total := 0
	for log := range s.Shards() {
		for _, e := range readAll(t, s, log) {
			for _, b := range e.Batches {
				if got, want := b.Alerts[0].Labels.Get("n"), name("%d", next[b.GroupKey]); got != want {
					t.Fatalf("group %s: got batch %s, want %s", b.GroupKey, got, want)
				}
				next[b.GroupKey]++
				total++
			}
		}
	}
	equal(t, "batches", total, writers*each)
}

func testReadPortions(t *testing.T, s storage.Store) {
	const n = 7
	for i := range n {
		check(t, s.Append(t.Context(), batch("one", alert("n", name("%d", i)))))
	}
	for log := range s.Shards() {
		whole := readAll(t, s, log)
		if len(whole) == 0 {
			continue
		}
		var got []incidents.Entry
		after := int64(0)
		for {
			part, err := s.ReadLog(t.Context(), log, after, 1) // less than one entry: one all the same
			check(t, err)
			if len(part) == 0 {
				break
			}
			equal(t, "entries in a portion", len(part), 1)
			got, after = append(got, part...), part[0].Offset
		}
		if !reflect.DeepEqual(got, whole) {
			t.Fatalf("in portions: %+v, as a whole: %+v", got, whole)
		}
		all, err := s.ReadLog(t.Context(), log, 0, 1<<20)
		check(t, err)
		equal(t, "entries at once", len(all), len(whole))
	}
}

func testMarks(t *testing.T, s storage.Store) {
	last := s.Shards() - 1
	move := func(shard, log int, from, to int64) error {
		return s.Commit(t.Context(), &incidents.Commit{Shard: shard, Fold: &incidents.Fold{Log: log, From: from, To: to}})
	}
	at := func(shard, log int, want int64) {
		t.Helper()
		got, err := s.Mark(t.Context(), shard, log)
		check(t, err)
		equal(t, name("mark of log %d in shard %d", log, shard), got, want)
	}
	at(0, 0, 0)
	check(t, move(0, 0, 0, 3))
	at(0, 0, 3)
	wantErr(t, move(0, 0, 0, 5), incidents.ErrConflict)
	wantErr(t, move(0, 0, 4, 5), incidents.ErrConflict)
	at(0, 0, 3)
	check(t, move(0, 0, 3, 4))
	at(0, 0, 4)
	check(t, move(last, 0, map[bool]int64{true: 4, false: 0}[last == 0], 9))
	at(last, 0, 9)
	if last > 0 {
		at(0, 0, 4)
		at(0, last, 0)
		check(t, move(0, last, 0, 2))
		at(0, last, 2)
		at(last, last, 0)
	}
}
