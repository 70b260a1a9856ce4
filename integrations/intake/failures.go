package intake

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Failures of authentication that an address may have before it is answered
// 429 and disconnected: a few at once, then one every so often. A good token
// from the same address is served all the same, so that a stranger behind the
// same NAT cannot silence a source.
const (
	failureBurst = 20
	failureEvery = 200 * time.Millisecond
	failureSlots = 4096
)

// failures is a token bucket for each address, in fixed memory: addresses
// share a slot by a hash with a secret seed. Two that meet share the bucket,
// which costs only those who fail.
type failures struct {
	mu    sync.Mutex
	seed  maphash.Seed
	slots [failureSlots]time.Time // when the slot's bucket will be full again
}

func newFailures() *failures { return &failures{seed: maphash.MakeSeed()} }

// allow counts a failure of addr at now, and says whether it is within bounds.
func (f *failures) allow(addr netip.Addr, now time.Time) bool {
	if addr.Is6() {
		// A household has a /64: addresses within it cost nothing.
		prefix, _ := addr.Prefix(64)
		addr = prefix.Addr()
	}
	slot := &f.slots[maphash.Comparable(f.seed, addr)%failureSlots]
	f.mu.Lock()
	defer f.mu.Unlock()
	full := *slot
	if full.Before(now) {
		full = now
	}
	full = full.Add(failureEvery)
	if full.Sub(now) > failureBurst*failureEvery {
		return false
	}
	*slot = full
	return true
}

// throttle lets one line of a kind into the log every so often, and counts
// those it kept back. Its kinds are made of constants and the names of
// sources, so it stays small.
type throttle struct {
	mu    sync.Mutex
	kinds map[string]*held
}

func newThrottle() *throttle { return &throttle{kinds: map[string]*held{}} }

type held struct {
	next time.Time
	n    int
}

const logEvery = 10 * time.Second

// allow says whether a line of kind may be written at now, and how many were
// kept back since the last one.
func (t *throttle) allow(kind string, now time.Time) (ok bool, heldBack int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.kinds[kind]
	if h == nil {
		h = &held{}
		t.kinds[kind] = h
	}
	if now.Before(h.next) {
		h.n++
		return false, 0
	}
	heldBack, h.n = h.n, 0
	h.next = now.Add(logEvery)
	return true, heldBack
}
