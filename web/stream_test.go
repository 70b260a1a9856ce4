package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// sse is one event as it came over the wire.
type sse struct{ id, name, data string }

// listen opens a stream and hands its events out. It ends with the test.
func listen(t *testing.T, url string, change ...func(*http.Request)) (<-chan sse, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(r)
	}
	transport := &http.Transport{}
	answer, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan sse, 1000)
	done := make(chan struct{})
	t.Cleanup(func() {
		cancel()
		_ = answer.Body.Close()
		transport.CloseIdleConnections()
		<-done
	})
	go func() {
		defer close(done)
		defer close(events)
		var e sse
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if value == "still here" {
					e.name = "heartbeat"
				}
				if e.name != "" {
					events <- e
				}
				e = sse{}
			}
		}
	}()
	return events, answer
}

// next waits for the next event of a name.
func next(t *testing.T, events <-chan sse, name string) sse {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before a %s", name)
			}
			if e.name == name {
				return e
			}
		case <-limit:
			t.Fatalf("no %s came", name)
		}
	}
}

// ended waits for the end of a stream.
func ended(t *testing.T, events <-chan sse) {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case _, ok := <-events:
			if !ok {
				return
			}
		case <-limit:
			t.Fatal("the stream is still open")
		}
	}
}

// quick makes streams look, and send a sign of life, often.
var quick = rhythm{heartbeat: 50 * time.Millisecond, look: 20 * time.Millisecond, breath: time.Millisecond, write: 200 * time.Millisecond}

// liveWorld is a served world with one incident.
func liveWorld(t *testing.T, change func(*Options)) (*world, *served) {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	asking(t, w, c)
	return w, serve(t, w, change)
}

func TestARoomIsLive(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, nil)
	postings, _ := w.Postings(t.Context(), roomOf(w.state(1)), 0, 1000)
	last := postings[len(postings)-1].Rev
	events, answer := listen(t, fmt.Sprintf("%s/api/v1/events?incident=INC-1&after=%d", srv.URL, last))
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	next(t, events, "head")
	chatter(t, w, 1, kenji, "hello <b>there</b>")
	e := next(t, events, "message")
	var p piece
	if err := json.Unmarshal([]byte(e.data), &p); err != nil {
		t.Fatal(err)
	}
	if rev, _ := strconv.ParseInt(e.id, 10, 64); rev != last+1 {
		t.Errorf("id %s after %d", e.id, last)
	}
	if !strings.Contains(p.HTML, "hello &lt;b&gt;there") || !strings.Contains(p.HTML, `id="`+p.ID+`"`) || p.Seq == 0 {
		t.Errorf("%+v", p)
	}
	// An edit comes as the same element.
	w.must(t, 1, incidents.Vote{By: kenji, Action: "restart-till", Value: 1})
	w.must(t, 1, incidents.Ranked{Suggestions: suggestions(1, w.now(), true)})
	for {
		var p piece
		if err := json.Unmarshal([]byte(next(t, events, "message").data), &p); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(p.HTML, "m-suggestions") {
			if p.ID != "m3" || !strings.Contains(p.HTML, "2 → 1") && !strings.Contains(p.HTML, "1 → 2") {
				t.Errorf("%s: %s", p.ID, p.HTML)
			}
			break
		}
	}
}

func TestAStreamGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, nil)
	for i := range 250 { // more than one look takes
		chatter(t, w, 1, bea, fmt.Sprintf("word %d", i))
	}
	room := roomOf(w.state(1))
	all, _ := w.Postings(t.Context(), room, 0, 1000)
	from := all[3].Rev
	// The browser's word is newer than the address.
	events, _ := listen(t, srv.URL+"/api/v1/events?incident=1&after=0", header("Last-Event-ID", strconv.FormatInt(from, 10)))
	for _, p := range all[4:] {
		if e := next(t, events, "message"); e.id != strconv.FormatInt(p.Rev, 10) {
			t.Fatalf("got %s, want %d", e.id, p.Rev)
		}
	}
}

func TestTheListIsLive(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, nil)
	events, _ := listen(t, srv.URL+"/api/v1/events?show=open&service=")
	if e := next(t, events, "list"); !strings.Contains(e.data, "CheckoutErrors") {
		t.Error(e.data)
	}
	w.must(t, 2, incidents.Declare{ID: 2, Title: "a second one", By: bea})
	if e := next(t, events, "list"); !strings.Contains(e.data, "a second one") {
		t.Error(e.data)
	}
	w.must(t, 2, incidents.Resolve{By: bea})
	for strings.Contains(next(t, events, "list").data, "a second one") {
	}
}

