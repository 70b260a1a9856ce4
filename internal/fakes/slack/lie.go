package slack

import (
	"net/http"
	"time"
)

// Lie is a way in which Slack, or what is between it and us, can be wrong.
type Lie struct {
	what  string
	after string // of a 429
	word  string // of a refusal
}

// The lies. Those After carry the request out first.
var (
	FailBefore  = Lie{what: "500 before"}
	FailAfter   = Lie{what: "500 after"}
	HangAfter   = Lie{what: "hang after"}
	HangUpAfter = Lie{what: "hang up after"}
	HTML        = Lie{what: "html"} // with 200, as a proxy's page
	HTMLAfter   = Lie{what: "html after"}
	Garbage     = Lie{what: "garbage"}
	Huge        = Lie{what: "huge"}
	Redirect    = Lie{what: "redirect"}
	Limited     = Lie{what: "refuse", word: "ratelimited"} // with 200
)

// TooMany is a 429 with that Retry-After.
func TooMany(after string) Lie { return Lie{what: "429", after: after} }

// Refuse is Slack's own word for no.
func Refuse(word string) Lie { return Lie{what: "refuse", word: word} }

// Lie has the next calls of a method lied about, one each.
func (s *Server) Lie(method string, lies ...Lie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lies[method] = append(s.lies[method], lies...)
}

// Down has everything fail until it is up again: nothing is carried out, and the
// sockets end.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.DropSockets()
	}
}

// Slow has every method take so long before it does anything.
func (s *Server) Slow(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = by
}

// orDown answers nothing but 503 while it is down, and slowly while it is slow.
func (s *Server) orDown(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		down, slow := s.down, s.slow
		s.mu.Unlock()
		if slow > 0 && r.Method == http.MethodPost {
			select {
			case <-time.After(slow):
			case <-r.Context().Done():
				return
			case <-s.done:
				return
			}
		}
		if down {
			http.Error(w, "slack is away", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) nextLie(method string) Lie {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lies[method]
	if len(l) == 0 {
		return Lie{}
	}
	s.lies[method] = l[1:]
	return l[0]
}

// before lies in place of carrying the request out.
func (l Lie) before(w http.ResponseWriter) bool {
	switch l.what {
	case "500 before":
		http.Error(w, "upstream", http.StatusBadGateway)
	case "429":
		w.Header().Set("Retry-After", l.after)
		w.WriteHeader(http.StatusTooManyRequests)
	case "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>captive portal</html>"))
	case "refuse":
		answer(w, map[string]any{"ok": false, "error": l.word})
	case "redirect":
		w.Header().Set("Location", "https://elsewhere.example.com/")
		w.WriteHeader(http.StatusFound)
	default:
		return false
	}
	return true
}

// after lies about what was carried out.
func (l Lie) afterwards(s *Server, w http.ResponseWriter, r *http.Request) bool {
	switch l.what {
	case "500 after":
		http.Error(w, "upstream", http.StatusBadGateway)
	case "hang up after":
		panic(http.ErrAbortHandler)
	case "hang after":
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	case "html after":
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>gateway</html>"))
	case "garbage":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":tr`))
	case "huge":
		w.Header().Set("Content-Type", "application/json")
		junk := make([]byte, 1<<20)
		for i := range junk {
			junk[i] = ' '
		}
		for range 64 {
			if _, err := w.Write(junk); err != nil {
				return true
			}
		}
	default:
		return false
	}
	return true
}
