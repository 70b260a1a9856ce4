package intake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestSourcesThatAreNotSafeAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	good := Token(strings.Repeat("ab", 8))
	for name, sources := range map[string][]Source{
		"no token":        {{Name: "a"}},
		"empty token":     {{Name: "a", Tokens: []Token{""}}},
		"default token":   {{Name: "a", Tokens: []Token{"changeme"}}},
		"15 bytes":        {{Name: "a", Tokens: []Token{good[:15]}}},
		"second is short": {{Name: "a", Tokens: []Token{good, "short"}}},
		"three tokens":    {{Name: "a", Tokens: []Token{good, good + "2", good + "3"}}},
		"one character":   {{Name: "a", Tokens: []Token{"aaaaaaaaaaaaaaaaaaaa"}}},
		"a space":         {{Name: "a", Tokens: []Token{"correct horse battery"}}},
		"a newline":       {{Name: "a", Tokens: []Token{good + "\n"}}},
		"same token":      {{Name: "a", Tokens: []Token{good}}, {Name: "b", Tokens: []Token{good}}},
		"same token once": {{Name: "a", Tokens: []Token{good, good}}},
		"same name":       {{Name: "a", Tokens: []Token{good}}, {Name: "a", Tokens: []Token{good + "2"}}},
		"no name":         {{Tokens: []Token{good}}},
		"odd name":        {{Name: "a\nb", Tokens: []Token{good}}},
		"long name":       {{Name: strings.Repeat("a", 64), Tokens: []Token{good}}},
	} {
		_, err := New(Options{Log: &keeper{}, Sources: sources})
		if incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), string(good)) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: the error shows a token: %v", name, err)
		}
	}
	for name, sources := range map[string][]Source{
		"16 bytes":     {{Name: "a", Tokens: []Token{good}}},
		"rotation":     {{Name: "a", Tokens: []Token{good, good + "2"}}, {Name: "b-2_x", Tokens: []Token{good + "3"}}},
		"longest name": {{Name: strings.Repeat("a", 63), Tokens: []Token{good}}},
		"none":         nil,
	} {
		if _, err := New(Options{Log: &keeper{}, Sources: sources}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATokenNeverPrints(t *testing.T) {
	t.Parallel()
	s := Source{Name: "eu", Tokens: []Token{token}}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T %v"} {
		fmt.Fprintf(&b, strings.Replace(verb, "%T ", "", 1), s)
		fmt.Fprintf(&b, strings.Replace(verb, "%T ", "", 1), s.Tokens[0])
	}
	if err := json.NewEncoder(&b).Encode(s); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "source", s, "token", s.Tokens[0])
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "source", s, "token", s.Tokens[0])
	for _, secret := range []string{token, fmt.Sprintf("%x", token), fmt.Sprintf("%X", token)} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is in %s", secret, b.String())
		}
	}
}

// unread fails the test when the body is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, nil }
func (u unread) Close() error             { return nil }

func TestWhoIsNotKnownIsToldOneThing(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	h := v.Handler("list", decodeList)
	answers := map[string]bool{}
	for name, change := range map[string]func(*http.Request){
		"nothing":      func(r *http.Request) { r.Header.Del("Authorization") },
		"empty":        func(r *http.Request) { r.Header.Set("Authorization", "") },
		"empty bearer": func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
		"wrong":        func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[1:]+"x") },
		"prefix":       func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[:16]) },
		"basic":        func(r *http.Request) { r.SetBasicAuth(token, "nonsense-nonsense") },
		"empty basic":  func(r *http.Request) { r.SetBasicAuth("", "") },
		"broken basic": func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) },
		"no scheme":    func(r *http.Request) { r.Header.Set("Authorization", token) },
		"other scheme": func(r *http.Request) { r.Header.Set("Authorization", "Token "+token) },
		"two spaces":   func(r *http.Request) { r.Header.Set("Authorization", "Bearer  "+token) },
		"in the query": func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token },
		"bad type too": func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("Content-Type", "text/plain") },
		"gzip too":     func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("Content-Encoding", "br") },
		"100 MB": func(r *http.Request) {
			r.Header.Del("Authorization")
			r.ContentLength = -1
		},
	} {
		r := request("{malformed")
		change(r)
		r.Body = unread{t}
		w := serve(h, r)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: got %d", name, w.Code)
		}
		answers[w.Body.String()] = true
	}
	if len(answers) != 1 || k.len() != 0 {
		t.Errorf("%d answers, %d batches; want one answer and nothing stored", len(answers), k.len())
	}
}

func TestBothTokensOfARotationAreGood(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, nil)
	h := v.Handler("list", decodeList)
	password := base64.StdEncoding.EncodeToString([]byte("grafana:" + token))
	for i, auth := range []string{"Bearer " + token, "bearer " + nextToken, "Basic " + password} {
		r := request(`[{"a":"b"}]`)
		r.Header.Set("Authorization", auth)
		if w := serve(h, r); w.Code != http.StatusOK || k.len() != i+1 {
			t.Errorf("%s: %d %s", auth, w.Code, w.Body)
		}
	}
}