// A signal may be lost: what happened is seen all the same.
func TestALostSignalOnlyDelays(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, func(o *Options) {
		o.Watch = func() (<-chan incidents.Signal, func()) { return make(chan incidents.Signal), func() {} }
	})
	srv.server.rhythm = quick
	events, _ := listen(t, srv.URL+"/api/v1/events?incident=1&after=100000")
	next(t, events, "head")
	w.must(t, 1, incidents.Resolve{By: bea})
	if e := next(t, events, "head"); !strings.Contains(e.data, "resolved") {
		t.Error(e.data)
	}
	next(t, events, "heartbeat")
}

// A page on which nothing happens looks like peace: what keeps Hikeshi from its
// work is said on it, and taken back.
func TestTroubleIsSaidOnThePage(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, nil)
	srv.server.rhythm, srv.server.trouble.every = quick, 0
	events, _ := listen(t, srv.URL+"/api/v1/events?incident=1&lang=en")
	next(t, events, "head")
	w.mu.Lock()
	w.reasons = []incidents.Reason{{Phrase: "ready.fold_lags"}}
	w.mu.Unlock()
	if e := next(t, events, "trouble"); !strings.Contains(e.data, "out of date") {
		t.Error(e.data)
	}
	w.mu.Lock()
	w.reasons = nil
	w.mu.Unlock()
	if e := next(t, events, "trouble"); e.data != `{"text":""}` {
		t.Error(e.data)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	_, srv := liveWorld(t, nil)
	for range maxStreamsPerson {
		if _, answer := listen(t, srv.URL+"/api/v1/events", named("aiko")); answer.StatusCode != http.StatusOK {
			t.Fatal(answer.StatusCode)
		}
	}
	_, answer := listen(t, srv.URL+"/api/v1/events", named("aiko"))
	if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("one more: %d", answer.StatusCode)
	}
	if _, answer := listen(t, srv.URL+"/api/v1/events", named("kenji")); answer.StatusCode != http.StatusOK {
		t.Errorf("somebody else: %d", answer.StatusCode)
	}
	h := newHub()
	for i := range maxStreams {
		if _, err := h.join(strconv.Itoa(i), 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.join("one more", 0, ""); incidents.CodeOf(err) != incidents.Overloaded {
		t.Error(err)
	}
	for l := range h.streams {
		h.leave(l)
		h.leave(l)
	}
	if len(h.streams)+len(h.person) != 0 {
		t.Error("the places of those who left are still taken")
	}
}

func TestStreamsRefuseWhatIsNotThere(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	for path, status := range map[string]int{"?incident=99": 404, "?incident=x": 404, "?incident=1&after=x": 400, "?show=x": 400} {
		if got := ask(s, http.MethodGet, "/api/v1/events"+path, ""); got.Code != status {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	_, srv := liveWorld(t, nil)
	srv.server.rhythm = rhythm{heartbeat: time.Hour, look: time.Hour, breath: time.Millisecond, write: time.Minute} // nothing else wakes it
	events, _ := listen(t, srv.URL+"/api/v1/events?incident=1")
	next(t, events, "head")
	srv.stop()
	ended(t, events)
	if _, answer := listen(t, srv.URL+"/api/v1/events"); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new one afterwards: %d", answer.StatusCode)
	}
}

// Whoever may no longer look sees nothing more.
func TestStreamsEndWithTheSessionAndWithTheRight(t *testing.T) {
	t.Parallel()
	rights := &someRights{}
	_, srv := liveWorld(t, func(o *Options) { withToken(o); o.Rights = rights })
	srv.server.rhythm = quick
	cookie := &http.Cookie{Name: sessionCookie, Value: srv.server.sessions.begin(incidents.Actor{ID: "console:bea"}, srv.server.Now(), srv.server.Now())}
	signedIn := func(r *http.Request) { r.AddCookie(cookie) }
	events, answer := listen(t, srv.URL+"/api/v1/events?incident=1", signedIn)
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.StatusCode)
	}
	next(t, events, "heartbeat")
	ses, _ := srv.server.sessions.find(cookie.Value, srv.server.Now())
	srv.server.sessions.end(ses)
	ended(t, events)

	events, _ = listen(t, srv.URL+"/api/v1/events?incident=1", bearer(token))
	next(t, events, "heartbeat")
	rights.gone.Store(true)
	ended(t, events)
}

// A reader who does not read is dropped; nobody waits for it.
func TestASlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	w, srv := liveWorld(t, nil)
	srv.server.rhythm = quick
	conn, err := srv.dial(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET /api/v1/events?incident=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	open := func() int {
		srv.server.hub.mu.Lock()
		defer srv.server.hub.mu.Unlock()
		return len(srv.server.hub.streams)
	}
	until(t, "the stream is open", func() bool { return open() == 1 })
	big := strings.Repeat("x", 7000)
	until(t, "the reader is dropped", func() bool {
		for range 50 {
			chatter(t, w, 1, bea, big)
		}
		return open() == 0
	})
}

// until waits for something that no event tells of.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(limit) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
