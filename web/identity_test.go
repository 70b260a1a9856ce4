package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Without configured people only this machine is served, under its own name:
// a page on evil.example whose name is made to resolve to 127.0.0.1 (DNS
// rebinding) and a proxy's clients are not.
func TestLocalModeServesThisMachineOnly(t *testing.T) {
	t.Parallel()
	from := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	tests := []struct {
		name   string
		change []func(*http.Request)
		ok     bool
	}{
		{"localhost", nil, true},
		{"localhost in capitals", []func(*http.Request){host("LOCALHOST:8080")}, true},
		{"127.0.0.1", []func(*http.Request){host("127.0.0.1:8080")}, true},
		{"127.8.8.8", []func(*http.Request){host("127.8.8.8")}, true},
		{"IPv6", []func(*http.Request){host("[::1]:8080"), from("[::1]:50000")}, true},
		{"IPv4 in IPv6", []func(*http.Request){from("[::ffff:127.0.0.1]:50000")}, true},
		{"another machine", []func(*http.Request){from("192.0.2.7:50000")}, false},
		{"rebinding", []func(*http.Request){host("evil.example")}, false},
		{"rebinding with our port", []func(*http.Request){host("evil.example:8080")}, false},
		{"a name that begins like ours", []func(*http.Request){host("localhost.evil.example")}, false},
		{"an address that begins like ours", []func(*http.Request){host("127.0.0.1.evil.example")}, false},
		{"a name that ends like ours", []func(*http.Request){host("evil.localhost")}, false},
		{"a trailing dot", []func(*http.Request){host("localhost.")}, false},
		{"any address", []func(*http.Request){host("0.0.0.0:8080")}, false},
		{"no host", []func(*http.Request){host("")}, false},
		{"an address as a number", []func(*http.Request){host("2130706433")}, false},
		{"a proxy", []func(*http.Request){header("X-Forwarded-For", "203.0.113.9")}, false},
		{"another proxy", []func(*http.Request){header("Forwarded", "for=203.0.113.9")}, false},
		{"a proxy that names itself", []func(*http.Request){header("Via", "1.1 proxy")}, false},
		{"an unreadable peer", []func(*http.Request){from("@")}, false},
	}
	for _, tt := range tests {
		_, s := handler(t, nil)
		for _, path := range []string{"/", "/api/v1/incidents", "/healthz", "/static/x", "/nope", "/api/v1/events"} {
			if tt.ok && path == "/api/v1/events" {
				continue // would stay open
			}
			got := ask(s, http.MethodGet, path, "", tt.change...)
			if (got.Code != http.StatusForbidden) != tt.ok {
				t.Errorf("%s: GET %s: %d", tt.name, path, got.Code)
			}
		}
	}
}

