package changes

import (
	"cmp"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

const (
	mostKept = 5000            // of all
	mostEach = 200             // of one service of one customer
	keeps    = 24 * time.Hour  // an incident of this morning may be asked about at night
	resent   = 5 * time.Minute // so long a sender that gave no time tries again
	goneSlot = time.Hour       // what was dropped is counted by it
)

// change is one as it is kept.
type change struct {
	diagnostics.Change
	Undated bool `json:"undated,omitempty"` // its time is when it came

	nth int // the order in which they came
}

func (c change) compare(other change) int {
	return cmp.Or(c.At.Compare(other.At), cmp.Compare(c.nth, other.nth))
}

// again says whether two are one. Where the sender gave no time, ours differ.
func (c change) again(other change) bool {
	if c.Undated && other.Undated && c.At.Sub(other.At).Abs() <= resent {
		c.At = other.At
	}
	return c.Change == other.Change
}

// shelf holds the latest changes of each service of each customer by itself: a pipeline
// that never rests pushes out its own. It is not safe for concurrent use.
type shelf struct {
	of     map[string]map[string][]change // by customer and service, the oldest first
	gone   map[string]map[int64]int       // dropped though not too old, by customer and slot
	n, nth int
	now    time.Time // of this machine, by which things are too old
}

func newShelf() *shelf {
	return &shelf{of: map[string]map[string][]change{}, gone: map[string]map[int64]int{}}
}

// add puts a change in its place, unless it is there. What is too old is so by this
// machine's clock: one change of a replica whose clock is ahead would else push out all.
func (s *shelf) add(c change, now time.Time) {
	s.now = now
	services := s.of[c.Customer]
	all := services[c.Service]
	if s.old(c) || slices.ContainsFunc(all, c.again) {
		return // too late, or sent again by who did not hear that it had been taken
	}
	if services == nil {
		services = map[string][]change{}
		s.of[c.Customer] = services
	}
	s.nth++
	c.nth = s.nth
	i, _ := slices.BinarySearchFunc(all, c, change.compare)
	services[c.Service] = slices.Insert(all, i, c)
	if s.n++; len(all) >= mostEach {
		s.drop(services[c.Service][0])
		services[c.Service] = slices.Delete(services[c.Service], 0, 1)
	}
	if s.n > mostKept {
		s.age()
	}
	if s.n > mostKept {
		s.thin()
	}
}

func (s *shelf) old(c change) bool { return s.now.Sub(c.At) > keeps }

// age lets go of what is too old.
func (s *shelf) age() {
	for customer, services := range s.of {
		for service, all := range services {
			left := slices.DeleteFunc(all, s.old)
			s.n -= len(all) - len(left)
			if services[service] = left; len(left) == 0 {
				delete(services, service)
			}
		}
		if len(services) == 0 {
			delete(s.of, customer)
		}
	}
}

// thin halves what the customer has who has most: of each service as many of the latest
// as fit. By halves, so that it is seldom called.
func (s *shelf) thin() {
	whose, most := "", 0
	for customer, services := range s.of {
		n := 0
		for _, all := range services {
			n += len(all)
		}
		if n > most || n == most && customer < whose {
			whose, most = customer, n
		}
	}
	var flat []change
	rank := map[int]int{} // by nth: how many later ones its service has
	for _, all := range s.of[whose] {
		for i, c := range all {
			rank[c.nth] = len(all) - i
		}
		flat = append(flat, all...)
	}
	slices.SortFunc(flat, func(a, b change) int {
		return cmp.Or(cmp.Compare(rank[a.nth], rank[b.nth]), b.compare(a))
	})
	stays := flat[:most/2]
	for _, c := range flat[most/2:] {
		s.drop(c)
	}
	slices.SortFunc(stays, change.compare)
	services := map[string][]change{}
	for _, c := range stays {
		services[c.Service] = append(services[c.Service], c)
	}
	s.of[whose] = services
}

// drop counts one that goes for want of room.
func (s *shelf) drop(c change) {
	s.n--
	slots := s.gone[c.Customer]
	if slots == nil {
		slots = map[int64]int{}
		s.gone[c.Customer] = slots
	}
	slot := c.At.UnixNano() / int64(goneSlot)
	if slots[slot]++; slots[slot] > 1 {
		return
	}
	for other := range slots {
		if other < s.now.Add(-keeps).UnixNano()/int64(goneSlot) {
			delete(slots, other)
		}
	}
}

// told is what may be told to a customer, in the order of time, and how many more there
// were between two times.
func (s *shelf) told(customer string, from, to time.Time) (all []diagnostics.Change, gone int) {
	var found []change
	for whose, services := range s.of {
		if diagnostics.Serves(whose, customer) {
			for _, list := range services {
				found = append(found, list...)
			}
		}
	}
	slices.SortFunc(found, change.compare)
	for _, c := range found {
		all = append(all, c.Change)
	}
	for whose, slots := range s.gone {
		for slot, n := range slots {
			if diagnostics.Serves(whose, customer) && slot >= from.UnixNano()/int64(goneSlot) && slot <= to.UnixNano()/int64(goneSlot) {
				gone += n
			}
		}
	}
	return all, gone
}
