package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection with its prepared statements. It talks to the driver
// itself rather than through database/sql, which would cost as much again as
// the statements do. One goroutine at a time uses it.
type conn struct {
	raw   driver.Conn
	stmts [queryCount]driver.Stmt
	args  []driver.NamedValue
}

// The page cache of each connection, in KiB. A reader's is void after each commit
// and costs to be emptied, so it is small: the system caches the file anyway.
const (
	writerCache = 16 << 10
	readerCache = 256
)

func dsn(path string, cacheKiB int, extra ...string) string {
	v := url.Values{"_pragma": {
		"busy_timeout(5000)", "journal_mode(wal)", "synchronous(full)", "temp_store(memory)",
		fmt.Sprintf("cache_size(-%d)", cacheKiB),
	}}
	v["_pragma"] = append(v["_pragma"], extra...)
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + v.Encode()
}

// columns are the values of a row.
type columns = []driver.Value

func openConn(dsn string) (*conn, error) {
	raw, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &conn{raw: raw}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		if s != nil {
			_ = s.Close() // the connection goes too
		}
	}
	return c.raw.Close()
}

func (c *conn) prepared(q query) (driver.Stmt, error) {
	if s := c.stmts[q]; s != nil {
		return s, nil
	}
	s, err := c.raw.(driver.ConnPrepareContext).PrepareContext(context.Background(), statements[q])
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", statements[q], err)
	}
	c.stmts[q] = s
	return s, nil
}

func (c *conn) named(args []driver.Value) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs a statement that returns nothing.
func (c *conn) exec(q query, args ...driver.Value) error {
	s, err := c.prepared(q)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(context.Background(), c.named(args))
	clear(c.args)
	return err
}

// errStop ends a query early without an error.
var errStop = errors.New("enough")

// each runs a statement and calls see for every row. The row is see's only
// until it returns; blobs and strings in it are its own.
func (c *conn) each(q query, see func(row columns) error, args ...driver.Value) error {
	s, err := c.prepared(q)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.named(args))
	clear(c.args)
	if err != nil {
		return err
	}
	err = c.walk(rows, see)
	if closing := rows.Close(); err == nil {
		err = closing
	}
	return err
}

func (c *conn) walk(rows driver.Rows, see func(row columns) error) error {
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := see(row); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
}

// one returns the first row, or nil where there is none.
func (c *conn) one(q query, args ...driver.Value) ([]driver.Value, error) {
	var first []driver.Value
	err := c.each(q, func(row []driver.Value) error {
		first = append(first, row...)
		return errStop
	}, args...)
	return first, err
}

// script runs several statements that take nothing and return nothing.
func (c *conn) script(sql string) error {
	_, err := c.raw.(driver.ExecerContext).ExecContext(context.Background(), sql, nil)
	return err
}

// Values as columns hold them. A NULL is the zero value.

func integer(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}

func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

// ofTheOperation says that the error is about what was asked, not about the
// file: the other operations of the same transaction may well succeed.
func ofTheOperation(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return true
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_CONSTRAINT, lib.SQLITE_TOOBIG, lib.SQLITE_MISMATCH, lib.SQLITE_RANGE, lib.SQLITE_ERROR, lib.SQLITE_MISUSE:
		return true
	}
	return false
}

// noRoom says that the disk is full.
func noRoom(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return true
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == lib.SQLITE_FULL
}

// corrupt says that the file is not what we wrote.
func corrupt(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code()&0xff == lib.SQLITE_CORRUPT || e.Code()&0xff == lib.SQLITE_NOTADB)
}
