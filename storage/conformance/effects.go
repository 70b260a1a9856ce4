package conformance

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func testClaimOrder(t *testing.T, s storage.Store) {
	nothingDue(t, s, 0)
	ask(t, s,
		effect(0, "old", -time.Hour, 3), effect(0, "older", -2*time.Hour, 3),
		effect(0, "urgent", -time.Minute, 1), effect(0, "unknown", -24*time.Hour, 0),
	)
	other := effect(0, "elsewhere", -time.Hour, 1)
	other.Lane = "other"
	ask(t, s, other)
	if got := keys(claim(t, s, 0, 3)); !slices.Equal(got, []string{"urgent", "older", "old"}) {
		t.Fatalf("claimed %v", got)
	}
	c := claimOne(t, s, 0, "unknown")
	equal(t, "attempt", c.Attempt, 1)
	want := effect(0, "unknown", -24*time.Hour, 0)
	equal(t, "kind", c.Effect.Kind, want.Kind)
	equal(t, "incident", c.Effect.Incident, want.Incident)
	equal(t, "arg", c.Effect.Arg, want.Arg)
	equal(t, "lane", c.Effect.Lane, lane)
	nothingDue(t, s, 0)
	done(t, s, c)
	wantErr(t, s.Commit(t.Context(), &incidents.Commit{Done: c}), incidents.ErrClaimLost)
	nothingDue(t, s, 0)
}

func testDueLater(t *testing.T, s storage.Store) {
	const soon = 2 * time.Second // so long a busy machine may take to ask
	ask(t, s, effect(0, "later", time.Hour, 1), effect(0, "soon", soon, 5))
	claims, next, err := s.Claim(t.Context(), incidents.ClaimQuery{Shard: 0, Lane: lane, Max: 5, Lease: time.Minute})
	check(t, err)
	equal(t, "claimed too early", len(claims), 0)
	if wait := time.Until(next); wait > soon+time.Millisecond || wait < -20*time.Second {
		t.Fatalf("the next is in %v", wait)
	}
	c := awaitClaim(t, s, 0, time.Minute)
	equal(t, "first", c.Effect.Key, "soon")
	if time.Now().Before(c.Effect.Due) {
		t.Fatalf("claimed %v before it was due", time.Until(c.Effect.Due))
	}
	done(t, s, c)
	_, next, err = s.Claim(t.Context(), incidents.ClaimQuery{Shard: 0, Lane: lane, Max: 5, Lease: time.Minute})
	check(t, err)
	if wait := time.Until(next); wait < 50*time.Minute || wait > time.Hour {
		t.Fatalf("the next is in %v, want an hour", wait)
	}
	_, next, err = s.Claim(t.Context(), incidents.ClaimQuery{Shard: 0, Lane: "empty"})
	check(t, err)
	if !next.IsZero() {
		t.Fatalf("an empty lane has something next at %v", next)
	}
}

func testCoalesceWaiting(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "sync", time.Hour, 4))
	ask(t, s, effect(0, "sync", 2*time.Hour, 5)) // neither sooner nor more urgent
	nothingDue(t, s, 0)
	ask(t, s, effect(0, "sync", 30*time.Minute, 2))
	ask(t, s, effect(0, "rival", -time.Minute, 3))
	ask(t, s, effect(0, "sync", -time.Second, 4)) // sooner; as urgent as it was
	if got := keys(claim(t, s, 0, 10)); !slices.Equal(got, []string{"sync", "rival"}) {
		t.Fatalf("claimed %v", got)
	}
	// Twice in one commit is once.
	ask(t, s, effect(0, "pair", time.Hour, 2), effect(0, "pair", -time.Second, 3))
	done(t, s, claimOne(t, s, 0, "pair"))
	nothingDue(t, s, 0)
}

func testCoalesceClaimed(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "sync", 0, 3))
	first := claimOne(t, s, 0, "sync")
	for range 3 {
		ask(t, s, effect(0, "sync", 0, 3))
	}
	nothingDue(t, s, 0) // it is being done
	done(t, s, first)
	again := claimOne(t, s, 0, "sync")
	if again.Token <= first.Token {
		t.Fatalf("token %d follows %d", again.Token, first.Token)
	}
	equal(t, "attempt of the next turn", again.Attempt, 1)
	done(t, s, again)
	nothingDue(t, s, 0) // three times asked for, once more done

	ask(t, s, effect(0, "timer", 0, 3))
	c := claimOne(t, s, 0, "timer")
	ask(t, s, effect(0, "timer", time.Hour, 3))
	ask(t, s, effect(0, "timer", 2*time.Hour, 3))
	done(t, s, c)
	_, next, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: lane, Max: 1})
	check(t, err)
	if wait := time.Until(next); wait < 50*time.Minute || wait > time.Hour {
		t.Fatalf("the next turn is in %v, want an hour", wait)
	}
}

