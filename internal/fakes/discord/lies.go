package discord

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Lie is what a Discord in trouble does instead of answering as it should.
type Lie string

// The lies.
const (
	Fail       Lie = "500, and nothing was done"
	Bad        Lie = "502, and nothing was done"
	DoneFail   Lie = "500, and it was done"
	DoneHang   Lie = "no answer, and it was done"
	DoneCut    Lie = "the connection ends, and it was done"
	HTML       Lie = "a page, with 200"
	Empty      Lie = "an empty object, and it was done"
	Redirect   Lie = "sends one elsewhere"
	Huge       Lie = "more than anybody wants to read"
	TooLarge   Lie = "413, and nothing was done"
	Forbidden  Lie = "403 for lack of a permission, and nothing was done"
	SlowDown   Lie = "429 with the seconds"
	SlowGlobal Lie = "429 for everything, with the seconds"
	SlowShared Lie = "429 that is not our fault"
	Cloudflare Lie = "429 in HTML, from in front of Discord"
)

type lie struct {
	Lie
	method, path string
	times        int
	seconds      any
}

// Lies makes the next answers to requests of the method, whose path has path in
// it, wrong. seconds is what a 429 says, as it is to be written.
func (s *Server) Lies(l Lie, times int, method, path string, seconds any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lies = append(s.lies, &lie{l, method, path, times, seconds})
}

// Down has everything fail until it is up again: nothing is carried out, and
// the gateway hangs up.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.Drop()
	}
}

func (s *Server) isDown() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.down }

func (s *Server) lieFor(method, path string) *lie {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lies {
		if l.times > 0 && (l.method == "" || l.method == method) && strings.Contains(path, l.path) {
			l.times--
			s.counts["lied"]++
			return l
		}
	}
	return nil
}

// before is what is said without doing anything.
func (l *lie) before(s *Server, w http.ResponseWriter, r *http.Request) bool {
	switch l.Lie {
	case Fail:
		http.Error(w, `{"message": "500: Internal Server Error", "code": 0}`, http.StatusInternalServerError)
	case Bad:
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	case TooLarge:
		http.Error(w, `{"message": "Request entity too large", "code": 40005}`, http.StatusRequestEntityTooLarge)
	case Forbidden:
		http.Error(w, `{"message": "Missing Permissions", "code": 50013}`, http.StatusForbidden)
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>maintenance</html>"))
	case Redirect:
		http.Redirect(w, r, "https://elsewhere.invalid"+r.URL.Path, http.StatusTemporaryRedirect)
	case Huge:
		_, _ = w.Write(huge)
	case SlowDown, SlowGlobal, SlowShared, Cloudflare:
		s.mu.Lock()
		s.refused++
		s.mu.Unlock()
		l.tooFast(w)
	default:
		return false
	}
	return true
}

func (l *lie) tooFast(w http.ResponseWriter) {
	h := w.Header()
	scope := map[Lie]string{SlowDown: "user", SlowGlobal: "global", SlowShared: "shared"}[l.Lie]
	if scope != "" {
		h.Set("X-RateLimit-Scope", scope)
	}
	if f, ok := l.seconds.(float64); ok {
		h.Set("Retry-After", strconv.FormatFloat(f, 'f', -1, 64))
	} else if t, ok := l.seconds.(string); ok {
		h.Set("Retry-After", t)
	}
	w.WriteHeader(http.StatusTooManyRequests)
	if l.Lie == Cloudflare {
		_, _ = w.Write([]byte("<html>error code: 1015</html>"))
		return
	}
	_ = json.NewEncoder(w).Encode(object{"message": "You are being rate limited.", "retry_after": l.seconds, "global": l.Lie == SlowGlobal})
}

// after is what is said after it was done.
func (l *lie) after(s *Server, w http.ResponseWriter, r *http.Request) bool {
	switch l.Lie {
	case DoneFail:
		http.Error(w, `{"message": "500: Internal Server Error", "code": 0}`, http.StatusInternalServerError)
	case Empty:
		_, _ = w.Write([]byte("{}"))
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
var huge = append([]byte(`{"id":"`), make([]byte, 1<<20)...)
