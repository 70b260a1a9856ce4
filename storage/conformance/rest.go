package conformance

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func testRooms(t *testing.T, s storage.Store) {
	post := func(key, body string) incidents.Posting {
		t.Helper()
		p, err := s.Post(t.Context(), "inc-0001-checkout", key, []byte(body), epoch)
		check(t, err)
		return p
	}
	first := post("card", "v1")
	equal(t, "seq", first.Seq, 1)
	equal(t, "rev", first.Rev, 1)
	if !first.Edited.IsZero() || !first.At.Equal(epoch) || string(first.Body) != "v1" || first.Key != "card" || first.Room != "inc-0001-checkout" {
		t.Fatalf("posted %+v", first)
	}
	for i := range 5 {
		equal(t, "seq", post(name("m%d", i), name("message %d", i)).Seq, int64(i+2))
	}
	same := post("card", "v1")
	equal(t, "rev of an equal body", same.Rev, 1)
	edited := post("card", "v2")
	equal(t, "seq of an edit", edited.Seq, 1)
	equal(t, "rev of an edit", edited.Rev, 7)
	if edited.Edited.IsZero() || !edited.At.Equal(epoch) {
		t.Fatalf("edited %+v", edited)
	}
	seqs := func(list []incidents.Posting, err error) (out []int64) {
		t.Helper()
		check(t, err)
		for _, p := range list {
			out = append(out, p.Seq)
		}
		return out
	}
	for _, c := range []struct {
		what      string
		got, want []int64
	}{
		{"changes after 0", seqs(s.Postings(t.Context(), "inc-0001-checkout", 0, 0)), []int64{2, 3, 4, 5, 6, 1}},
		{"changes after 5", seqs(s.Postings(t.Context(), "inc-0001-checkout", 5, 10)), []int64{6, 1}},
		{"two changes after 1", seqs(s.Postings(t.Context(), "inc-0001-checkout", 1, 2)), []int64{2, 3}},
		{"changes after the last", seqs(s.Postings(t.Context(), "inc-0001-checkout", 7, 10)), nil},
		{"last three", seqs(s.LastPostings(t.Context(), "inc-0001-checkout", 0, 3)), []int64{4, 5, 6}},
		{"three before 4", seqs(s.LastPostings(t.Context(), "inc-0001-checkout", 4, 3)), []int64{1, 2, 3}},
		{"before the first", seqs(s.LastPostings(t.Context(), "inc-0001-checkout", 1, 3)), nil},
		{"another room", seqs(s.LastPostings(t.Context(), "inc-0002", 0, 3)), nil},
	} {
		equal(t, c.what, name("%v", c.got), name("%v", c.want))
	}
	list, err := s.LastPostings(t.Context(), "inc-0001-checkout", 2, 1)
	check(t, err)
	if got := list[0]; got.Seq != 1 || string(got.Body) != "v2" || got.Rev != 7 || !got.Edited.Equal(edited.Edited) {
		t.Fatalf("read %+v, want %+v", got, edited)
	}
	if p, err := s.Post(t.Context(), "", "k", nil, epoch); err == nil {
		t.Fatalf("posted into no room: %+v", p)
	}
}

