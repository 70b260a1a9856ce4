package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"math"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	// maxRingsWaiting bounds the bytes before the writer at which pieces of rings are
	// refused: far less than what may wait of incidents, which go first.
	maxRingsWaiting = 8 << 20
	// agedAtOnce bounds how many pieces go for their age in one step.
	agedAtOnce = 256
)

// pushing are pieces on their way into their rings.
type pushing struct {
	kind  string
	bound incidents.RingBound
	items []incidents.RingItem
	last  int64 // once it is answered
}

func (p *pushing) size() int {
	n := 64
	for i := range p.items {
		n += p.items[i].Cost()
	}
	return n
}

// ringKind is a row of ring_kinds.
type ringKind struct{ no, last, bytes int64 }

func (p *pushing) apply(t *tx) (refusal, failure error) {
	kind, err := ringKindOf(t.c, p.kind, true)
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixNano()
	grown := map[string]int64{}
	for i := range p.items {
		if err := p.insert(t.c, &kind, &p.items[i], now, grown); err != nil {
			return nil, err
		}
	}
	for name, ring := range grown {
		if err := p.trimRing(t.c, &kind, name, ring); err != nil {
			return nil, err
		}
	}
	if err := p.trimKind(t.c, &kind, now); err != nil {
		return nil, err
	}
	p.last = kind.last
	return nil, t.c.exec(updateRingKind, kind.last, kind.bytes, kind.no)
}

// ringKindOf finds the kind; where there is none it is made, or the zero one.
func ringKindOf(c *conn, name string, made bool) (ringKind, error) {
	row, err := c.one(getRingKind, name)
	if err == nil && row == nil && made {
		if err = c.exec(insertRingKind, name); err == nil {
			row, err = c.one(getRingKind, name)
		}
	}
	if err != nil || row == nil {
		return ringKind{}, err
	}
	return ringKind{integer(row[0]), integer(row[1]), integer(row[2])}, nil
}

func (p *pushing) insert(c *conn, kind *ringKind, item *incidents.RingItem, now int64, grown map[string]int64) error {
	ring, known := grown[item.Ring]
	if !known {
		row, err := c.one(getRing, kind.no, item.Ring)
		if err == nil && row == nil {
			if err = c.exec(insertRing, kind.no, item.Ring); err == nil {
				row, err = c.one(getRing, kind.no, item.Ring)
			}
		}
		if err != nil {
			return err
		}
		ring = integer(row[0])
		grown[item.Ring] = ring
	}
	kind.last++
	cost := int64(item.Cost())
	kind.bytes += cost
	if err := c.exec(growRing, cost, ring); err != nil {
		return err
	}
	return c.exec(insertRingItem, rowID(int(kind.no), kind.last), ring, now, cost, item.Body)
}

// trimRing drops the oldest of one ring.
func (p *pushing) trimRing(c *conn, kind *ringKind, name string, ring int64) error {
	row, err := c.one(getRing, kind.no, name)
	if err != nil {
		return err
	}
	over := integer(row[1]) - int64(p.bound.Ring)
	return p.drop(c, kind, func(int64) bool { return over > 0 }, func(cost int64) { over -= cost }, oldestOfRing, ring)
}

// trimKind drops the oldest of all, and what is too old.
func (p *pushing) trimKind(c *conn, kind *ringKind, now int64) error {
	before, aged := int64(math.MinInt64), 0
	if p.bound.Age > 0 {
		before = now - int64(p.bound.Age)
	}
	much := func(at int64) bool {
		if kind.bytes > int64(p.bound.All) {
			return true
		}
		aged++
		return at < before && aged <= agedAtOnce
	}
	return p.drop(c, kind, much, func(int64) {}, oldestOfKind, rowID(int(kind.no), 0), rowID(int(kind.no)+1, 0))
}

// drop takes away what the query finds, for as long as it is too much.
func (p *pushing) drop(c *conn, kind *ringKind, much func(at int64) bool, gone func(cost int64), q query, args ...driver.Value) error {
	for {
		var old []columns
		if err := c.each(q, func(row columns) error {
			old = append(old, append(columns{}, row...))
			return nil
		}, args...); err != nil {
			return err
		}
		for _, row := range old {
			ring, cost := integer(row[1]), integer(row[2])
			if !much(integer(row[3])) {
				return nil
			}
			kind.bytes -= cost
			gone(cost)
			if err := c.exec(deleteRingItem, integer(row[0])); err != nil {
				return err
			}
			if err := c.exec(growRing, -cost, ring); err != nil {
				return err
			}
			if err := c.exec(dropRing, ring); err != nil {
				return err
			}
		}
		if len(old) == 0 {
			return nil
		}
	}
}

// PushRings implements storage.Rings.
func (s *Store) PushRings(ctx context.Context, kind string, bound incidents.RingBound, items []incidents.RingItem) (int64, error) {
	if err := incidents.CheckRings(kind, bound, items); err != nil {
		return 0, err
	}
	p := &pushing{kind: kind, bound: bound}
	for _, item := range items { // the writer may come to it after the caller has gone
		item.Body = append([]byte{}, item.Body...)
		p.items = append(p.items, item)
	}
	if err := s.submit(ctx, "write to a ring", p, maxRingsWaiting); err != nil {
		return 0, err
	}
	return p.last, nil
}

// PullRings implements storage.Rings.
func (s *Store) PullRings(ctx context.Context, kind string, after int64, maxBytes int) (items []incidents.RingItem, last int64, err error) {
	err = s.read(ctx, "read a ring", func(c *conn) error {
		found, err := ringKindOf(c, kind, false)
		if err != nil || found.no == 0 {
			return err
		}
		last = found.last
		bytes := 0
		err = c.each(pullRingItems, func(row columns) error {
			item := incidents.RingItem{Number: numberOf(integer(row[0])), Ring: text(row[1]), Body: blob(row[2])}
			if bytes += len(item.Body); len(items) > 0 && bytes > maxBytes {
				return errStop
			}
			items, last = append(items, item), max(last, item.Number)
			return nil
		}, rowID(int(found.no), max(after, 0)), rowID(int(found.no)+1, 0))
		if errors.Is(err, errStop) {
			return nil
		}
		return err
	})
	return items, last, err
}
