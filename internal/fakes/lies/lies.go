// Package lies is what a provider in trouble does instead of answering as it
// should, for the fakes that speak HTTP. It promises that a lie which says "and
// it was done" comes after the fake has done it, and one which does not, before.
//
// Start with Liar.Tell, and Liar.RoundTrip or Liar.ServeHTTP around a fake.
package lies

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// Lie is one way not to answer.
type Lie string

// The lies.
const (
	Fail     Lie = "500, and nothing was done"
	DoneFail Lie = "500, and it was done"
	DoneHang Lie = "no answer in time, and it was done"
	DoneCut  Lie = "the connection ends, and it was done"
	DoneHTML Lie = "a page, with 200, and it was done"
	Cut      Lie = "the connection ends, and nothing was done"
	HTML     Lie = "a log-in page, with 200"
	Redirect Lie = "sends one elsewhere"
	Huge     Lie = "more than anybody wants to read"
	Status   Lie = "the status in Detail, in HTML"
	SlowDown Lie = "429, and the fake's header says Detail"
)

// Unclear are those that matter where something is created: after most it is
// not known what was done.
var Unclear = []Lie{Fail, DoneFail, DoneHang, DoneCut, DoneHTML, Cut, HTML, Redirect, SlowDown}

type lie struct {
	Lie
	method, path string
	times        int
	detail       string
}

// Liar answers for a fake, and lies.
type Liar struct {
	Fake  http.Handler
	Limit func(h http.Header, detail string) // writes what a 429 of this provider says in its header
	Busy  string                             // and what it says in its body, which is JSON; "" for nothing

	mu   sync.Mutex
	lies []*lie
	done chan struct{}
	once sync.Once
}

// New makes one that tells the truth.
func New(fake http.Handler, limit func(h http.Header, detail string)) *Liar {
	return &Liar{Fake: fake, Limit: limit, done: make(chan struct{})}
}

// Close lets go of who waits for an answer that never comes.
func (l *Liar) Close() { l.once.Do(func() { close(l.done) }) }

// Tell makes the next answers wrong, to requests of the method whose path ends
// with path; "" is any.
func (l *Liar) Tell(what Lie, times int, method, path, detail string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lies = append(l.lies, &lie{what, method, path, times, detail})
}

func (l *Liar) next(method, path string) *lie {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range l.lies {
		if x.times > 0 && (x.method == "" || x.method == method) && strings.HasSuffix(path, x.path) {
			x.times--
			return x
		}
	}
	return nil
}

// ServeHTTP answers one request.
func (l *Liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := l.next(r.Method, r.URL.Path)
	if x != nil && l.before(x, w, r) {
		return
	}
	rec := httptest.NewRecorder()
	l.Fake.ServeHTTP(rec, r)
	if x != nil && l.after(x, w, r) {
		return
	}
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// inProcess marks requests that wait for nothing.
type inProcess struct{}

// RoundTrip carries a request without a network, and does not really wait for
// what never comes.
func (l *Liar) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	rec := httptest.NewRecorder()
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			resp, err = nil, io.ErrUnexpectedEOF
		case context.DeadlineExceeded:
			resp, err = nil, context.DeadlineExceeded
		default:
			panic(p)
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(context.WithValue(r.Context(), inProcess{}, true))
	if in.Body == nil {
		in.Body = http.NoBody
	}
	l.ServeHTTP(rec, in)
	return rec.Result(), nil
}

// before is what is said without doing anything.
func (l *Liar) before(x *lie, w http.ResponseWriter, r *http.Request) bool {
	page := func(status int) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>Log in to continue</html>")
	}
	switch x.Lie {
	case Fail:
		page(http.StatusInternalServerError)
	case HTML:
		page(http.StatusOK)
	case Cut:
		panic(http.ErrAbortHandler)
	case Status:
		status, err := strconv.Atoi(x.detail)
		if err != nil {
			panic("no status: " + x.detail)
		}
		page(status)
	case Redirect:
		http.Redirect(w, r, "https://elsewhere.invalid/login?secret=1", http.StatusFound)
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(huge)
	case SlowDown:
		l.Limit(w.Header(), x.detail)
		if l.Busy != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, l.Busy)
	default:
		return false
	}
	return true
}

// after is what is said after it was done.
func (l *Liar) after(x *lie, w http.ResponseWriter, r *http.Request) bool {
	switch x.Lie {
	case DoneFail:
		http.Error(w, "<html>oops</html>", http.StatusInternalServerError)
	case DoneHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>maintenance</html>")
	case DoneHang:
		if r.Context().Value(inProcess{}) != nil {
			panic(context.DeadlineExceeded)
		}
		select {
		case <-r.Context().Done():
		case <-l.done:
		}
		panic(http.ErrAbortHandler)
	case DoneCut:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

// huge begins as an answer does and is longer than our clients read. It is no
// longer than that: the race detector looks at each of its bytes.
var huge = append([]byte(`{"key":"`), make([]byte, 1<<20)...)