func testAskAgain(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "look", 0, 3))
	c := claimOne(t, s, 0, "look")
	check(t, s.Commit(t.Context(), &incidents.Commit{Done: c, Effects: []incidents.Effect{effect(0, "look", 0, 3)}}))
	next := claimOne(t, s, 0, "look")
	equal(t, "attempt", next.Attempt, 1)
	check(t, s.Commit(t.Context(), &incidents.Commit{Done: next}))
	nothingDue(t, s, 0)
}

func testExpiredLease(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "run", 0, 1))
	first := awaitClaim(t, s, 0, 80*time.Millisecond)
	second := awaitClaim(t, s, 0, time.Minute)
	equal(t, "key", second.Effect.Key, "run")
	equal(t, "attempt", second.Attempt, 2)
	if second.Token <= first.Token {
		t.Fatalf("token %d follows %d", second.Token, first.Token)
	}
	wantErr(t, s.Commit(t.Context(), &incidents.Commit{Done: first, Once: "never"}), incidents.ErrClaimLost)
	wantErr(t, s.Extend(t.Context(), first, time.Minute), incidents.ErrClaimLost)
	wantErr(t, s.Retry(t.Context(), first, time.Now(), "late"), incidents.ErrClaimLost)
	check(t, s.Commit(t.Context(), &incidents.Commit{Done: second, Once: "never"}))
	nothingDue(t, s, 0)

	// As long as nobody else has it, an outcome that comes late still counts.
	ask(t, s, effect(0, "late", 0, 1))
	late := awaitClaim(t, s, 0, time.Nanosecond)
	done(t, s, late)
	nothingDue(t, s, 0)
}

func testExtend(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "run", 0, 1))
	c := awaitClaim(t, s, 0, time.Minute)
	check(t, s.Extend(t.Context(), c, time.Hour))
	_, next, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: lane})
	check(t, err)
	if wait := time.Until(next); wait < 50*time.Minute || wait > time.Hour {
		t.Fatalf("the lease ends in %v, want an hour", wait)
	}
	check(t, s.Extend(t.Context(), c, 50*time.Millisecond))
	second := awaitClaim(t, s, 0, time.Minute)
	equal(t, "attempt", second.Attempt, 2)
	wantErr(t, s.Extend(t.Context(), c, time.Minute), incidents.ErrClaimLost)
	done(t, s, second)
	wantErr(t, s.Extend(t.Context(), second, time.Minute), incidents.ErrClaimLost)
}

func testRetry(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "flaky", 0, 2))
	c := claimOne(t, s, 0, "flaky")
	ask(t, s, effect(0, "flaky", 0, 2)) // asked for meanwhile: the pause holds all the same
	check(t, s.Retry(t.Context(), c, time.Now().Add(time.Hour), "timeout"))
	nothingDue(t, s, 0)
	wantErr(t, s.Retry(t.Context(), c, time.Now(), "twice"), incidents.ErrClaimLost)
	wantErr(t, s.Commit(t.Context(), &incidents.Commit{Done: c}), incidents.ErrClaimLost)
	ask(t, s, effect(0, "flaky", 0, 2)) // news bring it forward
	again := claimOne(t, s, 0, "flaky")
	equal(t, "attempt", again.Attempt, 2)
	check(t, s.Retry(t.Context(), again, time.Now(), "timeout"))
	equal(t, "attempt", claimOne(t, s, 0, "flaky").Attempt, 3)
}

// testFencing: a claim of an effect's earlier life is worth nothing in its
// next one.
func testFencing(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "sync", 0, 3))
	zombie := awaitClaim(t, s, 0, time.Nanosecond)
	done(t, s, awaitClaim(t, s, 0, time.Minute))
	ask(t, s, effect(0, "sync", 0, 3))
	owner := claimOne(t, s, 0, "sync")
	wantErr(t, s.Commit(t.Context(), &incidents.Commit{Done: zombie}), incidents.ErrClaimLost)
	done(t, s, owner)
}

