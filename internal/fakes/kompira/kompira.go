// Package kompira is a strict Kompira for tests, written from its documentation: what
// the documentation does not allow is answered with an error and noted as a
// problem of the test. It can lie, too: see [Lie].
//
// Start with [New].
package kompira

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Token is the one that it knows.
const Token = "kompira-token-for-tests"

// Lie is a way in which a server can be wrong.
type Lie string

// What it does instead of answering a start as it should. The job is started in
// each of these, unless it says otherwise.
const (
	Truth    Lie = ""
	HangUp   Lie = "ends the connection without an answer"
	Garbage  Lie = "answers with something else than JSON"
	Empty    Lie = "answers with an empty object"
	Fail     Lie = "answers 502, as a proxy does"
	Redirect Lie = "answers with a redirect"
	Silent   Lie = "does not answer"
	Other    Lie = "answers about something else"
	Refuse   Lie = "refuses, and starts nothing"
	Flaky    Lie = "starts well, and fails every second look with 503"
	Stranger Lie = "starts well, and looks show another run as done"
)

// Job is what can be started.
type Job struct {
	Options []string // that it knows
	Says    string   // one line after the other
	Ends    string   // the state in which it ends; "" never
	Looks   int      // before it has ended
}

// Run is one that was started.
type Run struct {
	Job     string
	Options map[string]string
	looks   int
}

// Server is one Kompira.
type Server struct {
	URL  string
	t    testing.TB
	jobs map[string]Job

	mu   sync.Mutex
	lie  Lie
	runs []Run
	done chan struct{} // the test is over
}

// New starts one for the test.
func New(t testing.TB, jobs map[string]Job) *Server {
	t.Helper()
	s := &Server{t: t, jobs: jobs, done: make(chan struct{})}
	server := httptest.NewServer(s.handler())
	s.URL = server.URL
	t.Cleanup(func() { close(s.done); server.Close() })
	return s
}

// Lie makes it lie from now on.
func (s *Server) Lie(lie Lie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie = lie
}

// Runs are those that were started.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.runs)
}

// start notes the run and lies about it; the number is the run's, from 1.
func (s *Server) start(w http.ResponseWriter, r *http.Request, job string, options map[string]string) (number int, honest bool) {
	s.mu.Lock()
	lie := s.lie
	if lie == Refuse {
		s.mu.Unlock()
		s.refuse(w, http.StatusConflict, "the job flow is being executed")
		return 0, false
	}
	s.runs = append(s.runs, Run{Job: job, Options: options})
	number = len(s.runs)
	s.mu.Unlock()
	switch lie {
	case HangUp:
		panic(http.ErrAbortHandler)
	case Garbage:
		fmt.Fprint(w, "<html>hello</html>")
	case Empty:
		fmt.Fprint(w, "{}")
	case Fail:
		w.WriteHeader(http.StatusBadGateway)
	case Redirect:
		http.Redirect(w, r, s.URL+"/user/login", http.StatusFound)
	case Silent:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	default:
		return number, true
	}
	return number, false
}

// look counts a look at the run and says whether it has ended.
func (s *Server) look(w http.ResponseWriter, number int) (run Run, job Job, ended, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < 1 || number > len(s.runs) {
		s.refuse(w, http.StatusNotFound, "there is no such run")
		return run, job, false, false
	}
	at := &s.runs[number-1]
	at.looks++
	if s.lie == Flaky && at.looks%2 == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return run, job, false, false
	}
	job = s.jobs[at.Job]
	return *at, job, job.Ends != "" && at.looks > job.Looks, true
}

// wrong is a request that the documentation does not allow.
func (s *Server) wrong(w http.ResponseWriter, r *http.Request, format string, args ...any) {
	s.t.Errorf("Kompira does not take %s %s: %s", r.Method, r.URL, fmt.Sprintf(format, args...))
	s.refuse(w, http.StatusBadRequest, "see the test")
}

func (s *Server) lying() Lie {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lie
}

// readBody decodes what may stand in a start's body and nothing else.
func readBody(r *http.Request, into any) error {
	if kind := r.Header.Get("Content-Type"); kind != "application/json" {
		return fmt.Errorf("content type %q", kind)
	}
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func unknownOption(job Job, options map[string]string) string {
	for name := range options {
		if !slices.Contains(job.Options, name) {
			return name
		}
	}
	return ""
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

func (s *Server) refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	write(w, map[string]string{"detail": message})
}

func (s *Server) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		flow, execute := strings.CutSuffix(r.URL.Path, ".execute")
		number, process := strings.CutPrefix(r.URL.Path, "/process/id_")
		switch {
		case r.Header.Get("Accept") != "application/json":
			s.wrong(w, r, "it would answer with a page")
		case r.Header.Get("Authorization") != "Token "+Token:
			s.refuse(w, http.StatusUnauthorized, "invalid token")
		case r.Method == http.MethodPost && execute:
			s.execute(w, r, flow)
		case r.Method == http.MethodGet && process:
			s.process(w, number)
		default:
			s.wrong(w, r, "there is no such path")
		}
	})
}

func (s *Server) execute(w http.ResponseWriter, r *http.Request, flow string) {
	job, ok := s.jobs[flow]
	if !ok {
		s.refuse(w, http.StatusNotFound, "not found")
		return
	}
	var body struct {
		StepMode       bool              `json:"step_mode"`
		CheckpointMode bool              `json:"checkpoint_mode"`
		MonitoringMode string            `json:"monitoring_mode"`
		Parameters     map[string]string `json:"parameters"`
	}
	if err := readBody(r, &body); err != nil {
		s.wrong(w, r, "body: %v", err)
		return
	}
	if name := unknownOption(job, body.Parameters); name != "" {
		s.refuse(w, http.StatusBadRequest, "unknown parameter "+name)
		return
	}
	number, honest := s.start(w, r, flow, body.Parameters)
	if !honest {
		return
	}
	if s.lying() == Other {
		write(w, "/home/guest/somewhere")
		return
	}
	write(w, "/process/id_"+strconv.Itoa(number))
}

func (s *Server) process(w http.ResponseWriter, text string) {
	n, _ := strconv.Atoi(text) // 0 is no run
	run, job, ended, ok := s.look(w, n)
	if !ok {
		return
	}
	p := map[string]any{"id": n, "abspath": "/process/id_" + text, "status": "RUNNING", "job": run.Job, "console": job.Says + "\n", "result": nil, "error": nil, "exit_status": nil}
	if ended {
		p["status"], p["exit_status"] = job.Ends, 0
	}
	if ended && job.Ends == "FAILED" { // it ran to its end and says that it failed
		p["status"], p["exit_status"], p["result"] = "DONE", 2, "NG"
	}
	if s.lying() == Stranger {
		p["abspath"], p["status"] = "/process/id_"+strconv.Itoa(n+1), "DONE"
	}
	write(w, p)
}
