package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
)

const (
	// ringsEndAfter is how much longer than its age a kind is there that nobody adds
	// to; one without an age has ringsLast.
	ringsEndAfter = time.Hour
	ringsLast     = 30 * 24 * time.Hour
	// pulledAtOnce is how many pieces one script reads: they are a few KiB each.
	pulledAtOnce = 64
)

// ringKey begins the keys of one kind of rings: one slot each, because one script has
// to see all of them. Kinds are names of our own.
func (s *Store) ringKey(kind string) string { return s.target.prefix + "{ring-" + kind + "}:" }

// PushRings implements storage.Rings. It is sent once: where the answer was lost, the
// sender sends what it holds again. Where memory is short, alerts go first.
func (s *Store) PushRings(ctx context.Context, kind string, bound incidents.RingBound, items []incidents.RingItem) (int64, error) {
	const doing = "write to a ring"
	if err := incidents.CheckRings(kind, bound, items); err != nil {
		return 0, err
	}
	if s.pressed.Load() {
		return 0, fault.Overloaded(doing)
	}
	ttl := ringsLast
	if bound.Age > 0 {
		ttl = bound.Age + ringsEndAfter
	}
	args := []any{bound.Ring, bound.All, bound.Age.Microseconds(), ttl.Milliseconds(), len(items)}
	for i := range items {
		item := &items[i]
		args = append(args, item.Ring, incidents.KeyOf(item.Ring).String(), item.Cost(), item.Body)
	}
	out, err := s.do(ctx, doing, &call{script: pushScript, key: s.ringKey(kind), args: args})
	if err != nil {
		return 0, err
	}
	last, err := strconv.ParseInt(str(out), 10, 64)
	if err != nil {
		return 0, fault.Unavailable(doing, fmt.Errorf("unexpected reply %v", out))
	}
	return last, nil
}

// PullRings implements storage.Rings.
func (s *Store) PullRings(ctx context.Context, kind string, after int64, maxBytes int) (items []incidents.RingItem, last int64, err error) {
	const doing = "read a ring"
	for bytes := 0; ; {
		out, err := s.do(ctx, doing, &call{script: pullScript, key: s.ringKey(kind), args: []any{max(after, 0), pulledAtOnce}, read: true})
		if err != nil {
			return nil, 0, err
		}
		answer := list(out)
		if last, err = strconv.ParseInt(str(at(answer, 0)), 10, 64); err != nil {
			return nil, 0, fmt.Errorf("%s: decode its last number: %w", doing, err)
		}
		found := list(at(answer, 1))
		for _, row := range found {
			item := ringItem(list(row))
			if bytes += len(item.Body); len(items) > 0 && bytes > maxBytes {
				return items, last, nil
			}
			items, after = append(items, item), item.Number
		}
		if len(found) < pulledAtOnce || bytes >= maxBytes {
			return items, last, nil
		}
	}
}

// ringItem reads an id and name, value pairs.
func ringItem(row []any) incidents.RingItem {
	first, _, _ := strings.Cut(str(at(row, 0)), "-")
	item := incidents.RingItem{Number: number(first)}
	fields := list(at(row, 1))
	for i := 0; i+1 < len(fields); i += 2 {
		switch str(fields[i]) {
		case "r":
			item.Ring = str(fields[i+1])
		case "b":
			item.Body = []byte(str(fields[i+1]))
		}
	}
	return item
}
