// Package sources has small servers that answer as Loki, InfluxDB, Zabbix, New
// Relic, Neo4j, GitLab and GitHub are documented to, each for what the first
// investigation asks it. They refuse what those refuse: a wrong address, method,
// parameter or credential is an answer of their kind and fails the test. Something
// breaks at the alert in all of them. Start with Server; each system has a file or
// a function of its own.
package sources

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// The credentials that all of them want, and what they know.
const (
	Token   = "a-token-of-a-source"
	Service = "shop"
	Host    = "web-1"
)

// Server is one of them.
type Server struct {
	*httptest.Server
	t     testing.TB
	alert time.Time

	mu      sync.Mutex
	instead http.HandlerFunc
}

// Instead answers in its place from now on, for a server that lies. nil ends it.
func (s *Server) Instead(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = h
}

// answer is what a system says: a status, and what becomes JSON.
type answer struct {
	code int
	body any
}

func start(t testing.TB, alert time.Time, handle func(s *Server, r *http.Request) answer) *Server {
	t.Helper()
	s := &Server{t: t, alert: alert}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		instead := s.instead
		s.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		a := handle(s, r)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.code)
		_ = json.NewEncoder(w).Encode(a.body) // the client may be gone
	}))
	t.Cleanup(s.Close)
	return s
}

// refuse fails the test, and answers as the system would.
func (s *Server) refuse(code int, body any, why string, args ...any) answer {
	s.t.Errorf(why, args...)
	return answer{code, body}
}

// points are a value every fifteen seconds: about ten, and since the alert forty.
func (s *Server) points(each func(at time.Time, v float64)) {
	for i := -240; i <= 4; i++ {
		at := s.alert.Add(time.Duration(i) * 15 * time.Second).Truncate(time.Second)
		v := 10 + float64(i&3)/10
		if i >= 0 {
			v = 40
		}
		each(at, v)
	}
}
