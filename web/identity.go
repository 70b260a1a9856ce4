package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Without configured people only programs on this machine are served, and a
// person is whatever name they gave (nameCookie): there is nothing to protect
// them from each other, and two of them are needed to try four eyes. With
// people, a request carries a person's token or the session that it began.

const (
	sessionCookie = "hikeshi_session"
	nameCookie    = "hikeshi_name"
	idPrefix      = "console:"
	maxName       = 40
)

// local says whether nobody has to sign in.
func (s *Server) local() bool { return len(s.Config.People) == 0 && s.SignIn == nil }

// reachable refuses, in local mode, what does not come from this machine. A
// loopback address alone proves nothing: a reverse proxy forwards strangers
// from it, and a page in a browser reaches it under another name (DNS
// rebinding), so the Host must be this machine's too.
func (s *Server) reachable(r *http.Request) error {
	if !s.local() {
		return nil
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	local := err == nil && ap.Addr().Unmap().IsLoopback() && loopbackHost(r.Host)
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		local = local && r.Header.Get(name) == ""
	}
	if !local {
		return incidents.Fail(incidents.Forbidden, "web.error.local_only",
			"without configured people the console serves this machine only, at localhost or 127.0.0.1").
			WithHint("configure console people with tokens")
	}
	return nil
}

func loopbackHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// identify fills in who sent the request. Nobody: person.ID stays "".
func (s *Server) identify(r *http.Request, v *visit) {
	if s.local() {
		v.local = true
		v.person = localPerson(r)
		return
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if name, ok := s.personOf(token); ok { // whoever guessed from the same address before
			v.person = incidents.Actor{ID: idPrefix + name, Name: name}
		} else {
			s.attempts.failed(peer(r), s.Now())
		}
		return
	}
	if c, err := r.Cookie(s.cookieName(sessionCookie)); err == nil {
		if ses, ok := s.sessions.find(c.Value, s.Now()); ok {
			v.session = ses
			v.person = ses.person
		}
	}
}

// personOf finds the person of a token, in a time that does not depend on how
// much of it is right.
func (s *Server) personOf(token string) (string, bool) {
	given := sha256.Sum256([]byte(token))
	name, found := "", 0
	for _, p := range s.Config.People {
		own := sha256.Sum256([]byte(p.Token))
		if subtle.ConstantTimeCompare(given[:], own[:]) == 1 {
			name, found = p.Name, 1
		}
	}
	return name, found == 1
}

// localPerson is who somebody on this machine says they are.
func localPerson(r *http.Request) incidents.Actor {
	if c, err := r.Cookie(nameCookie); err == nil {
		if raw, err := url.QueryUnescape(c.Value); err == nil {
			if name, ok := personName(raw); ok {
				return incidents.Actor{ID: idPrefix + strings.ToLower(name), Name: name}
			}
		}
	}
	return incidents.Actor{ID: idPrefix + "local", Name: "operator"}
}

// personName tidies a name: 1 to maxName letters, digits, spaces or . _ - of
// any script, no two spaces in a row, none at the ends. "local" is taken.
func personName(raw string) (string, bool) {
	name := strings.Join(strings.Fields(raw), " ")
	n := 0
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune(" ._-", r) {
			return "", false
		}
		n++
	}
	return name, n > 0 && n <= maxName && !strings.EqualFold(name, "local")
}

// peer is the address at the other end of the connection; headers that claim
// another are not believed.
func peer(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
