package sqlite

import (
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// queue is what is known in memory of the effects that wait: enough to say
// which is next and whether a key is in it, about 90 bytes an effect. The rest
// of an effect is read from its row when it is claimed.
//
// A claim lives here only: should the process die, its effects are simply
// waiting again.
type queue struct {
	mu     sync.Mutex
	items  []item // slab; free holds the unused positions
	free   []int32
	index  map[incidents.Key]int32 // by the hash of the effect's key
	claims map[int32]*claimed
	lanes  []lane
	laneOf map[laneKey]uint16
	token  int64
	row    int64                       // the highest row given out
	bodies map[int64]*incidents.Effect // of effects due at once, to save reading the row back
}

type item struct {
	key     incidents.Key
	row     int64
	due     int64 // on the clock's line; of a claimed one: when the lease ends
	pos     int32 // in its heap; -1 while the writer has it
	lane    uint16
	attempt uint16
	urgency uint8
}

type claimed struct {
	token int64
	again int64 // due of the next turn, asked for meanwhile; 0: none
	since int64
	noted bool // the attempt is in the file
	owner string
}

type laneKey struct {
	shard int
	name  string
}

// lane has one heap for each urgency: the most urgent first, then the oldest.
type lane struct {
	laneKey
	heaps [record.Urgencies]heap
}

// maxBodies bounds the bodies kept in memory.
const maxBodies = 4096

func newQueue() *queue {
	return &queue{
		index: map[incidents.Key]int32{}, claims: map[int32]*claimed{},
		laneOf: map[laneKey]uint16{}, bodies: map[int64]*incidents.Effect{},
	}
}

func effectKey(key string) incidents.Key { return incidents.KeyOf(key) }

func (q *queue) laneIndex(k laneKey) uint16 {
	n, ok := q.laneOf[k]
	if !ok {
		n = uint16(len(q.lanes))
		q.lanes = append(q.lanes, lane{laneKey: k})
		q.laneOf[k] = n
	}
	return n
}

// laneKey is the lane of a pinned item.
func (q *queue) laneKey(i int32) laneKey {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lanes[q.items[i].lane].laneKey
}

func (q *queue) heapOf(i int32) *heap {
	it := &q.items[i]
	return &q.lanes[it.lane].heaps[it.urgency-1]
}

// add takes a new item in; the lock is held, or nobody else is there yet.
func (q *queue) add(it item) int32 {
	var i int32
	if n := len(q.free); n > 0 {
		i, q.free = q.free[n-1], q.free[:n-1]
		q.items[i] = it
	} else {
		i = int32(len(q.items))
		q.items = append(q.items, it)
	}
	q.index[it.key] = i
	q.push(i)
	return i
}

func (q *queue) drop(i int32) {
	q.remove(i)
	delete(q.index, q.items[i].key)
	delete(q.claims, i)
	delete(q.bodies, q.items[i].row)
	q.items[i] = item{pos: -1}
	q.free = append(q.free, i)
}

// taken is what take found: a claim without its effect.
type taken struct {
	slot    int32
	row     int64
	token   int64
	attempt int
	before  string            // who had it and let the lease run out
	body    *incidents.Effect // nil: read the row
}

// take claims up to ask.Max effects that are due at now.
func (q *queue) take(ask incidents.ClaimQuery, now int64) (found []taken, next int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var lanes []uint16
	for i := range q.lanes {
		if q.lanes[i].name == ask.Lane && (ask.Shard == q.lanes[i].shard || ask.Shard == incidents.AnyShard) {
			lanes = append(lanes, uint16(i))
		}
	}
	for u := range record.Urgencies {
		for _, n := range lanes {
			for len(found) < ask.Max {
				h := q.lanes[n].heaps[u]
				if len(h) == 0 || q.items[h[0]].due > now {
					break
				}
				found = append(found, q.claim(h[0], ask, now))
			}
		}
	}
	for _, n := range lanes {
		for u := range record.Urgencies {
			if h := q.lanes[n].heaps[u]; len(h) > 0 {
				if due := q.items[h[0]].due; next == 0 || due < next {
					next = due
				}
			}
		}
	}
	return found, next
}

func (q *queue) claim(i int32, ask incidents.ClaimQuery, now int64) taken {
	it := &q.items[i]
	q.remove(i)
	q.token++
	c, before := q.claims[i], ""
	if c == nil {
		c = &claimed{}
		q.claims[i] = c
	} else {
		before = c.owner
	}
	*c = claimed{token: q.token, again: c.again, since: now, owner: ask.Owner}
	it.attempt++
	it.due = now + int64(ask.Lease)
	q.push(i)
	body := q.bodies[it.row]
	delete(q.bodies, it.row)
	return taken{slot: i, row: it.row, token: c.token, attempt: int(it.attempt), before: before, body: body}
}

// release gives back what take found and could not be read: as if it had
// never been taken.
func (q *queue) release(found []taken, now int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range found {
		if c := q.claims[t.slot]; c == nil || c.token != t.token {
			continue
		}
		delete(q.claims, t.slot)
		q.remove(t.slot)
		q.items[t.slot].due = now
		q.items[t.slot].attempt--
		q.push(t.slot)
	}
}

// longHeld returns the effects that have been claimed for longer than noteAfter
// and whose attempt is not in the file yet.
func (q *queue) longHeld(now int64) []incidents.Key {
	q.mu.Lock()
	defer q.mu.Unlock()
	var keys []incidents.Key
	for i, c := range q.claims {
		if !c.noted && now-c.since > noteAfter {
			c.noted = true
			keys = append(keys, q.items[i].key)
		}
	}
	return keys
}

// extend makes a claim hold until due.
func (q *queue) extend(key incidents.Key, token, due int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, ok := q.index[key]
	if !ok {
		return false
	}
	if c := q.claims[i]; c == nil || c.token != token {
		return false
	}
	if q.items[i].pos < 0 { // the writer has it and puts it back with this due
		q.items[i].due = due
		return true
	}
	q.remove(i)
	q.items[i].due = due
	q.push(i)
	return true
}

// backlog counts by lane.
func (q *queue) backlog(c clock) map[string]incidents.LaneBacklog {
	q.mu.Lock()
	defer q.mu.Unlock()
	lanes := map[string]incidents.LaneBacklog{}
	oldest := map[string]int64{}
	for i := range q.lanes {
		l := &q.lanes[i]
		b := lanes[l.name]
		for u := range l.heaps {
			b.Waiting += len(l.heaps[u])
			if len(l.heaps[u]) > 0 {
				if due := q.items[l.heaps[u][0]].due; oldest[l.name] == 0 || due < oldest[l.name] {
					oldest[l.name] = due
				}
			}
		}
		lanes[l.name] = b
	}
	for i := range q.claims {
		b := lanes[q.lanes[q.items[i].lane].name]
		b.Claimed++
		if q.items[i].pos >= 0 {
			b.Waiting--
		}
		lanes[q.lanes[q.items[i].lane].name] = b
	}
	for name, due := range oldest {
		b := lanes[name]
		b.Oldest = c.wall(due)
		lanes[name] = b
	}
	return lanes
}

// noteAfter is how long a claim stays in memory only. Nearly all effects are
// done before; one that takes the process down with it must not be tried for
// ever as if it were the first time.
const noteAfter = int64(400 * time.Millisecond)

// soon is how near an effect must be due for its body to be kept in memory.
const soon = int64(2 * time.Second)
