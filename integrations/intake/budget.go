package intake

import "sync/atomic"

// budget bounds the memory of bodies being handled. It never waits: a sender
// that is told 503 now keeps its alerts and comes back, one that waits here
// holds a connection.
type budget struct {
	total   int64
	share   int64 // what one source may hold, so that none can shut out the others
	held    atomic.Int64
	sources map[string]*atomic.Int64
}

// minWeight is what a small POST costs besides its body: buffers and goroutine.
const minWeight = 16 << 10

func newBudget(total int64) *budget {
	return &budget{total: total, sources: map[string]*atomic.Int64{}}
}

func (b *budget) introduce(source string) {
	if b.sources[source] == nil {
		b.sources[source] = new(atomic.Int64)
	}
	b.share = b.total
	if len(b.sources) > 1 {
		b.share = b.total / 2
	}
}

// reserve takes weight bytes for a POST of source, or says that there is no
// room. release gives them back, once.
func (b *budget) reserve(source string, weight int64) (release func(), ok bool) {
	weight = max(weight, minWeight)
	mine := b.sources[source]
	release = func() {
		b.held.Add(-weight)
		mine.Add(-weight)
	}
	over := mine.Add(weight) > b.share
	if b.held.Add(weight) > b.total || over {
		release()
		return nil, false
	}
	return release, true
}