func testDeadLetters(t *testing.T, s storage.Store) {
	shard := s.Shards() - 1
	ask(t, s, effect(shard, "hopeless", 0, 2), effect(shard, "other", 0, 3))
	c := claim(t, s, shard, 10)[0]
	equal(t, "claimed", c.Effect.Key, "hopeless")
	ask(t, s, effect(shard, "hopeless", 0, 2))
	c.Dead = "channel_not_found"
	check(t, s.Commit(t.Context(), &incidents.Commit{
		Shard: shard, Done: &c, Effects: []incidents.Effect{effect(shard, "hopeless", 0, 1), effect(shard, "tell", 0, 4)},
	}))
	letters, err := s.DeadLetters(t.Context(), 10)
	check(t, err)
	if len(letters) != 1 || letters[0].Effect.Key != "hopeless" || letters[0].Reason != "channel_not_found" || letters[0].Attempt != 1 || letters[0].At.IsZero() {
		t.Fatalf("dead letters: %+v", letters)
	}
	// What others asked for meanwhile is still wanted; what the burial itself
	// asked of the same key is not.
	got := claim(t, s, shard, 10)
	if k := keys(got); !slices.Equal(k, []string{"hopeless", "tell"}) {
		t.Fatalf("claimed %v", k)
	}
	done(t, s, &got[0])
	got[1].Dead = "no"
	check(t, s.Commit(t.Context(), &incidents.Commit{Shard: shard, Done: &got[1], Effects: []incidents.Effect{effect(shard, "tell", 0, 1)}}))
	nothingDue(t, s, shard)
	letters, err = s.DeadLetters(t.Context(), 1)
	check(t, err)
	if len(letters) != 1 || letters[0].Effect.Key != "tell" {
		t.Fatalf("the latest dead letter: %+v", letters)
	}
	check(t, s.Redrive(t.Context(), "hopeless"))
	back := claimOne(t, s, shard, "hopeless")
	equal(t, "attempt after redriving", back.Attempt, 1)
	equal(t, "arg", back.Effect.Arg, "arg of hopeless")
	equal(t, "code", incidents.CodeOf(s.Redrive(t.Context(), "hopeless")), incidents.NotFound)
	b, err := s.Backlog(t.Context())
	check(t, err)
	equal(t, "dead", b.Dead, 1)
}

func testRacingClaims(t *testing.T, s storage.Store) {
	const n = 200
	var effects []incidents.Effect
	for i := range n {
		effects = append(effects, effect(0, name("e%d", i), 0, 1+i%5))
	}
	ask(t, s, effects...)
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				claims, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Lane: lane, Max: 7, Lease: time.Minute})
				if err != nil {
					t.Error(err)
					return
				}
				if len(claims) == 0 {
					return
				}
				mu.Lock()
				for _, c := range claims {
					seen[c.Effect.Key]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	equal(t, "effects claimed", len(seen), n)
	for key, times := range seen {
		equal(t, key, times, 1)
	}
}

func testRacingDone(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "run", 0, 1))
	c := claimOne(t, s, 0, "run")
	var wg sync.WaitGroup
	var won atomic.Int64
	for range 10 {
		wg.Go(func() {
			switch err := s.Commit(t.Context(), &incidents.Commit{Done: c, Facts: []incidents.Fact{{Kind: incidents.FactOutcome}}}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, incidents.ErrClaimLost):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "acknowledgements", won.Load(), 1)
	facts, err := s.Facts(t.Context(), 0, 0, 100)
	check(t, err)
	equal(t, "facts", len(facts), 1)
}

func testAnyShard(t *testing.T, s storage.Store) {
	for shard := range s.Shards() {
		ask(t, s, effect(shard, name("s%d", shard), 0, 3))
	}
	seen := map[int]bool{}
	for {
		claims := claim(t, s, incidents.AnyShard, 3)
		if len(claims) == 0 {
			break
		}
		if len(claims) > 3 {
			t.Fatalf("%d claims, want at most 3", len(claims))
		}
		for _, c := range claims {
			seen[c.Effect.Shard] = true
			done(t, s, &c)
		}
	}
	equal(t, "shards", len(seen), s.Shards())
}

func testBacklog(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "a", -time.Hour, 3), effect(0, "b", time.Hour, 3))
	ask(t, s, effect(s.Shards()-1, "c", time.Hour, 5))
	check(t, s.Append(t.Context(), batch("x", alert())))
	b, err := s.Backlog(t.Context())
	check(t, err)
	equal(t, "unfolded", b.Unfolded, 1)
	got := b.Lanes[lane]
	equal(t, "waiting", got.Waiting, 3)
	equal(t, "claimed", got.Claimed, 0)
	if age := time.Since(got.Oldest); age < 59*time.Minute || age > 61*time.Minute {
		t.Fatalf("the oldest is %v old", age)
	}
	claimOne(t, s, 0, "a")
	if b, err = s.Backlog(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "waiting", b.Lanes[lane].Waiting, 2)
	equal(t, "claimed", b.Lanes[lane].Claimed, 1)
}

// An effect that was asked for while it was claimed waits again once it is
// acknowledged, and whoever carries out its lane hears of it.
func testAgainIsHeard(t *testing.T, s storage.Store) {
	ask(t, s, effect(0, "again", -time.Hour, 1))
	c := claimOne(t, s, 0, "again")
	ask(t, s, effect(0, "again", -time.Minute, 1))
	signals, stop := s.Watch()
	defer stop()
	done(t, s, c)
	for {
		select {
		case sig := <-signals:
			if sig.Kind == incidents.SignalEffect && sig.Lane == lane && sig.Shard == 0 {
				done(t, s, claimOne(t, s, 0, "again"))
				return
			}
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(30 * time.Second):
			t.Fatal("nobody was told")
		}
	}
}
