package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// auditKey begins the keys of the audit: one slot, whatever the number of shards,
// because one script has to see all of them.
func (s *Store) auditKey() string { return s.target.prefix + "{audit}:" }

// AppendAudit implements storage.Audit. It may be sent twice: entries that stand
// there already, by number and MAC, are ours.
func (s *Store) AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error {
	const doing = "append to the audit"
	if len(entries) == 0 {
		return nil
	}
	mac := ""
	if after.Seq > 0 {
		mac = string(after.MAC[:])
	}
	args := []any{after.Seq, mac, len(entries)}
	for i := range entries {
		e := &entries[i]
		args = append(args, e.Seq, string(e.MAC[:]), e.Body, e.Opens, e.Closes)
	}
	out, err := s.doTwice(ctx, doing, &call{script: auditScript, key: s.auditKey(), args: args})
	if err != nil {
		return err
	}
	answer := list(out)
	switch str(at(answer, 0)) {
	case "ok":
		return nil
	case "moved":
		return &audit.Moved{Head: audit.Head{Seq: number(at(answer, 1)), MAC: macOf(at(answer, 2))}}
	case "closed":
		return &audit.Closed{Intent: number(at(answer, 1))}
	}
	return fmt.Errorf("%s: the script answered %v", doing, out)
}

// AuditHead implements storage.Audit.
func (s *Store) AuditHead(ctx context.Context) (audit.Head, error) {
	found, err := s.auditEntries(ctx, "head")
	if err != nil || len(found) == 0 {
		return audit.Head{}, err
	}
	return audit.Head{Seq: found[0].Seq, MAC: found[0].MAC}, nil
}

// AuditEntries implements storage.Audit.
func (s *Store) AuditEntries(ctx context.Context, after int64, max int) ([]audit.Entry, error) {
	return s.auditEntries(ctx, "entries", after, record.Rows(max))
}

func (s *Store) auditEntries(ctx context.Context, args ...any) ([]audit.Entry, error) {
	out, err := s.do(ctx, "read the audit", &call{script: auditReadScript, key: s.auditKey(), args: args, read: true})
	if err != nil {
		return nil, err
	}
	found := make([]audit.Entry, 0, len(list(out)))
	for _, row := range list(out) {
		found = append(found, auditEntry(list(row)))
	}
	return found, nil
}

// auditEntry reads an id and name, value pairs. Whatever somebody else put there
// is read too, as an entry that does not verify.
func auditEntry(row []any) audit.Entry {
	first, rest, _ := strings.Cut(str(at(row, 0)), "-")
	e := audit.Entry{Seq: number(first)}
	if rest != "0" {
		e.Seq = 0
	}
	fields := list(at(row, 1))
	for i := 0; i+1 < len(fields); i += 2 {
		switch str(fields[i]) {
		case "m":
			e.MAC = macOf(fields[i+1])
		case "b":
			e.Body = []byte(str(fields[i+1]))
		}
	}
	return e
}

// macOf is the zero MAC, which verifies as nothing, for what has another size.
func macOf(v any) (m audit.MAC) {
	if raw := str(v); len(raw) == len(m) {
		copy(m[:], raw)
	}
	return m
}

// AuditOwed implements storage.Audit.
func (s *Store) AuditOwed(ctx context.Context) ([]audit.Owed, error) {
	out, err := s.do(ctx, "read the audit", &call{script: auditReadScript, key: s.auditKey(), args: []any{"owed"}, read: true})
	if err != nil {
		return nil, err
	}
	var owed []audit.Owed
	pairs := list(out)
	for i := 0; i+1 < len(pairs); i += 2 {
		seq, err := strconv.ParseInt(str(pairs[i]), 10, 64)
		if err != nil {
			continue // not ours
		}
		owed = append(owed, audit.Owed{Seq: seq, Owner: str(pairs[i+1])})
	}
	slices.SortFunc(owed, func(a, b audit.Owed) int { return cmp.Compare(a.Seq, b.Seq) })
	return owed, nil
}
