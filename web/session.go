package web

import (
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The bounds of a session.
const (
	sessionIdle  = 30 * time.Minute
	sessionLimit = 12 * time.Hour
	maxSessions  = 10_000
)

// session is one browser that signed in. It lives in this process only: after
// a restart people sign in again.
type session struct {
	person incidents.Actor // the account that signed in
	began  time.Time
	seen   time.Time
	proved time.Time // when they last showed who they are
	key    [sha256.Size]byte
}

// sessions are known by the hash of their cookie, so that a memory dump holds
// no usable one and looking one up compares no secret.
type sessions struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
}

func newSessions() *sessions { return &sessions{all: map[[sha256.Size]byte]*session{}} }

// begin starts a session and returns its cookie. Where there are too many, the
// one that was idle longest ends.
func (s *sessions) begin(person incidents.Actor, proved, now time.Time) string {
	cookie := rand.Text() + rand.Text() // 260 bits
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= maxSessions {
		var oldest *session
		for key, ses := range s.all {
			if ses.over(now) {
				delete(s.all, key)
			} else if oldest == nil || ses.seen.Before(oldest.seen) {
				oldest = ses
			}
		}
		if len(s.all) >= maxSessions {
			delete(s.all, oldest.key)
		}
	}
	key := sha256.Sum256([]byte(cookie))
	s.all[key] = &session{person: person, began: now, seen: now, proved: proved, key: key}
	return cookie
}

// find returns the session of a cookie and counts as its use.
func (s *sessions) find(cookie string, now time.Time) (*session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses, ok := s.all[sha256.Sum256([]byte(cookie))]
	if !ok {
		return nil, false
	}
	if ses.over(now) {
		delete(s.all, ses.key)
		return nil, false
	}
	ses.seen = now
	return ses, true
}

// alive says whether a session still holds, without counting as its use: an
// open stream keeps nobody signed in.
func (s *sessions) alive(ses *session, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[ses.key] == ses && !ses.over(now)
}

// end ends a session at once.
func (s *sessions) end(ses *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, ses.key)
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.seen) > sessionIdle || now.Sub(s.began) > sessionLimit
}

// attempts counts wrong tokens: after maxWrong from one address the sign-in form
// answers wrong ones from there with "wait" until the window ends. A right token
// always works: behind a proxy or a NAT a stranger's guesses come from the same
// address, and must not keep anybody out. (Guessing 16 random bytes is hopeless
// at any rate; the limit keeps it from being a load.)
type attempts struct {
	mu    sync.Mutex
	began time.Time
	from  map[netip.Prefix]int
}

const (
	wrongWindow  = time.Minute
	maxWrong     = 10
	maxAddresses = 4096 // remembered at once; more than that forget the first ones early
)

func newAttempts() *attempts { return &attempts{from: map[netip.Prefix]int{}} }

func (a *attempts) blocked(from netip.Addr, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	return a.from[network(from)] >= maxWrong
}

func (a *attempts) failed(from netip.Addr, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	a.from[network(from)]++
}

func (a *attempts) turn(now time.Time) {
	if now.Sub(a.began) >= wrongWindow || len(a.from) >= maxAddresses {
		a.began, a.from = now, map[netip.Prefix]int{}
	}
}

// network is what one stranger easily has: an IPv4 address, or an IPv6 /64.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
