package incidents

import "time"

// RingItem is a piece of what is of use for some hours only: lines of a log, a change.
type RingItem struct {
	Number int64  // the store gives it: ascending, without gaps when it is given
	Ring   string // whose: "host web-1"
	Body   []byte
}

// ringOverhead is what an item costs beside its body, about, in either store.
const ringOverhead = 128

// Cost is what an item counts against a bound, in bytes.
func (i *RingItem) Cost() int { return len(i.Ring) + len(i.Body) + ringOverhead }

// RingBound says how much is kept: the oldest beyond it goes.
type RingBound struct {
	Ring, All int           // bytes, of one ring and of all rings of a kind
	Age       time.Duration // by the store's clock; 0: it does not matter
}

// CheckRings refuses what no store may keep.
func CheckRings(kind string, b RingBound, items []RingItem) error {
	if kind == "" || b.Ring <= 0 || b.All < b.Ring || b.Age < 0 {
		return Fail(Invalid, "error.ring", "rings need a kind and a bound that can be")
	}
	for i := range items {
		if items[i].Cost() > b.Ring {
			return Fail(TooLarge, "error.ring_large", "a piece is larger than its ring")
		}
	}
	return nil
}
