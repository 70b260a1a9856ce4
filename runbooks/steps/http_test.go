package steps

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func httpStep(method, url, expect string) incidents.Step {
	return incidents.Step{ID: "site", Kind: KindHTTP, Method: method, URL: url, Expect: expect, Timeout: 30 * time.Second}
}

func executor(t *testing.T, kind string, c Config) Executor {
	t.Helper()
	all, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return all[kind]
}

func TestHTTPOutcome(t *testing.T) {
	t.Parallel()
	var seen atomic.Pointer[http.Request]
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Clone(t.Context()))
		fmt.Fprint(w, `{"status":"ok","queue":{"depth":3}}`)
	})
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"status":"wedged"}`)
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ok", http.StatusFound)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 1<<16))
		for range 64 {
			_, _ = w.Write(chunk)
		}
	})
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "all well so far")
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	h := executor(t, KindHTTP, Config{Origins: func() []string { return []string{server.URL} }})

	for name, c := range map[string]struct {
		path, expect string
		ok           bool
		value        string
	}{
		"as expected":    {"/ok", "code 200-299", true, "HTTP 200"},
		"json":           {"/ok", "code 200 and json queue.depth < 10", true, "HTTP 200, queue.depth = 3"},
		"other status":   {"/bad", `code 200 and json status == "ok"`, false, "HTTP 503, status = wedged"},
		"wanted status":  {"/bad", "code 500-599", true, "HTTP 503"},
		"text":           {"/ok", `code 200 and contains "nope"`, false, `HTTP 200, no "nope"`},
		"not redirected": {"/moved", "code 302", true, "HTTP 302"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, h, httpStep("GET", server.URL+c.path, c.expect))
			if r.OK != c.ok || r.Value != c.value || r.Error != "" || len(r.Output) > maxReply {
				t.Errorf("%t %q %q, %d bytes", r.OK, r.Value, r.Error, len(r.Output))
			}
		})
	}
	for path, phrase := range map[string]string{"/big": "runbook.reply_too_large", "/broken": "runbook.no_answer"} {
		if r := run(t, h, httpStep("GET", server.URL+path, `code 200 and lacks "error"`)); r.OK || r.Because.Phrase != phrase || r.Output != "" {
			t.Errorf("%s: %t %+v, %d bytes", path, r.OK, r.Because, len(r.Output))
		}
	}
	if r := run(t, h, httpStep("POST", server.URL+"/ok", "code 200")); !r.OK {
		t.Fatalf("%+v", r)
	}
	got := seen.Load()
	if got.Method != "POST" || got.Header.Get("RB-Execution-ID") != "INC-7/1" || got.Header.Get("Idempotency-Key") != "INC-7/1/site" {
		t.Errorf("%s %v", got.Method, got.Header)
	}
}

func TestHTTPErrors(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	h := executor(t, KindHTTP, Config{HTTPHosts: []string{server.URL, closed.URL}})
	slow := httpStep("GET", server.URL, "code 200")
	slow.Timeout = 200 * time.Millisecond
	if r := run(t, h, slow); r.Because.Phrase != "runbook.timeout" {
		t.Errorf("%+v", r)
	}
	if r := run(t, h, httpStep("GET", closed.URL, "code 200")); r.Because.Phrase != "runbook.no_answer" || !strings.Contains(r.Error, "refused") || strings.Contains(r.Error, "http://") {
		t.Errorf("%+v", r)
	}
}

// Whom a request goes to is decided by the list, whatever the URL looks like
// (S29). The server must never be asked.
func TestHTTPGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	h := executor(t, KindHTTP, Config{HTTPHosts: []string{
		"http://allowed.example", "http://0.0.0.0:" + port, "http://169.254.169.254", "http://[::]:" + port, "http://[fe80::1]:" + port,
		"http://100.100.100.200", "http://[fd00:ec2::254]", "http://[::ffff:169.254.169.254]", "http://224.0.0.1",
	}})
	refused := []string{
		server.URL, "http://127.0.0.1:" + port, "http://localhost:" + port, "http://2130706433:" + port, "http://0177.0.0.1:" + port,
		"http://127.1:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0x7f.1:" + port, "https://allowed.example", "http://allowed.example:8080",
		"http://allowed.example.evil.example", "http://user@allowed.example", "http://allowed.example@127.0.0.1:" + port,
		"file:///etc/passwd", "gopher://allowed.example", "ftp://allowed.example", "//allowed.example", "allowed.example", "http://", "http:///x", ":", "http://all\x00owed.example",
	}
	for _, u := range refused {
		if r := run(t, h, httpStep("GET", u, "code 200")); r.OK || r.Because.Phrase != "runbook.host_refused" && r.Because.Phrase != "runbook.bad_step" {
			t.Errorf("%q: %+v", u, r)
		}
	}
	for _, u := range []string{
		"http://0.0.0.0:" + port, "http://[::]:" + port, "http://169.254.169.254/latest/meta-data", "http://[fe80::1]:" + port,
		"http://100.100.100.200/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/", "http://224.0.0.1/",
	} {
		if r := run(t, h, httpStep("GET", u, "code 200")); r.OK || r.Because.Phrase != "runbook.address_refused" {
			t.Errorf("%q: %+v", u, r)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
}

// The address counts when the name has been resolved: a name that leads to this
// machine or to a cloud's metadata is not called, however it got there.
func TestGateAddress(t *testing.T) {
	t.Parallel()
	g, err := newGate(Config{HTTPHosts: []string{"https://Named.internal"}, Addresses: []string{"169.254.7.0/24", "127.9.0.0/16", "10.9.0.0/16"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, addr string
		phrase     string
	}{
		{"shop.example.com", "93.184.216.34", ""},
		{"shop.internal", "10.1.2.3", "runbook.address_private"},
		{"shop.internal", "172.31.0.1", "runbook.address_private"},
		{"shop.internal", "192.168.0.1", "runbook.address_private"},
		{"shop.internal", "100.64.0.1", "runbook.address_private"},
		{"shop.internal", "fd12::1", "runbook.address_private"},
		{"shop.internal", "::ffff:10.1.2.3", "runbook.address_private"},
		{"shop.internal", "64:ff9b::a01:203", "runbook.address_private"},
		{"shop.internal", "10.9.2.3", ""},
		{"named.internal.", "10.1.2.3", ""},
		{"named.internal", "127.0.0.1", "runbook.address_here"},
		{"named.internal", "169.254.169.254", "runbook.address_refused"},
		{"10.1.2.3", "10.1.2.3", ""},
		{"fd12::1", "fd12::1", ""},
		{"shop.example.com", "64:ff9b::a9fe:a9fe", "runbook.address_refused"},
		{"shop.example.com", "2002:a9fe:a9fe::1", "runbook.address_refused"},
		{"shop.example.com", "64:ff9b::7f00:1", "runbook.address_here"},
		{"shop.example.com", "168.63.129.16", "runbook.address_refused"},
		{"shop.example.com", "192.0.0.192", "runbook.address_refused"},
		{"shop.example.com", "0.1.2.3", "runbook.address_refused"},
		{"shop.example.com", "fe80::1%eth0", "runbook.address_refused"},
		{"127.0.0.1", "127.0.0.1", ""},
		{"localhost", "::1", ""},
		{"LOCALHOST", "127.0.0.1", ""},
		{"::ffff:127.0.0.1", "127.0.0.1", ""},
		{"shop.example.com", "127.0.0.1", "runbook.address_here"},
		{"shop.example.com", "::ffff:127.0.0.1", "runbook.address_here"},
		{"localhost.example.com", "127.0.0.1", "runbook.address_here"},
		{"shop.example.com", "169.254.169.254", "runbook.address_refused"},
		{"shop.example.com", "::ffff:169.254.169.254", "runbook.address_refused"},
		{"shop.example.com", "fe80::1", "runbook.address_refused"},
		{"shop.example.com", "0.0.0.0", "runbook.address_refused"},
		{"shop.example.com", "::", "runbook.address_refused"},
		{"shop.example.com", "255.255.255.255", "runbook.address_refused"},
		{"shop.example.com", "ff02::1", "runbook.address_refused"},
		{"shop.example.com", "fd00:ec2::254", "runbook.address_refused"},
		{"bastion", "169.254.7.1", ""},
		{"mirror", "127.9.1.1", ""},
	} {
		err := g.address(c.host, netip.MustParseAddr(c.addr))
		phrase := ""
		if e, ok := err.(*incidents.Error); ok { //nolint:errorlint // the gate's own
			phrase = e.Phrase
		}
		if phrase != c.phrase {
			t.Errorf("%s → %s: %v, want %q", c.host, c.addr, err, c.phrase)
		}
	}
}

// A name server that says that an allowed name is this machine, or a cloud's
// metadata, is not believed: the connection is refused before it is made.
func TestHTTPRebinding(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	u := "http://shop.example:" + port
	g, err := newGate(Config{Origins: func() []string { return []string{u} }})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[[4]byte]string{
		{127, 0, 0, 1}: "runbook.address_here", {169, 254, 169, 254}: "runbook.address_refused", {10, 0, 0, 1}: "runbook.address_private",
	} {
		g.resolver = liar(t, addr)
		r := run(t, &HTTP{gate: g, client: g.client()}, httpStep("GET", u, "code 200"))
		if r.Because.Phrase != want || asked.Load() != 0 {
			t.Errorf("%v: %+v, asked %d times", addr, r, asked.Load())
		}
	}
}

// liar resolves every name to addr: a name server of one answer (RFC 1035).
func liar(t *testing.T, addr [4]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			end := 12
			for question[end] != 0 {
				end += int(question[end]) + 1
			}
			end += 5 // the root, type and class
			answer := append([]byte(nil), question[:min(end, n)]...)
			copy(answer[2:12], []byte{0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0}) // authoritative, one question, no answer
			if question[end-3] == 1 {                                   // type A
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, addr[:]...)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// A proxy in our environment is not used: it could see and change everything.
func TestHTTPUsesNoProxy(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	h := executor(t, KindHTTP, Config{HTTPHosts: []string{"http://shop.invalid"}})
	if r := run(t, h, httpStep("GET", "http://shop.invalid/", "code 200")); r.OK || asked.Load() != 0 {
		t.Errorf("%+v, asked %d times", r, asked.Load())
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://a":             "http://a:80",
		"https://A.b./x?y":     "https://a.b:443",
		"http://a:8080/":       "http://a:8080",
		"http://[::1]:9/x":     "http://[::1]:9",
		"https://[2001:DB8::]": "https://[2001:db8::]:443",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := Origin(u); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"host without scheme": {HTTPHosts: []string{"shop.example.com"}},
		"host with path":      {HTTPHosts: []string{"http://shop.example.com/x"}},
		"host with user":      {HTTPHosts: []string{"http://u:p@shop.example.com"}},
		"other scheme":        {HTTPHosts: []string{"ftp://shop.example.com"}},
		"no range":            {Addresses: []string{"10.0.0.1"}},
		"prometheus":          {Prometheus: "prometheus:9090"},
		"prometheus scheme":   {Prometheus: "unix:///run/x"},
		"relative path":       {Path: "/bin:bin"},
		"here":                {Path: "."},
		"no variable":         {Env: []string{"A=b"}},
		"our secrets":         {Env: []string{"HIKESHI_CONSOLE_TOKEN"}},
		"another path":        {Env: []string{"PATH"}},
	} {
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a request that changes something did is unknown where its answer is lost, and
// known where nobody was reached or the server itself says no.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hangup":
			panic(http.ErrAbortHandler)
		case "/gateway":
			w.WriteHeader(http.StatusGatewayTimeout)
		case "/no":
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	all, err := New(Config{HTTPHosts: []string{server.URL, gone.URL}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, url string
		unsure      bool
	}{
		{"POST", server.URL + "/hangup", true}, {"POST", server.URL + "/gateway", true},
		{"POST", server.URL + "/no", false}, {"POST", gone.URL + "/", false},
		{"GET", server.URL + "/hangup", false}, {"GET", server.URL + "/gateway", false},
	} {
		r := all[KindHTTP].Execute(t.Context(), incidents.Step{ID: "a", Kind: KindHTTP, Method: c.method, URL: c.url, Expect: "code 200", Timeout: 5 * time.Second}, Env{})
		if r.OK || r.Unsure != c.unsure {
			t.Errorf("%s %s: %+v", c.method, c.url, r)
		}
	}
}
