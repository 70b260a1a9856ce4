package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/storage"
)

var auditKeys = func() audit.Keys {
	keys, err := audit.ParseKeys(strings.Repeat("0123456789abcdef", 4))
	if err != nil {
		panic(err)
	}
	return keys
}()

// sealed makes the entries of records after head.
func sealed(t *testing.T, head audit.Head, records ...audit.Record) ([]audit.Entry, audit.Head) {
	t.Helper()
	var entries []audit.Entry
	for _, r := range records {
		if r.Replica == "" {
			r.Replica = "one"
		}
		r.At, r.By, r.Action = audit.TimeOf(time.Now()), audit.Person{ID: "console:you"}, audit.ActApprove
		e, err := auditKeys.Seal(head, r)
		check(t, err)
		entries, head = append(entries, e), audit.Head{Seq: e.Seq, MAC: e.MAC}
	}
	return entries, head
}

func testAudit(t *testing.T, s storage.Store) {
	head, err := s.AuditHead(t.Context())
	check(t, err)
	equal(t, "the head of an empty audit", head, audit.Head{})
	hostile := audit.Record{Kind: audit.Intent, Why: "\x00\xff'); DROP TABLE audit; --\r\n*3\r\n\u202e"}
	entries, head := sealed(t, audit.Head{}, hostile, audit.Record{Kind: audit.Intent, Replica: "two"}, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Done})
	if _, closed := errors.AsType[*audit.Closed](s.AppendAudit(t.Context(), audit.Head{}, entries)); !closed {
		t.Error("an intent and its outcome were taken in one batch")
	}
	check(t, s.AppendAudit(t.Context(), audit.Head{}, entries[:2]))
	check(t, s.AppendAudit(t.Context(), audit.Head{Seq: 2, MAC: entries[1].MAC}, entries[2:]))
	got, err := s.AuditHead(t.Context())
	check(t, err)
	equal(t, "head", got, head)
	list, err := s.AuditEntries(t.Context(), 0, 10)
	check(t, err)
	equal(t, "entries", len(list), 3)
	for i := range list {
		equal(t, "seq", list[i].Seq, entries[i].Seq)
		equal(t, "MAC", list[i].MAC, entries[i].MAC)
		equal(t, "body", string(list[i].Body), string(entries[i].Body))
	}
	owed, err := s.AuditOwed(t.Context())
	check(t, err)
	if len(owed) != 1 || owed[0] != (audit.Owed{Seq: 2, Owner: "two"}) {
		t.Fatalf("owed: %+v", owed)
	}
	part, err := s.AuditEntries(t.Context(), 1, 1)
	check(t, err)
	if len(part) != 1 || part[0].Seq != 2 {
		t.Fatalf("one entry after 1: %+v", part)
	}
}

// testAuditSwap: what does not go on where the chain ends is refused as a whole.
func testAuditSwap(t *testing.T, s storage.Store) {
	first, head := sealed(t, audit.Head{}, audit.Record{Kind: audit.Intent}, audit.Record{Kind: audit.Note})
	check(t, s.AppendAudit(t.Context(), audit.Head{}, first))
	other := head
	other.MAC[0] ^= 1
	for what, after := range map[string]audit.Head{"the beginning": {}, "an earlier record": {Seq: 1, MAC: first[0].MAC}, "another record": other} {
		entries, _ := sealed(t, after, audit.Record{Kind: audit.Note, Why: what})
		moved, ok := errors.AsType[*audit.Moved](s.AppendAudit(t.Context(), after, entries))
		if !ok || moved.Head != head {
			t.Errorf("after %s: %+v", what, moved)
		}
	}
	for what, of := range map[string]int64{"a note": 2, "itself": 3} {
		entries, _ := sealed(t, head, audit.Record{Kind: audit.Note})
		entries[0].Closes = of
		if closed, ok := errors.AsType[*audit.Closed](s.AppendAudit(t.Context(), head, entries)); !ok || closed.Intent != of {
			t.Errorf("the outcome of %s was taken", what)
		}
	}
	twice, _ := sealed(t, head, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Done}, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Unknown})
	if _, ok := errors.AsType[*audit.Closed](s.AppendAudit(t.Context(), head, twice)); !ok {
		t.Error("two outcomes in one batch were taken")
	}
	once, ended := sealed(t, head, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Done})
	check(t, s.AppendAudit(t.Context(), head, once))
	again, _ := sealed(t, ended, audit.Record{Kind: audit.Outcome, Of: 1, Result: audit.Unknown})
	if _, ok := errors.AsType[*audit.Closed](s.AppendAudit(t.Context(), ended, again)); !ok {
		t.Error("a second outcome was taken")
	}
	got, err := s.AuditHead(t.Context())
	check(t, err)
	equal(t, "head", got, ended)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if s.AppendAudit(gone, ended, again) == nil {
		t.Error("appended although the caller had gone")
	}
}

// testAuditRace: of those who append at one place exactly one does.
func testAuditRace(t *testing.T, s storage.Store) {
	const writers, rounds = 8, 10
	head := audit.Head{}
	for range rounds {
		var mu sync.Mutex
		var won []audit.Head
		var wg sync.WaitGroup
		for w := range writers {
			entries, next := sealed(t, head, audit.Record{Kind: audit.Note, Replica: name("%d", w)})
			wg.Go(func() {
				err := s.AppendAudit(t.Context(), head, entries)
				if _, lost := errors.AsType[*audit.Moved](err); lost {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				won = append(won, next)
				mu.Unlock()
			})
		}
		wg.Wait()
		equal(t, "winners", len(won), 1)
		head = won[0]
	}
	list, err := s.AuditEntries(t.Context(), 0, 100)
	check(t, err)
	end, err := auditKeys.Follow(audit.Head{}, list)
	check(t, err)
	equal(t, "head", end, head)
}