func TestManyFailuresCostTheStrangerNotTheSource(t *testing.T) {
	t.Parallel()
	now := noon
	v, k := receiver(t, func(o *Options) { o.Now = func() time.Time { return now } })
	h := v.Handler("list", decodeList)
	bad := func(from string) *httptest.ResponseRecorder {
		r := request(`[]`)
		r.Header.Set("Authorization", "Bearer nonsense-nonsense")
		r.RemoteAddr = from
		return serve(h, r)
	}
	for i := range failureBurst {
		if w := bad("192.0.2.7:1000"); w.Code != http.StatusUnauthorized {
			t.Fatalf("failure %d: %d", i, w.Code)
		}
	}
	w := bad("192.0.2.7:1001")
	wantError(t, w, http.StatusTooManyRequests, incidents.Unauthenticated)
	if w.Header().Get("Retry-After") == "" || w.Header().Get("Connection") != "close" {
		t.Errorf("headers %v", w.Header())
	}
	if w := bad("192.0.2.8:1000"); w.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d", w.Code)
	}
	r := request(`[{"a":"b"}]`)
	r.RemoteAddr = "192.0.2.7:1002"
	if w := serve(h, r); w.Code != http.StatusOK || k.len() != 1 {
		t.Errorf("the good token behind the same address: %d", w.Code)
	}
	now = now.Add(failureEvery)
	if w := bad("192.0.2.7:1003"); w.Code != http.StatusUnauthorized {
		t.Errorf("after a while: %d", w.Code)
	}
	if w := bad("192.0.2.7:1004"); w.Code != http.StatusTooManyRequests {
		t.Errorf("and again: %d", w.Code)
	}
}

func TestAHouseholdOfIPv6AddressesIsOneAddress(t *testing.T) {
	t.Parallel()
	f := newFailures()
	for i := range failureBurst {
		if !f.allow(netip.MustParseAddr(fmt.Sprintf("2001:db8:0:1::%x", i+1)), noon) {
			t.Fatalf("failure %d is one too many", i)
		}
	}
	if f.allow(netip.MustParseAddr("2001:db8:0:1:ffff::1"), noon) {
		t.Error("another address of the same /64 starts anew")
	}
	if !f.allow(netip.MustParseAddr("2001:db8:0:2::1"), noon) {
		t.Error("another /64 pays for it")
	}
}

func TestOnlyLoopbackIsServedWithoutSources(t *testing.T) {
	t.Parallel()
	v, k := receiver(t, func(o *Options) { o.Sources = nil })
	h := v.Handler("list", decodeList)
	if !v.LoopbackOnly() {
		t.Error("it does not say so")
	}
	for name, tt := range map[string]struct {
		peer, host, header, value string
		status                    int
	}{
		"IPv4":             {"127.0.0.1:5000", "localhost:8080", "", "", 200},
		"other loopback":   {"127.9.9.9:5000", "127.0.0.1:8080", "", "", 200},
		"IPv6":             {"[::1]:5000", "[::1]:8080", "", "", 200},
		"mapped":           {"[::ffff:127.0.0.1]:5000", "LOCALHOST", "", "", 200},
		"charset":          {"127.0.0.1:5000", "localhost", "Content-Type", "application/json; charset=utf-8", 200},
		"a neighbour":      {"192.168.1.5:5000", "localhost:8080", "", "", 401},
		"a container":      {"172.17.0.1:5000", "localhost:8080", "", "", 401},
		"no address":       {"@", "localhost:8080", "", "", 401},
		"DNS rebinding":    {"127.0.0.1:5000", "evil.example:8080", "", "", 401},
		"name trick":       {"127.0.0.1:5000", "localhost.evil.example", "", "", 401},
		"empty host":       {"127.0.0.1:5000", "", "", "", 401},
		"all zeros":        {"127.0.0.1:5000", "0.0.0.0:8080", "", "", 401},
		"a web page":       {"127.0.0.1:5000", "localhost:8080", "Origin", "https://evil.example", 401},
		"an opaque page":   {"127.0.0.1:5000", "localhost:8080", "Origin", "null", 401},
		"a browser":        {"127.0.0.1:5000", "localhost:8080", "Sec-Fetch-Site", "cross-site", 401},
		"a proxy":          {"127.0.0.1:5000", "localhost:8080", "X-Forwarded-For", "203.0.113.9", 401},
		"a newer proxy":    {"127.0.0.1:5000", "localhost:8080", "Forwarded", "for=203.0.113.9", 401},
		"a claimed peer":   {"203.0.113.9:5000", "localhost:8080", "X-Forwarded-For", "127.0.0.1", 401},
		"a simple form":    {"127.0.0.1:5000", "localhost:8080", "Content-Type", "text/plain", 415},
		"a form":           {"127.0.0.1:5000", "localhost:8080", "Content-Type", "application/x-www-form-urlencoded", 415},
		"a multipart form": {"127.0.0.1:5000", "localhost:8080", "Content-Type", "multipart/form-data; boundary=x", 415},
	} {
		r := request(`[{"a":"b"}]`)
		r.Header.Del("Authorization")
		r.RemoteAddr, r.Host = tt.peer, tt.host
		if tt.header != "" {
			r.Header.Set(tt.header, tt.value)
		}
		before := k.len()
		if w := serve(h, r); w.Code != tt.status || (k.len() > before) != (tt.status == 200) {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, tt.status)
		}
	}
	if k.batches[0].Source != "list" {
		t.Errorf("the source is called %q", k.batches[0].Source)
	}
}

func TestTheFailureTableDoesNotGrow(t *testing.T) {
	f := newFailures()
	var b [4]byte
	allocs := testing.AllocsPerRun(5000, func() {
		for i := range b {
			b[i] += byte(i*7 + 1)
		}
		f.allow(netip.AddrFrom4(b), noon)
	})
	if allocs >= 1 {
		t.Errorf("%v allocations a stranger", math.Ceil(allocs))
	}
}
