package sqlite

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// memory is what the store knows without asking the file. The writer alone
// changes it, after a transaction has been committed.
type memory struct {
	mu     sync.RWMutex
	heads  map[incidents.ID]head // a cache: what is not in it is in the file
	groups groups
	marks  map[markKey]int64
	once   map[shardKey]int64 // when, ns
	logs   []logState
	facts  []int64 // the last number of each shard
	open   int     // incidents that are open

	groupRow, onceRow int64
	lastID            atomic.Int64
	unfolded          atomic.Int64 // bytes in all logs after the marks
}

// head is what a commit is compared with.
type head struct {
	version int64
	since   int32 // bytes of events after the snapshot
	weight  int32 // bytes of the snapshot
	shard   uint16
	open    bool
}

type markKey struct{ shard, log int }

type shardKey struct {
	key   incidents.Key
	shard uint16
}

// groups are the open incidents of each group. Nearly every group has one, so
// one is kept in place and only more of them in a second map.
type groups struct {
	one  map[shardKey]group
	more map[shardKey][]incidents.ID
}

type group struct {
	row int64
	id  incidents.ID // 0: look in more
}

func (g *groups) get(k shardKey) ([]incidents.ID, int64) {
	one, ok := g.one[k]
	switch {
	case !ok:
		return nil, 0
	case one.id == 0:
		return slices.Clone(g.more[k]), one.row
	}
	return []incidents.ID{one.id}, one.row
}

func (g *groups) set(k shardKey, row int64, ids []incidents.ID) {
	delete(g.more, k)
	switch len(ids) {
	case 0:
		delete(g.one, k)
	case 1:
		g.one[k] = group{row: row, id: ids[0]}
	default:
		g.one[k] = group{row: row}
		g.more[k] = ids
	}
}

// logState follows one intake log: where it ends and how much is not folded.
type logState struct {
	end     int64
	waiting []entrySize // after the mark of the log's own shard, ascending
	bytes   int64
	recent  [][]byte // the last entries' bodies, up to end, for readers that keep up
	kept    int      // bytes in recent
}

type entrySize struct{ offset, size int64 }

// maxRecent bounds the bytes kept of the log: whoever keeps up reads what was
// just written without going through the file.
const maxRecent = 8 << 20

// add takes an entry that has been written.
func (l *logState) add(offset int64, body []byte) {
	if offset != l.end+1 { // after damage was taken away: what is kept is a run without gaps
		l.recent, l.kept = nil, 0
	}
	l.end = offset
	l.waiting = append(l.waiting, entrySize{l.end, int64(len(body))})
	l.bytes += int64(len(body))
	l.recent = append(l.recent, body)
	l.kept += len(body)
	l.forget(func() bool { return l.kept > maxRecent })
}

// forget drops kept entries from the front as long as tooMany says so.
func (l *logState) forget(tooMany func() bool) {
	for len(l.recent) > 0 && tooMany() {
		l.kept -= len(l.recent[0])
		l.recent[0] = nil
		l.recent = l.recent[1:]
	}
}

// after returns the bodies after an offset, where all of them are kept.
func (l *logState) after(offset int64) (bodies [][]byte, kept bool) {
	first := l.end - int64(len(l.recent)) + 1
	if offset+1 < first {
		return nil, false
	}
	return slices.Clone(l.recent[min(offset+1-first, int64(len(l.recent))):]), true
}

// folded forgets entries up to mark and says how many bytes that was.
func (l *logState) folded(mark int64) int64 {
	var gone int64
	n := 0
	for n < len(l.waiting) && l.waiting[n].offset <= mark {
		gone += l.waiting[n].size
		n++
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.bytes -= gone
	l.forget(func() bool { return l.end-int64(len(l.recent)) < mark })
	return gone
}

// maxHeads bounds the cache of heads; beyond it the cache starts anew.
const maxHeads = 1 << 16

func (m *memory) setHead(id incidents.ID, h head) {
	if len(m.heads) >= maxHeads {
		if _, there := m.heads[id]; !there {
			clear(m.heads)
		}
	}
	m.heads[id] = h
}

// weigh is a record.Weigher.
func (m *memory) weigh(id incidents.ID, version int64) (record.Weight, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	h, ok := m.heads[id]
	if !ok || h.version != version {
		return record.Weight{}, false
	}
	return record.Weight{Snapshot: int(h.weight), Since: int(h.since)}, true
}
