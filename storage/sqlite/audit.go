package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// auditSchema is made where it is missing: a store that an earlier release made
// gets its audit at the next start, and an earlier release takes no notice of it.
const auditSchema = `
CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, mac BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS audit_owed (seq INTEGER PRIMARY KEY, owner TEXT NOT NULL);
`

// auditing are entries of the audit on their way.
type auditing struct {
	after   audit.Head
	entries []audit.Entry
}

func (a *auditing) size() int {
	n := 64
	for i := range a.entries {
		n += len(a.entries[i].Body) + 64
	}
	return n
}

func (a *auditing) apply(t *tx) (error, error) {
	refusal, err := a.check(t)
	if refusal != nil || err != nil {
		return refusal, err
	}
	for i := range a.entries {
		e := &a.entries[i]
		if err := t.c.exec(insertAudit, e.Seq, e.MAC[:], e.Body); err != nil {
			return nil, err
		}
		if e.Opens != "" {
			err = t.c.exec(insertOwed, e.Seq, e.Opens)
		} else if e.Closes != 0 {
			err = t.c.exec(deleteOwed, e.Closes)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// check is the compare of compare-and-swap. It writes nothing.
func (a *auditing) check(t *tx) (refusal, err error) {
	head, err := auditHeadOf(t.c)
	if err != nil {
		return nil, err
	}
	if head != a.after {
		return &audit.Moved{Head: head}, nil
	}
	ends := map[int64]bool{}
	for i := range a.entries {
		of := a.entries[i].Closes
		if of == 0 {
			continue
		}
		row, err := t.c.one(getOwed, of)
		if err != nil {
			return nil, err
		}
		if row == nil || ends[of] {
			return &audit.Closed{Intent: of}, nil
		}
		ends[of] = true
	}
	return nil, nil
}

func auditHeadOf(c *conn) (audit.Head, error) {
	row, err := c.one(auditHead)
	if err != nil || row == nil {
		return audit.Head{}, err
	}
	return audit.Head{Seq: integer(row[0]), MAC: macOf(blob(row[1]))}, nil
}

// macOf reads a MAC. Where somebody made it longer or shorter it is the zero
// one, which verifies as nothing.
func macOf(b []byte) (m audit.MAC) {
	if len(b) == len(m) {
		copy(m[:], b)
	}
	return m
}

// AuditHead implements storage.Audit.
func (s *Store) AuditHead(ctx context.Context) (head audit.Head, err error) {
	err = s.read(ctx, "read the audit", func(c *conn) (err error) {
		head, err = auditHeadOf(c)
		return err
	})
	return head, err
}

// AppendAudit implements storage.Audit.
func (s *Store) AppendAudit(ctx context.Context, after audit.Head, entries []audit.Entry) error {
	a := &auditing{after: after}
	for _, e := range entries { // the writer may come to it after the caller has gone
		e.Body = bytes.Clone(e.Body)
		a.entries = append(a.entries, e)
	}
	return s.submit(ctx, "append to the audit", a, 0)
}

// AuditEntries implements storage.Audit.
func (s *Store) AuditEntries(ctx context.Context, after int64, max int) (list []audit.Entry, err error) {
	err = s.read(ctx, "read the audit", func(c *conn) (err error) {
		list, err = auditEntries(c, after, max)
		return err
	})
	return list, err
}

func auditEntries(c *conn, after int64, max int) (list []audit.Entry, err error) {
	err = c.each(readAudit, func(row columns) error {
		list = append(list, audit.Entry{Seq: integer(row[0]), MAC: macOf(blob(row[1])), Body: blob(row[2])})
		return nil
	}, after, int64(record.Rows(max)))
	return list, err
}

// AuditOwed implements storage.Audit.
func (s *Store) AuditOwed(ctx context.Context) (list []audit.Owed, err error) {
	err = s.read(ctx, "read the audit", func(c *conn) error {
		return c.each(allOwed, func(row columns) error {
			list = append(list, audit.Owed{Seq: integer(row[0]), Owner: text(row[1])})
			return nil
		})
	})
	return list, err
}

// AuditReader reads the audit of a data directory that another process may have.
type AuditReader struct {
	mu sync.Mutex
	c  *conn
}

// OpenAudit opens it. It makes nothing where there is nothing.
func OpenAudit(dir string) (*AuditReader, error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		return nil, incidents.Fail(incidents.NotFound, "error.audit_no_store", "there is no store in "+dir, "dir", dir).
			WithHint("hikeshi audit verify --config FILE, or --data DIR")
	}
	c, err := openConn(dsn(path, readerCache, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	return &AuditReader{c: c}, nil
}

// AuditEntries returns those with a Seq above after, ascending, at most max.
func (r *AuditReader) AuditEntries(_ context.Context, after int64, max int) ([]audit.Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, err := r.c.one(hasAudit)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	if integer(known[0]) == 0 { // an earlier release made the store
		return nil, nil
	}
	list, err := auditEntries(r.c, after, max)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return list, nil
}

// Close lets go of the file.
func (r *AuditReader) Close() error { return r.c.close() }
