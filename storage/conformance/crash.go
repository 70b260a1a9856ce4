package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// A crash test has two halves. Work runs in a process that will be killed: it
// writes, and says on out what was acknowledged, a word and a number a line.
// Survived looks at the store afterwards: everything that was acknowledged must
// be there, and what was not must be there wholly or not at all.

// Work does rounds, or goes on until it is killed where rounds is 0. Rounds are
// numbered from first.
func Work(ctx context.Context, s storage.Store, out io.Writer, first, rounds int) error {
	for i := first; rounds == 0 || i < first+rounds; i++ {
		w := worker{ctx, s, out, i}
		for _, part := range []func() error{w.append, w.open, w.carry, w.fold, w.post, w.push, w.upkeep} {
			if err := part(); err != nil && !errors.Is(err, incidents.ErrClaimLost) { // it took longer than its lease
				return err
			}
		}
	}
	return nil
}

// workLease is how long the claims of a killed process still hold.
const workLease = 500 * time.Millisecond

type worker struct {
	ctx context.Context
	s   storage.Store
	out io.Writer
	n   int
}

func (w *worker) said(word string) error {
	_, err := fmt.Fprintf(w.out, "%s %d\n", word, w.n)
	return err
}

func (w *worker) append() error {
	if err := w.s.Append(w.ctx, batch(name("g%d", w.n%7), alert("n", name("%d", w.n)))); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	return w.said("appended")
}

func groupOf(n int) incidents.Key { return incidents.KeyOf("crash", name("%d", n)) }

func (w *worker) shard() int { return groupOf(w.n).Shard(w.s.Shards()) }

// open commits an incident with everything a commit can have.
func (w *worker) open() error {
	id, err := w.s.NewIDs(w.ctx, w.shard(), 1)
	if err != nil {
		return fmt.Errorf("number: %w", err)
	}
	a := alert("n", name("%d", w.n))
	st := &incidents.Incident{}
	events, _, err := incidents.Advance(st, incidents.Open{
		ID: id, Shard: w.shard(), Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()},
		Grouping: incidents.Grouping{Key: groupOf(w.n)},
	}, time.Now(), incidents.Policy{})
	if err != nil {
		return err
	}
	f := effect(w.shard(), name("work/%d", w.n), 0, 1+w.n%5)
	f.Incident = id
	err = w.s.Commit(w.ctx, &incidents.Commit{
		Shard: w.shard(), Once: name("once %d", w.n), Effects: []incidents.Effect{f},
		Changes: []incidents.Change{{Events: events, State: st}},
		Groups:  []incidents.GroupChange{{Key: groupOf(w.n), Next: []incidents.ID{id}}},
		Facts:   []incidents.Fact{{Kind: incidents.FactVote, Incident: id, Action: name("%d", w.n)}},
	})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	return w.said("opened")
}

// carry claims the effect of this round or of one that was cut short, and
// commits its outcome: one more event. Now and then it gives it back first, or
// buries it and digs it up.
func (w *worker) carry() error {
	claims, _, err := w.s.Claim(w.ctx, incidents.ClaimQuery{Shard: w.shard(), Lane: lane, Owner: "crash", Max: 1, Lease: workLease})
	if err != nil || len(claims) == 0 {
		return err
	}
	c := &claims[0]
	switch w.n % 4 {
	case 1:
		if err := w.s.Retry(w.ctx, c, time.Now(), "again"); err != nil {
			return fmt.Errorf("retry: %w", err)
		}
		return w.carryAgain()
	case 2:
		c.Dead = "for a while"
		if err := w.s.Commit(w.ctx, &incidents.Commit{Shard: c.Effect.Shard, Done: c}); err != nil {
			return fmt.Errorf("bury: %w", err)
		}
		if err := w.s.Redrive(w.ctx, c.Effect.Key); err != nil {
			return fmt.Errorf("redrive: %w", err)
		}
		return w.carryAgain()
	}
	return w.finish(c)
}

func (w *worker) carryAgain() error {
	claims, _, err := w.s.Claim(w.ctx, incidents.ClaimQuery{Shard: w.shard(), Lane: lane, Owner: "crash", Max: 1, Lease: workLease})
	if err != nil || len(claims) == 0 {
		return err
	}
	return w.finish(&claims[0])
}

