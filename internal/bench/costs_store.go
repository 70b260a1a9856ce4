package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteCosts inserts records into a table with an ascending and one with a
// random key, synchronous FULL, some to a transaction.
func sqliteCosts(ctx context.Context, l *lab) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(l.dir, "costs.db")+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return fmt.Errorf("open a database: %w", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE ascending (k INTEGER PRIMARY KEY, v BLOB) ; CREATE TABLE random (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID`); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	next := 0
	for _, c := range []struct {
		table string
		n     int
		key   func() any
	}{
		{"ascending", 1, func() any { next++; return next }},
		{"ascending", 100, func() any { next++; return next }},
		{"random", 100, func() any {
			return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, rand.Uint64()), rand.Uint64())
		}},
	} {
		if c.table == "random" {
			if err := fillRandom(ctx, db, c.key, l.size.active); err != nil {
				return err
			}
		}
		name := fmt.Sprintf("cost.sqlite_%s_%d_a_commit", c.table, c.n)
		err := l.rated(ctx, name, "records/s", c.n, func() error { return insert(ctx, db, c.table, c.n, c.key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// fillRandom makes the table large enough that random keys meet different pages.
func fillRandom(ctx context.Context, db *sql.DB, key func() any, n int) error {
	for range n / 10_000 {
		if err := insert(ctx, db, "random", 10_000, key); err != nil {
			return err
		}
	}
	return nil
}

func insert(ctx context.Context, db *sql.DB, table string, n int, key func() any) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after Commit it does nothing
	stmt, err := tx.PrepareContext(ctx, `INSERT INTO `+table+` (k, v) VALUES (?, ?)`)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer stmt.Close()
	record := make([]byte, alertBytes)
	for range n {
		if _, err := stmt.ExecContext(ctx, key(), record); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
	}
	return tx.Commit()
}

// redisCosts appends records to a stream, fsync always, some to a pipeline.
func redisCosts(ctx context.Context, l *lab) error {
	if len(l.stores) == 0 || l.stores[len(l.stores)-1] != redis {
		return nil
	}
	t := &target{subject: redis, lab: l, dir: l.dir}
	if err := t.startRedis(ctx); err != nil {
		return err
	}
	defer t.redis.stop()
	c, err := net.DialTimeout("tcp", t.store, time.Second)
	if err != nil {
		return fmt.Errorf("connect to redis: %w", err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	one := "*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nb\r\n$" + strconv.Itoa(alertBytes) + "\r\n" + string(bytes.Repeat([]byte("x"), alertBytes)) + "\r\n"
	for _, n := range []int{1, 16, 64} {
		batch := bytes.Repeat([]byte(one), n)
		err := l.rated(ctx, fmt.Sprintf("cost.redis_xadd_%d_a_pipeline", n), "records/s", n, func() error {
			if _, err := c.Write(batch); err != nil {
				return err
			}
			return readIDs(r, n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readIDs reads n bulk strings.
func readIDs(r *bufio.Reader, n int) error {
	for range n {
		head, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		size, err := strconv.Atoi(string(bytes.TrimSpace([]byte(head[1:]))))
		if err != nil || head[0] != '$' {
			return fmt.Errorf("%w: %.100q", errRedis, head)
		}
		if _, err := io.CopyN(io.Discard, r, int64(size+2)); err != nil {
			return err
		}
	}
	return nil
}