func testRacingPosts(t *testing.T, s storage.Store) {
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Post(t.Context(), "lobby", name("%d/%d", w, i), []byte("x"), epoch); err != nil {
					t.Error(err)
				}
				if _, err := s.Post(t.Context(), "lobby", "shared", []byte(name("%d/%d", w, i)), epoch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, err := s.LastPostings(t.Context(), "lobby", 0, 1000)
	check(t, err)
	equal(t, "messages", len(list), writers*each+1)
	revs := map[int64]bool{}
	for i, p := range list {
		equal(t, "seq", p.Seq, int64(i+1))
		if revs[p.Rev] {
			t.Fatalf("rev %d twice", p.Rev)
		}
		revs[p.Rev] = true
	}
}

func testFacts(t *testing.T, s storage.Store) {
	shard := s.Shards() - 1
	for i := range 5 {
		check(t, s.Commit(t.Context(), &incidents.Commit{Shard: shard, Facts: []incidents.Fact{
			{Kind: incidents.FactVote, Incident: incidents.ID(i), Action: "restart", Value: 1},
			{Kind: incidents.FactOutcome, Incident: incidents.ID(i), Took: time.Second, Context: incidents.Context{Service: "checkout"}},
		}}))
	}
	facts, err := s.Facts(t.Context(), shard, 0, 100)
	check(t, err)
	equal(t, "facts", len(facts), 10)
	for i, f := range facts {
		equal(t, "seq", f.Seq, int64(i+1))
		equal(t, "incident", f.Incident, incidents.ID(i/2))
	}
	equal(t, "service", facts[9].Context.Service, "checkout")
	part, err := s.Facts(t.Context(), shard, 3, 2)
	check(t, err)
	if len(part) != 2 || part[0].Seq != 4 || part[1].Seq != 5 {
		t.Fatalf("two facts after 3: %+v", part)
	}
	if shard > 0 {
		none, err := s.Facts(t.Context(), 0, 0, 10)
		check(t, err)
		equal(t, "facts of another shard", len(none), 0)
	}
}

func testSignals(t *testing.T, s storage.Store) {
	signals, cancel := s.Watch()
	await := func(match func(incidents.Signal) bool) {
		t.Helper()
		limit := time.After(20 * time.Second)
		for {
			select {
			case sig := <-signals:
				if match(sig) {
					return
				}
			case <-limit:
				t.Fatal("the signal did not come")
			}
		}
	}
	check(t, s.Append(t.Context(), batch("x", alert())))
	await(func(sig incidents.Signal) bool { return sig.Kind == incidents.SignalIntake })
	st := declare(t, s, s.Shards()-1, "by hand")
	await(func(sig incidents.Signal) bool {
		return sig.Kind == incidents.SignalIncident && sig.Incident == st.ID && sig.Shard == st.Shard
	})
	ask(t, s, effect(0, "e", 0, 1))
	await(func(sig incidents.Signal) bool {
		return sig.Kind == incidents.SignalEffect && sig.Lane == lane && sig.Shard == 0
	})
	_, err := s.Post(t.Context(), "lobby", "k", []byte("hello"), epoch)
	check(t, err)
	await(func(sig incidents.Signal) bool { return sig.Kind == incidents.SignalRoom && sig.Room == "lobby" })
	cancel()
	cancel()
	for range signals { // closed
	}
}

func testLeases(t *testing.T, s storage.Store) {
	held, err := s.Lease(t.Context(), "fold", "a", time.Minute)
	check(t, err)
	equal(t, "held", held, true)
	held, err = s.Lease(t.Context(), "fold", "a", time.Minute)
	check(t, err)
	equal(t, "renewed", held, true)
	held, err = s.Lease(t.Context(), "other", "b", time.Minute)
	check(t, err)
	equal(t, "another name", held, true)
}

func testPrune(t *testing.T, s storage.Store) {
	for i := range 20 {
		check(t, s.Append(t.Context(), batch("one", alert("n", name("%d", i)))))
	}
	_, err := s.Prune(t.Context(), 0)
	check(t, err)
	for log := range s.Shards() {
		entries := readAll(t, s, log)
		if len(entries) == 0 {
			continue
		}
		if entries[0].Offset != 1 {
			t.Fatalf("unread entries were pruned: the first is %d", entries[0].Offset)
		}
		last := entries[len(entries)-1].Offset
		half := last / 2
		check(t, s.Commit(t.Context(), &incidents.Commit{Shard: log, Fold: &incidents.Fold{Log: log, From: 0, To: half}}))
		n, err := s.Prune(t.Context(), time.Hour)
		check(t, err)
		equal(t, "pruned within the hour", n, 0)
		for range 2 { // a store may need to see the age of an entry twice
			_, err = s.Prune(t.Context(), 0)
			check(t, err)
		}
		rest := readAll(t, s, log)
		if rest[0].Offset > half+1 || // a store may keep more: it prunes by the segment
			rest[len(rest)-1].Offset != last {
			t.Fatalf("after folding to %d of %d: %d … %d", half, last, rest[0].Offset, rest[len(rest)-1].Offset)
		}
		// A log that was folded and pruned to the end goes on counting.
		check(t, s.Commit(t.Context(), &incidents.Commit{Shard: log, Fold: &incidents.Fold{Log: log, From: half, To: last}}))
		_, err = s.Prune(t.Context(), 0)
		check(t, err)
		check(t, s.Append(t.Context(), batch("one", alert())))
		more, err := s.ReadLog(t.Context(), log, last, 1<<20)
		check(t, err)
		if len(more) != 1 || more[0].Offset != last+1 {
			t.Fatalf("after pruning everything: %+v, want offset %d", more, last+1)
		}
		b, err := s.Backlog(t.Context())
		check(t, err)
		equal(t, "unfolded", b.Unfolded, 1)
	}
}

func testHealth(t *testing.T, s storage.Store) {
	h := s.Health(t.Context())
	if !h.Durable || len(h.Problems) > 0 || h.Kind == "" {
		t.Fatalf("health: %+v", h)
	}
}

func testNotFound(t *testing.T, s storage.Store) {
	_, err := s.Load(t.Context(), 42)
	equal(t, "code", incidents.CodeOf(err), incidents.NotFound)
	events, err := s.Events(t.Context(), 42, 0, 10)
	check(t, err)
	equal(t, "events", len(events), 0)
	page, err := s.List(t.Context(), incidents.Query{})
	check(t, err)
	if page.Incidents == nil || len(page.Incidents) != 0 || page.Next != 0 {
		t.Fatalf("an empty list: %+v", page)
	}
	entries, err := s.ReadLog(t.Context(), 0, 0, 1<<20)
	check(t, err)
	equal(t, "entries", len(entries), 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(gone, batch("x", alert())); err == nil {
		t.Fatal("appended although the caller had gone")
	}
}

// testHostileText: what comes from outside goes in and comes out as it was.
func testHostileText(t *testing.T, s storage.Store) {
	evil := "\x00\xff\xfe'\"; DROP TABLE incidents; --\r\n*3\r\n$3\r\nDEL {s0} ]]> %s ${x} \u202e 火消し"
	b := batch(evil, alert("pod", evil, evil, evil))
	check(t, s.Append(t.Context(), b))
	for log := range s.Shards() {
		for _, e := range readAll(t, s, log) {
			equal(t, "group key", e.Batches[0].GroupKey, evil)
			equal(t, "label", e.Batches[0].Alerts[0].Labels.Get(evil), evil)
		}
	}
	text := "'\"; DROP TABLE incidents; --\r\n*3\r\n$3\r\nDEL {s0}\x00 ]]> %s ${x} \u202e 火消し"
	st := declare(t, s, 0, text)
	advance(t, s, st, note(text))
	check(t, s.Commit(t.Context(), &incidents.Commit{Once: evil}))
	wantErr(t, s.Commit(t.Context(), &incidents.Commit{Once: evil}), incidents.ErrOnce)
	got, err := s.Load(t.Context(), st.ID)
	check(t, err)
	same(t, "incident", got, st)
	p, err := s.Post(t.Context(), evil, evil, []byte(evil), epoch)
	check(t, err)
	list, err := s.Postings(t.Context(), evil, 0, 10)
	check(t, err)
	if len(list) != 1 || list[0].Key != evil || !bytes.Equal(list[0].Body, p.Body) {
		t.Fatalf("read %+v, want %+v", list, p)
	}
	ask(t, s, effect(0, text, 0, 1))
	done(t, s, claimOne(t, s, 0, text))
}
