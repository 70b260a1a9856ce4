package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// load fills the memory from the file.
func (s *Store) load(ctx context.Context) error {
	m := &s.mem
	m.heads = map[incidents.ID]head{}
	m.marks = map[markKey]int64{}
	m.once = map[shardKey]int64{}
	m.groups = groups{one: map[shardKey]group{}, more: map[shardKey][]incidents.ID{}}
	m.logs = make([]logState, s.shards)
	m.facts = make([]int64, s.shards)
	s.tables = make([]int64, s.shards)
	for _, step := range []func() error{s.loadMarks, s.loadCounts, s.loadLogs, s.loadGroups, s.loadOnce, s.loadEffects} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) loadMarks() error {
	return s.conn.each(allMarks, func(row columns) error {
		s.mem.marks[markKey{int(integer(row[0])), int(integer(row[1]))}] = integer(row[2])
		return nil
	})
}

func (s *Store) loadCounts() error {
	row, err := s.conn.one(maxIncident)
	if err != nil {
		return err
	}
	s.mem.lastID.Store(integer(row[0]))
	if row, err = s.conn.one(countOpen); err != nil {
		return err
	}
	s.mem.open = int(integer(row[0]))
	for shard := range s.shards {
		if row, err = s.conn.one(lastFact, rowID(shard, 0), rowID(shard+1, 0)-1); err != nil {
			return err
		}
		if row != nil {
			s.mem.facts[shard] = numberOf(integer(row[0]))
		}
	}
	return nil
}

// loadLogs finds where each log ends, as far as the database knows. A log that
// was trimmed to nothing ends at its mark.
func (s *Store) loadLogs() error {
	for log := range s.shards {
		l, mark := &s.mem.logs[log], s.mem.marks[markKey{log, log}]
		row, err := s.conn.one(lastEntry, rowID(log, 0), rowID(log+1, 0)-1)
		if err != nil {
			return err
		}
		l.end = mark
		if row != nil {
			s.tables[log] = numberOf(integer(row[0]))
			l.end = max(l.end, s.tables[log])
		}
		err = s.conn.each(sizeEntries, func(row columns) error {
			l.waiting = append(l.waiting, entrySize{numberOf(integer(row[0])), integer(row[1])})
			l.bytes += integer(row[1])
			return nil
		}, rowID(log, mark), rowID(log+1, 0)-1)
		if err != nil {
			return err
		}
		s.mem.unfolded.Add(l.bytes)
	}
	return nil
}

func (s *Store) loadGroups() error {
	return s.conn.each(allGroups, func(row columns) error {
		k, ids, err := unpackGroup(blob(row[1]))
		s.mem.groupRow = integer(row[0])
		s.mem.groups.set(k, s.mem.groupRow, ids)
		return err
	})
}

func (s *Store) loadOnce() error {
	return s.conn.each(allOnce, func(row columns) error {
		key := blob(row[2])
		if len(key) != len(incidents.Key{}) {
			return fmt.Errorf("once name %d has a key of %d bytes", integer(row[0]), len(key))
		}
		s.mem.onceRow = integer(row[0])
		s.mem.once[shardKey{incidents.Key(key), uint16(integer(row[1]))}] = integer(row[3])
		return nil
	})
}

func (s *Store) loadEffects() error {
	q, base := s.queue, time.Now().UnixNano()
	now := s.clock.now()
	return s.conn.each(allEffects, func(row columns) error {
		h, err := unpackHead(blob(row[1]))
		if err != nil {
			return err
		}
		q.row = integer(row[0])
		it := h.item
		it.row, it.due, it.lane = q.row, now+it.due-base, q.laneIndex(h.lane)
		q.add(it)
		return nil
	})
}
