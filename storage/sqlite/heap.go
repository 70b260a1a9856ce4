package sqlite

// heap is a binary heap of items by due time; each item knows where it stands,
// so that it can be taken out from the middle. It holds positions in the
// queue's slab rather than pointers: the garbage collector need not look at it.
type heap []int32

func (q *queue) push(i int32) {
	h := q.heapOf(i)
	*h = append(*h, i)
	q.items[i].pos = int32(len(*h) - 1)
	q.up(*h, len(*h)-1)
}

// remove takes an item out; it does nothing where it is out already.
func (q *queue) remove(i int32) {
	at := int(q.items[i].pos)
	if at < 0 {
		return
	}
	h := q.heapOf(i)
	last := len(*h) - 1
	q.swap(*h, at, last)
	*h = (*h)[:last]
	if at < last {
		q.down(*h, at)
		q.up(*h, at)
	}
	q.items[i].pos = -1
}

func (q *queue) less(h heap, a, b int) bool {
	x, y := &q.items[h[a]], &q.items[h[b]]
	return x.due < y.due || x.due == y.due && x.row < y.row
}

func (q *queue) swap(h heap, a, b int) {
	h[a], h[b] = h[b], h[a]
	q.items[h[a]].pos, q.items[h[b]].pos = int32(a), int32(b)
}

func (q *queue) up(h heap, i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(h, i, parent) {
			return
		}
		q.swap(h, i, parent)
		i = parent
	}
}

func (q *queue) down(h heap, i int) {
	for {
		child := 2*i + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && q.less(h, child+1, child) {
			child++
		}
		if !q.less(h, child, i) {
			return
		}
		q.swap(h, i, child)
		i = child
	}
}
