package jira

import (
	"net/http"
	"strings"
)

// Lie is what a Jira in trouble does instead of answering as it should.
type Lie string

// The lies.
const (
	Fail     Lie = "500, and nothing was done"
	DoneFail Lie = "500, and it was done"
	DoneHang Lie = "no answer, and it was done"
	DoneCut  Lie = "the connection ends, and it was done"
	DoneHTML Lie = "a page, with 200, and it was done"
	Cut      Lie = "the connection ends, and nothing was done"
	HTML     Lie = "a log-in page, with 200"
	Redirect Lie = "sends one elsewhere"
	Huge     Lie = "more than anybody wants to read"
	SlowDown Lie = "429, with Detail as Retry-After"
	Status   Lie = "the status in Detail, in HTML"
)

type lie struct {
	Lie
	method, path string
	times        int
	detail       string
}

// Lies makes the next answers to requests of the method, whose path has path in
// it, wrong.
func (s *Server) Lies(l Lie, times int, method, path, detail string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lies = append(s.lies, &lie{l, method, path, times, detail})
}

func (s *Server) lieFor(method, path string) *lie {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lies {
		if l.times > 0 && (l.method == "" || l.method == method) && (l.path == "" || l.path == path || strings.HasSuffix(path, "/"+l.path)) {
			l.times--
			return l
		}
	}
	return nil
}

// before is what is said without doing anything.
func (l *lie) before(w http.ResponseWriter, r *http.Request) bool {
	page := func(status int) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html>Log in to continue</html>"))
	}
	switch l.Lie {
	case Fail:
		page(http.StatusInternalServerError)
	case HTML:
		page(http.StatusOK)
	case Cut:
		panic(http.ErrAbortHandler)
	case Status:
		page(map[string]int{"401": 401, "403": 403, "404": 404, "409": 409, "410": 410, "413": 413, "502": 502, "503": 503}[l.detail])
	case Redirect:
		http.Redirect(w, r, "https://elsewhere.invalid/login?secret=1", http.StatusFound)
	case Huge:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(huge)
	case SlowDown:
		w.Header().Set("RateLimit-Reason", "jira-burst-based")
		if l.detail != "" {
			w.Header().Set("Retry-After", l.detail)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	default:
		return false
	}
	return true
}

// after is what is said after it was done.
func (l *lie) after(s *Server, w http.ResponseWriter, r *http.Request) bool {
	switch l.Lie {
	case DoneFail:
		http.Error(w, "<html>oops</html>", http.StatusInternalServerError)
	case DoneHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>maintenance</html>"))
	case DoneHang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	case DoneCut:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

// huge begins as an answer does and is longer than our client reads. It is no
// longer than that: the race detector looks at each of its bytes.
var huge = append([]byte(`{"key":"`), make([]byte, 1<<20)...)
