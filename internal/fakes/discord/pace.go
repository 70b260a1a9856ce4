package discord

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// bucket is the route whose limit a request counts towards, with the channel.
func bucket(method, path string) (string, bool) {
	p := strings.Split(strings.Trim(path, "/"), "/")
	if method == http.MethodPost && len(p) == 3 && p[0] == "channels" && p[2] == "messages" {
		return "post " + p[1], true
	}
	return "", false
}

// paced refuses what comes too fast; s.mu is held.
func (s *Server) paced(method, path string) *refusal {
	name, ok := bucket(method, path)
	if !ok || s.Pace.N == 0 {
		return nil
	}
	return s.turn(name, s.Pace.N, s.Pace.Per)
}

func (s *Server) turn(name string, n int, per time.Duration) *refusal {
	now := time.Now()
	used := s.used[name]
	for len(used) > 0 && now.Sub(used[0]) >= per {
		used = used[1:]
	}
	s.used[name] = used
	if len(used) < n {
		s.used[name] = append(used, now)
		return nil
	}
	after := (per - now.Sub(used[0])).Seconds()
	return slow(after, "user")
}

func slow(after float64, scope string) *refusal {
	r := deny(429, 0, "You are being rate limited.")
	r.body = object{"message": r.what, "retry_after": after, "global": scope == "global"}
	r.header = http.Header{}
	r.header.Set("Retry-After", strconv.Itoa(int(after)+1))
	r.header.Set("X-RateLimit-Scope", scope)
	if scope == "global" {
		r.header.Set("X-RateLimit-Global", "true")
	}
	return r
}

// headers tell how much of the limit is left.
func (s *Server) headers(h http.Header, method, path string) {
	name, ok := bucket(method, path)
	if !ok || s.Pace.N == 0 {
		return
	}
	left, reset := s.Pace.N-len(s.used[name]), s.Pace.Per
	if used := s.used[name]; len(used) > 0 {
		reset -= time.Since(used[0])
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(s.Pace.N))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(left, 0)))
	h.Set("X-RateLimit-Reset-After", strconv.FormatFloat(reset.Seconds(), 'f', 3, 64))
	h.Set("X-RateLimit-Bucket", "b"+name[:4])
}
