package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

var roomy = incidents.RingBound{Ring: 1 << 20, All: 4 << 20}

func piece(ring, body string) incidents.RingItem {
	return incidents.RingItem{Ring: ring, Body: []byte(body)}
}

// ringed is "number ring body" of each piece of a kind after a number.
func ringed(t *testing.T, s storage.Store, kind string, after int64) (all []string, last int64) {
	t.Helper()
	for {
		items, end, err := s.PullRings(t.Context(), kind, after, 1<<16)
		check(t, err)
		if len(items) == 0 {
			return all, end
		}
		for _, i := range items {
			if i.Number <= after {
				t.Fatalf("piece %d after %d", i.Number, after)
			}
			all, after = append(all, fmt.Sprintf("%d %s %s", i.Number, i.Ring, i.Body)), i.Number
		}
	}
}

func push(t *testing.T, s storage.Store, bound incidents.RingBound, items ...incidents.RingItem) int64 {
	t.Helper()
	last, err := s.PushRings(t.Context(), "logs", bound, items)
	check(t, err)
	return last
}

func testRings(t *testing.T, s storage.Store) {
	all, last := ringed(t, s, "logs", 0)
	equal(t, "pieces of nothing", len(all), 0)
	equal(t, "last of nothing", last, int64(0))
	evil := "\x00\xff'); DROP TABLE rings; --\r\n$3\r\nDEL ]]> 火消し"
	equal(t, "last", push(t, s, roomy, piece("web-1", "one"), piece(evil, evil), piece("", "")), int64(3))
	equal(t, "last", push(t, s, roomy, piece("web-1", "four")), int64(4))
	_, err := s.PushRings(t.Context(), "changes", roomy, []incidents.RingItem{piece("web-1", "other")})
	check(t, err)
	all, last = ringed(t, s, "logs", 0)
	equal(t, "all", strings.Join(all, "|"), "1 web-1 one|2 "+evil+" "+evil+"|3  |4 web-1 four")
	equal(t, "last", last, int64(4))
	all, _ = ringed(t, s, "logs", 3)
	equal(t, "after the third", strings.Join(all, "|"), "4 web-1 four")
	all, last = ringed(t, s, "logs", 9)
	equal(t, "behind the end", len(all), 0)
	equal(t, "last", last, int64(4))
	all, _ = ringed(t, s, "changes", 0)
	equal(t, "of another kind", strings.Join(all, "|"), "1 web-1 other")
	items, last, err := s.PullRings(t.Context(), "logs", 0, 1)
	check(t, err)
	equal(t, "at least one", len(items), 1)
	equal(t, "last", last, int64(4))
	_, err = s.PushRings(t.Context(), "logs", incidents.RingBound{Ring: 200, All: 400}, []incidents.RingItem{piece("a", strings.Repeat("x", 200))})
	equal(t, "larger than its ring", incidents.CodeOf(err), incidents.TooLarge)
	_, err = s.PushRings(t.Context(), "", roomy, nil)
	equal(t, "no kind", incidents.CodeOf(err), incidents.Invalid)
}

// testRingBounds: what is beyond a bound goes, the oldest first, and nothing else.
func testRingBounds(t *testing.T, s storage.Store) {
	body := strings.Repeat("x", 100)
	item := piece("a", body)
	cost := item.Cost()
	bound := incidents.RingBound{Ring: 3 * cost, All: 5 * cost}
	push(t, s, bound, piece("b", body))
	for range 10 {
		push(t, s, bound, piece("a", body))
	}
	numbers := func() string {
		t.Helper()
		all, last := ringed(t, s, "logs", 0)
		var b strings.Builder
		for _, line := range all {
			n, rest, _ := strings.Cut(line, " ")
			fmt.Fprintf(&b, "%s%s ", rest[:1], n)
		}
		return fmt.Sprintf("%sof %d", b.String(), last)
	}
	equal(t, "a noisy ring drops its own", numbers(), "b1 a9 a10 a11 of 11")
	push(t, s, bound, piece("c", body), piece("d", body), piece("e", body))
	equal(t, "all rings together drop the oldest", numbers(), "a10 a11 c12 d13 e14 of 14")
	push(t, s, bound, piece("a", body), piece("a", body), piece("a", body), piece("a", body))
	equal(t, "more in one step than its ring holds", numbers(), "d13 e14 a16 a17 a18 of 18")
	bound.Age = time.Microsecond
	time.Sleep(2 * time.Millisecond) // the store's clock is to be behind it
	push(t, s, bound, piece("f", body))
	equal(t, "what is too old goes", numbers(), "f19 of 19")
	push(t, s, incidents.RingBound{Ring: cost, All: cost}, piece("a", body), piece("b", body))
	equal(t, "a smaller bound holds at once", numbers(), "b21 of 21")
}

// testRacingRings: everybody's pieces are there, and each knows the numbers of its own.
func testRacingRings(t *testing.T, s storage.Store) {
	const writers, rounds = 8, 5
	var mu sync.Mutex
	mine := map[int64]string{}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for r := range rounds {
				a, b := name("%d/%d/a", w, r), name("%d/%d/b", w, r)
				last, err := s.PushRings(t.Context(), "logs", roomy, []incidents.RingItem{piece("x", a), piece("y", b)})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				mine[last-1], mine[last] = a, b
				mu.Unlock()
			}
		})
	}
	all.Wait()
	found, last := ringed(t, s, "logs", 0)
	equal(t, "last", last, int64(2*writers*rounds))
	equal(t, "pieces", len(found), len(mine))
	for _, line := range found {
		var n int64
		var ring, body string
		_, err := fmt.Sscan(line, &n, &ring, &body)
		check(t, err)
		equal(t, name("piece %d", int(n)), body, mine[n])
	}
}