func (w *worker) finish(c *incidents.Claim) error {
	st, err := w.s.Load(w.ctx, c.Effect.Incident)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	before := st.Version
	events, _, err := incidents.Advance(st, note("carried out"), time.Now(), incidents.Policy{})
	if err != nil {
		return err
	}
	err = w.s.Commit(w.ctx, &incidents.Commit{
		Shard: st.Shard, Done: c, Changes: []incidents.Change{{Expect: before, Events: events, State: st}},
	})
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	done := *w
	if _, err := fmt.Sscanf(c.Effect.Key, "work/%d", &done.n); err != nil {
		return err
	}
	return done.said("carried")
}

func (w *worker) fold() error {
	for log := range w.s.Shards() {
		mark, err := w.s.Mark(w.ctx, log, log)
		if err != nil {
			return fmt.Errorf("mark: %w", err)
		}
		entries, err := w.s.ReadLog(w.ctx, log, mark, 1<<20)
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if len(entries) == 0 {
			continue
		}
		to := entries[len(entries)-1].Offset
		if err := w.s.Commit(w.ctx, &incidents.Commit{Shard: log, Fold: &incidents.Fold{Log: log, From: mark, To: to}}); err != nil {
			return fmt.Errorf("fold: %w", err)
		}
	}
	return nil
}

func (w *worker) post() error {
	for _, key := range []string{name("m%d", w.n), "card"} {
		if _, err := w.s.Post(w.ctx, "lobby", key, []byte(name("%d", w.n)), time.Now()); err != nil {
			return fmt.Errorf("post: %w", err)
		}
	}
	return w.said("posted")
}

func (w *worker) push() error {
	body := []byte(name("%d", w.n))
	if _, err := w.s.PushRings(w.ctx, "crash", incidents.RingBound{Ring: 64 << 20, All: 256 << 20}, []incidents.RingItem{{Ring: name("%d", w.n%3), Body: body}}); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	return w.said("pushed")
}

