package logs

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

const (
	sweepEvery = time.Minute
	leftSlot   = time.Minute // what found no place is counted by it
)

// stream is what has a book of its own.
type stream struct{ service, host string }

// part is what is known of one customer's lines. Each has its own share of streams, and
// in it each of its senders: a hundred new hosts of one take none from another. There are
// as many senders as are configured.
type part struct {
	books    map[stream]*book
	of       map[string]int // books, by the sender who was first with a line of theirs
	swept    time.Time      // when books were last looked through for those that ended
	unplaced map[int64]int  // lines without a book, by the slot of their time
}

// book is a stream's, whoever sends lines of it.
type book struct {
	*diagnostics.Book
	by string // whose share it is of
}

func newPart() *part {
	return &part{books: map[stream]*book{}, of: map[string]int{}, unplaced: map[int64]int{}}
}

// book is a stream's; nil where its sender has one stream too many. now is this machine's:
// the time that a line bears is anybody's.
func (p *part) book(of stream, by string, now time.Time) *book {
	known := p.books[of]
	if known == nil && p.room(by, now) > 0 {
		known = &book{diagnostics.NewBook(), by}
		p.books[of] = known
		p.of[by]++
	}
	return known
}

// room is how many more streams of a sender have a place.
func (p *part) room(by string, now time.Time) int {
	if p.of[by] >= mostStreams {
		p.sweep(now)
	}
	return mostStreams - p.of[by]
}

// sweep closes the books of streams that ended, as of hosts that are gone.
func (p *part) sweep(now time.Time) {
	if now.Sub(p.swept).Abs() < sweepEvery {
		return
	}
	p.swept = now
	for of, book := range p.books {
		if now.Sub(book.Newest()) > diagnostics.BookKeeps {
			delete(p.books, of)
			if p.of[book.by]--; p.of[book.by] == 0 {
				delete(p.of, book.by)
			}
		}
	}
}

// left counts a line that has no book, as long as a book would remember it.
func (p *part) left(at time.Time) {
	slot := at.UnixNano() / int64(leftSlot)
	if p.unplaced[slot]++; p.unplaced[slot] > 1 {
		return
	}
	for other := range p.unplaced {
		if time.Duration(slot-other)*leftSlot > diagnostics.BookKeeps {
			delete(p.unplaced, other)
		}
	}
}

// leftBetween is how many lines had no book in a stretch of time.
func (p *part) leftBetween(from, to time.Time) int {
	first, last, n := from.UnixNano()/int64(leftSlot), to.UnixNano()/int64(leftSlot), 0
	for slot, count := range p.unplaced {
		if slot >= first && slot <= last {
			n += count
		}
	}
	return n
}