// With people a proxy in front is expected, and any Host.
func TestWithPeopleAnyAddressIsServed(t *testing.T) {
	t.Parallel()
	_, s := handler(t, withToken)
	got := ask(s, http.MethodGet, "/api/v1/incidents", "", bearer(token), header("X-Forwarded-For", "203.0.113.9"),
		func(r *http.Request) { r.Host, r.RemoteAddr = "hikeshi.example.com", "192.0.2.7:1" })
	if got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

func TestTheNameCookieMakesTwoPeopleInLocalMode(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for _, who := range []string{"", "Aiko", "健二"} {
		var change []func(*http.Request)
		if who != "" {
			change = append(change, named(who))
		}
		change = append(change, header("X-Hikeshi-User", "mallory"))
		if got := ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"note hello"}`, change...); got.Code != http.StatusOK {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	want := []incidents.Actor{{ID: "console:local", Name: "operator"}, {ID: "console:aiko", Name: "Aiko"}, {ID: "console:健二", Name: "健二"}}
	for i, r := range w.pressed {
		if r.Person != want[i] {
			t.Errorf("person %d: %+v, want %+v", i, r.Person, want[i])
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", " ", "local", "LOCAL", "<script>", "a\x00b", "a/b", "console:bea", "a\u202eb", strings.Repeat("a", 41), "a\u200bb", "@bea", "👍"} {
		if name, ok := personName(raw); ok {
			t.Errorf("%q was taken as %q", raw, name)
		}
	}
	for raw, want := range map[string]string{" Bea  Smith ": "Bea Smith", "佐藤 健二": "佐藤 健二", "o.neil-2": "o.neil-2", strings.Repeat("火", 40): strings.Repeat("火", 40)} {
		if name, ok := personName(raw); !ok || name != want {
			t.Errorf("%q: %q, %v", raw, name, ok)
		}
	}
	w, s := handler(t, nil)
	got := ask(s, http.MethodPost, "/me", "name=Aiko&back=/incidents/1")
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/incidents/1" || !strings.Contains(got.Header().Get("Set-Cookie"), "Aiko") {
		t.Errorf("%d %v", got.Code, got.Header())
	}
	if got := ask(s, http.MethodPost, "/me", "name=%3Cscript%3E"); got.Code != http.StatusBadRequest {
		t.Errorf("a hostile name: %d", got.Code)
	}
	_ = w
}

func TestAReturnAddressNeverLeadsElsewhere(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"", "//evil.example", "https://evil.example", `/\evil.example`, "/\tevil", "evil", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1"} {
		if got := localPath(p); got != "/" {
			t.Errorf("%q leads to %q", p, got)
		}
	}
	if got := localPath("/incidents/1?before=3"); got != "/incidents/1?before=3" {
		t.Error(got)
	}
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w, s := handler(t, withToken)
	s.Now = c.now

	got := ask(s, http.MethodGet, "/incidents/1?before=9", "")
	if to := got.Header().Get("Location"); got.Code != http.StatusSeeOther || to != "/login?next=%2Fincidents%2F1%3Fbefore%3D9" {
		t.Errorf("a stranger is sent to %q (%d)", to, got.Code)
	}
	got = ask(s, http.MethodPost, "/login", "token=not-the-right-one&next=/incidents/1")
	if got.Code != http.StatusUnauthorized || got.Header().Get("Set-Cookie") != "" {
		t.Errorf("a wrong token: %d %v", got.Code, got.Header())
	}
	got = ask(s, http.MethodPost, "/login", "token="+token+"&next=//evil.example")
	if got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/" {
		t.Fatalf("%d %v", got.Code, got.Header())
	}
	cookie := got.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure || cookie.Path != "/" {
		t.Errorf("cookie %+v", cookie)
	}
	with := func(r *http.Request) { r.AddCookie(cookie) }
	if got := ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"ack"}`, with); got.Code != http.StatusOK || w.pressed[0].Person.ID != "console:bea" {
		t.Errorf("signed in: %d %s", got.Code, got.Body)
	}
	if got := ask(s, http.MethodPost, "/me", "name=mallory", with); got.Code != http.StatusForbidden {
		t.Errorf("renaming oneself: %d", got.Code)
	}
	if got := ask(s, http.MethodPost, "/logout", "", with); got.Code != http.StatusSeeOther {
		t.Errorf("signing out: %d", got.Code)
	}
	if got := ask(s, http.MethodGet, "/api/v1/incidents", "", with); got.Code != http.StatusUnauthorized {
		t.Errorf("the cookie after signing out: %d", got.Code)
	}
}

