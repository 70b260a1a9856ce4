package sqlite

import (
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// tx is one transaction: many operations, each seeing what those before it
// staged. What is staged becomes visible to readers only after the commit.
type tx struct {
	s       *Store
	c       *conn
	now     int64
	heads   map[incidents.ID]head
	groups  map[shardKey]stagedGroup
	marks   map[markKey]int64
	once    map[shardKey]int64
	facts   map[int]int64
	effects map[incidents.Key]*staged
	order   []incidents.Key // of effects, so that new rows are written ascending
	forget  []shardKey      // once names
	open    int
	signals []incidents.Signal
	told    map[incidents.Signal]bool // what is in signals: a storm's transaction has thousands
}

type stagedGroup struct {
	row int64
	ids []incidents.ID
}

func newTx(s *Store, c *conn) *tx {
	return &tx{
		s: s, c: c, now: s.clock.now(),
		heads: map[incidents.ID]head{}, groups: map[shardKey]stagedGroup{}, marks: map[markKey]int64{},
		once: map[shardKey]int64{}, facts: map[int]int64{},
		effects: map[incidents.Key]*staged{}, told: map[incidents.Signal]bool{},
	}
}

// effect pins the effect for this transaction.
func (t *tx) effect(key incidents.Key) *staged {
	s, ok := t.effects[key]
	if !ok {
		pinned := t.s.queue.pin(key)
		s = &pinned
		t.effects[key] = s
		t.order = append(t.order, key)
	}
	return s
}

// head returns the version and weights of an incident; the zero head for one
// that does not exist.
func (t *tx) head(id incidents.ID) (head, error) {
	if h, ok := t.heads[id]; ok {
		return h, nil
	}
	if h, ok := t.s.mem.heads[id]; ok { // the writer alone writes: no lock
		return h, nil
	}
	row, err := t.c.one(getHead, int64(id))
	if err != nil || row == nil {
		return head{}, err
	}
	return head{
		version: integer(row[0]), since: int32(integer(row[1])), weight: int32(integer(row[2])),
		open: integer(row[3]) == 1, shard: uint16(integer(row[4])),
	}, nil
}

func (t *tx) group(k shardKey) ([]incidents.ID, int64) {
	if g, ok := t.groups[k]; ok {
		return g.ids, g.row
	}
	return t.s.mem.groups.get(k)
}

func (t *tx) mark(k markKey) int64 {
	if m, ok := t.marks[k]; ok {
		return m
	}
	return t.s.mem.marks[k]
}

func (t *tx) signal(sig incidents.Signal) {
	if !t.told[sig] {
		t.told[sig] = true
		t.signals = append(t.signals, sig)
	}
}

// flush writes what was collected rather than written at once: one statement for
// each effect however often it was asked for.
func (t *tx) flush() error {
	if len(t.effects) > 0 {
		failpoint.Hit("sqlite.effects.before_write")
	}
	for _, key := range t.order {
		if err := t.effects[key].write(key, t); err != nil {
			return err
		}
	}
	return nil
}

// publish makes the committed transaction visible.
func (t *tx) publish() {
	m := &t.s.mem
	m.mu.Lock()
	for id, h := range t.heads {
		m.setHead(id, h)
	}
	for k, g := range t.groups {
		m.groups.set(k, g.row, g.ids)
	}
	for k, v := range t.once {
		m.once[k] = v
	}
	for _, k := range t.forget {
		delete(m.once, k)
	}
	for shard, n := range t.facts {
		m.facts[shard] = n
	}
	for k, v := range t.marks {
		m.marks[k] = v
		if k.shard == k.log {
			m.unfolded.Add(-m.logs[k.log].folded(v))
		}
	}
	m.open += t.open
	m.mu.Unlock()
	for key, e := range t.effects {
		t.s.queue.settle(key, e, t.now)
	}
	t.s.hub.Send(t.signals...)
}

// abandon gives back what was pinned.
func (t *tx) abandon() {
	for _, e := range t.effects {
		t.s.queue.unpin(e)
	}
}