func (w *worker) upkeep() error {
	if _, err := w.s.Lease(w.ctx, "fold", "crash", time.Minute); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	if _, err := w.s.Prune(w.ctx, 24*time.Hour); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

// Acknowledged reads what Work said: the numbers by word, and the highest.
func Acknowledged(t testing.TB, said string) (by map[string]map[int]bool, highest int) {
	t.Helper()
	by = map[string]map[int]bool{"appended": {}, "opened": {}, "carried": {}, "posted": {}, "pushed": {}}
	for line := range strings.Lines(said) {
		var word string
		var n int
		if _, err := fmt.Sscanf(line, "%s %d\n", &word, &n); err != nil || by[word] == nil {
			continue // cut off by the kill
		}
		by[word][n] = true
		highest = max(highest, n)
	}
	return by, highest
}

// Survived checks the store after a crash.
func Survived(t *testing.T, s storage.Store, said string) {
	t.Helper()
	by, highest := Acknowledged(t, said)
	survivedIntake(t, s, by["appended"])
	found := survivedIncidents(t, s, by["opened"], by["carried"], highest+2)
	survivedEffects(t, s, found)
	survivedRooms(t, s, by["posted"])
	survivedRings(t, s, by["pushed"])
}

// survivedRings: what was acknowledged is there, and the numbers have no gaps.
func survivedRings(t *testing.T, s storage.Store, pushed map[int]bool) {
	t.Helper()
	found, last := ringed(t, s, "crash", 0)
	seen := map[int]bool{}
	for i, line := range found {
		var number int64
		var ring, n int
		_, err := fmt.Sscan(line, &number, &ring, &n)
		check(t, err)
		equal(t, "ring", ring, n%3)
		equal(t, "number", number, int64(i+1))
		seen[n] = true
	}
	equal(t, "last", last, int64(len(found)))
	for n := range pushed {
		if !seen[n] {
			t.Fatalf("what was pushed in round %d is lost", n)
		}
	}
}

func survivedIntake(t *testing.T, s storage.Store, acknowledged map[int]bool) {
	t.Helper()
	seen := map[int]int{}
	for log := range s.Shards() {
		last := int64(0)
		for _, e := range readAll(t, s, log) {
			equal(t, "offset", e.Offset, last+1)
			last = e.Offset
			for _, b := range e.Batches {
				var n int
				_, err := fmt.Sscan(b.Alerts[0].Labels.Get("n"), &n)
				check(t, err)
				seen[n]++
			}
		}
		mark, err := s.Mark(t.Context(), log, log)
		check(t, err)
		if mark > last {
			t.Fatalf("the mark of log %d is %d, its end %d", log, mark, last)
		}
	}
	for n := range acknowledged {
		equal(t, name("batch %d", n), seen[n], 1)
	}
	for n, times := range seen {
		equal(t, name("batch %d, acknowledged or not,", n), times, 1)
	}
}

// survivedIncidents returns each incident's version by its round.
func survivedIncidents(t *testing.T, s storage.Store, opened, carried map[int]bool, rounds int) map[int]int64 {
	t.Helper()
	facts := map[string]int{}
	for shard := range s.Shards() {
		list, err := s.Facts(t.Context(), shard, 0, 5000)
		check(t, err)
		for _, f := range list {
			facts[f.Action]++
		}
	}
	found := map[int]int64{}
	for n := range rounds {
		shard := groupOf(n).Shard(s.Shards())
		lists, err := s.Groups(t.Context(), shard, []incidents.Key{groupOf(n)})
		check(t, err)
		// A commit that cannot happen, but tells whether the name is taken.
		never := incidents.Fold{From: 1 << 40, To: 1<<40 + 1}
		err = s.Commit(t.Context(), &incidents.Commit{Shard: shard, Once: name("once %d", n), Fold: &never})
		taken := errors.Is(err, incidents.ErrOnce)
		if !taken {
			wantErr(t, err, incidents.ErrConflict)
		}
		if len(lists[0]) == 0 {
			if opened[n] || carried[n] || facts[name("%d", n)] != 0 || taken {
				t.Fatalf("round %d has no incident; opened %v, carried %v, facts %d, name taken %v", n, opened[n], carried[n], facts[name("%d", n)], taken)
			}
			continue
		}
		equal(t, name("incidents of round %d", n), len(lists[0]), 1)
		equal(t, name("facts of round %d", n), facts[name("%d", n)], 1)
		equal(t, name("name of round %d taken", n), taken, true)
		st, err := s.Load(t.Context(), lists[0][0])
		check(t, err)
		events, err := s.Events(t.Context(), st.ID, 0, 100)
		check(t, err)
		again := &incidents.Incident{}
		for i := range events {
			incidents.Apply(again, &events[i])
		}
		same(t, name("incident of round %d", n), again, st)
		if carried[n] && st.Version < 2 {
			t.Fatalf("the outcome of round %d is lost", n)
		}
		found[n] = st.Version
	}
	return found
}

// survivedEffects: an effect waits exactly where its outcome is not there.
func survivedEffects(t *testing.T, s storage.Store, versions map[int]int64) {
	t.Helper()
	letters, err := s.DeadLetters(t.Context(), 100)
	check(t, err)
	waiting := map[string]int{}
	var taken []incidents.Claim
	for _, l := range letters { // the crash came between burying and digging up
		check(t, s.Redrive(t.Context(), l.Effect.Key))
	}
	for {
		claims, next, err := s.Claim(t.Context(), incidents.ClaimQuery{Shard: incidents.AnyShard, Lane: lane, Max: 50, Lease: time.Minute})
		check(t, err)
		if wait := time.Until(next); len(claims) == 0 && (next.IsZero() || wait > 2*workLease) {
			break
		} else if len(claims) == 0 {
			time.Sleep(wait) // until the leases of the dead have ended
		}
		for i := range claims {
			waiting[claims[i].Effect.Key]++
		}
		taken = append(taken, claims...)
	}
	for i := range taken {
		check(t, s.Retry(t.Context(), &taken[i], time.Now(), ""))
	}
	for n, version := range versions {
		want := 0
		if version == 1 {
			want = 1
		}
		equal(t, name("effects that wait for round %d, at version %d", n, version), waiting[name("work/%d", n)], want)
		if version > 2 {
			t.Fatalf("the outcome of round %d was written %d times", n, version-1)
		}
	}
	for key := range waiting {
		var n int
		_, err := fmt.Sscanf(key, "work/%d", &n)
		check(t, err)
		if versions[n] == 0 {
			t.Fatalf("effect %s waits, but there is no such incident", key)
		}
	}
}

func survivedRooms(t *testing.T, s storage.Store, posted map[int]bool) {
	t.Helper()
	list, err := s.LastPostings(t.Context(), "lobby", 0, 5000)
	check(t, err)
	seen := map[string]string{}
	for i, p := range list {
		equal(t, "seq", p.Seq, int64(i+1))
		if _, twice := seen[p.Key]; twice {
			t.Fatalf("message %s twice", p.Key)
		}
		seen[p.Key] = string(p.Body)
	}
	latest := -1
	for n := range posted {
		equal(t, "body", seen[name("m%d", n)], name("%d", n))
		latest = max(latest, n)
	}
	if latest >= 0 && seen["card"] != name("%d", latest) && seen["card"] != name("%d", latest+1) {
		t.Fatalf("the card says %s, the last message acknowledged is %d", seen["card"], latest)
	}
}