func TestTheSessionCookieIsForHTTPSWhereTheConsoleIs(t *testing.T) {
	t.Parallel()
	_, s := handler(t, func(o *Options) { withToken(o); o.Config.HTTPS = true })
	if c := ask(s, http.MethodPost, "/login", "token="+token).Result().Cookies()[0]; !c.Secure || c.Name != "__Host-hikeshi_session" || c.Domain != "" || c.Path != "/" {
		t.Error("not marked secure")
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	ss := newSessions()
	cookie := ss.begin(incidents.Actor{ID: "console:bea"}, now, now)
	for range 24 { // used every 29 minutes: 11 h 36 min
		now = now.Add(29 * time.Minute)
		if _, ok := ss.find(cookie, now); !ok {
			t.Fatal("ended while it was used")
		}
	}
	if _, ok := ss.find(cookie, now.Add(29*time.Minute)); ok {
		t.Error("lives longer than 12 hours")
	}
	cookie = ss.begin(incidents.Actor{ID: "console:bea"}, now, now)
	ses, _ := ss.find(cookie, now)
	if !ss.alive(ses, now.Add(30*time.Minute)) || ss.alive(ses, now.Add(31*time.Minute)) {
		t.Error("a stream sees another end than a request")
	}
	if _, ok := ss.find(cookie, now.Add(31*time.Minute)); ok {
		t.Error("lives although idle for 31 minutes")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	ss := newSessions()
	first := ss.begin(incidents.Actor{ID: "console:bea"}, now, now)
	for range maxSessions + 5 {
		now = now.Add(time.Millisecond)
		ss.begin(incidents.Actor{ID: "console:bea"}, now, now)
	}
	if len(ss.all) != maxSessions {
		t.Errorf("%d sessions", len(ss.all))
	}
	if _, ok := ss.find(first, now); ok {
		t.Error("the oldest was kept")
	}
}

func TestGuessingTokensIsSlowedDownPerAddress(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	_, s := handler(t, withToken)
	s.Now = c.now
	guess := func(from, token string) int {
		return ask(s, http.MethodPost, "/login", "token="+token, func(r *http.Request) { r.RemoteAddr = from }).Code
	}
	for i := range maxWrong {
		if code := guess("192.0.2.1:1", fmt.Sprintf("wrong-%d", i)); code != http.StatusUnauthorized {
			t.Fatalf("guess %d: %d", i, code)
		}
	}
	if code := guess("192.0.2.1:9", "wrong again"); code != http.StatusServiceUnavailable {
		t.Errorf("after %d wrong ones: %d", maxWrong, code)
	}
	api := func(from, token string) int {
		return ask(s, http.MethodGet, "/api/v1/incidents", "", bearer(token), func(r *http.Request) { r.RemoteAddr = from }).Code
	}
	// Whoever has the right one is not kept out by a stranger behind the same proxy.
	if guess("192.0.2.1:9", token) != http.StatusSeeOther || api("192.0.2.1:9", token) != http.StatusOK {
		t.Error("the right token does not work after wrong ones")
	}
	if code := api("192.0.2.1:9", "wrong as ever"); code != http.StatusUnauthorized {
		t.Errorf("a wrong token at the API: %d", code)
	}
	c.after(wrongWindow)
	if code := guess("192.0.2.1:1", "wrong later"); code != http.StatusUnauthorized {
		t.Errorf("a wrong one after the window: %d", code)
	}
	a := newAttempts()
	for i := range 3 * maxAddresses {
		a.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), c.now())
	}
	if len(a.from) > maxAddresses {
		t.Errorf("%d addresses are remembered", len(a.from))
	}
	six := newAttempts()
	for i := range maxWrong {
		six.failed(netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", i)), c.now())
	}
	if !six.blocked(netip.MustParseAddr("2001:db8::ffff"), c.now()) {
		t.Error("another address of the same IPv6 network guesses on")
	}
}

func TestTokensAreChecked(t *testing.T) {
	t.Parallel()
	w, _ := handler(t, nil)
	for _, p := range []Person{{"bea", ""}, {"bea", "changeme"}, {"bea", "15-bytes-token!"}, {"", token}, {"local", token}, {"a/b", token}, {" bea", token}} {
		o := w.options()
		o.Config.People = []Person{p}
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", p)
		} else if strings.Contains(err.Error(), token) {
			t.Error("the error tells the token")
		}
	}
	_, s := handler(t, func(o *Options) { // a change of tokens: both hold
		o.Config.People = []Person{{"bea", token}, {"bea", "the-next-token-of-bea"}, {"kenji", "the-token-of-kenji"}}
	})
	for tok, want := range map[string]string{token: "bea", "the-next-token-of-bea": "bea", "the-token-of-kenji": "kenji", "": "", "the-token-of-kenj": ""} {
		if name, ok := s.personOf(tok); name != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", tok, name, ok)
		}
	}
}

// A page whose session is over says where to sign in, and not how programs do.
func TestAnEndedSessionLeadsToSigningIn(t *testing.T) {
	t.Parallel()
	_, s := handler(t, withToken)
	for _, change := range [][]func(*http.Request){nil, {header("Hikeshi-Fragment", "1")}} {
		got := ask(s, http.MethodPost, "/incidents/1/say", "text=hello", change...)
		if got.Code != http.StatusUnauthorized || !strings.Contains(got.Body.String(), `href="/login"`) || strings.Contains(got.Body.String(), "Bearer") {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}
