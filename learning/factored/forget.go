package factored

import (
	"cmp"
	"maps"
	"slices"
)

// Dropped counts what the bounds cost.
type Dropped struct {
	Rows    int // features that nobody asked about for longest
	Actions int // actions that did not fit into the catalogue
}

// Dropped says what was left out since the model began.
func (m *Model) Dropped() Dropped { return m.dropped }

// forget drops the tenth of the features that taught nothing for longest, once
// there are too many.
func (m *Model) forget() {
	if len(m.rows) <= m.c.Rows && m.cells <= m.c.Cells {
		return
	}
	keys := slices.SortedFunc(maps.Keys(m.rows), func(a, b uint64) int {
		return cmp.Or(cmp.Compare(m.rows[a].Used, m.rows[b].Used), cmp.Compare(a, b))
	})
	for _, h := range keys[:len(keys)/10+1] {
		m.cells -= len(m.rows[h].Cells)
		delete(m.rows, h)
		m.dropped.Rows++
	}
}
