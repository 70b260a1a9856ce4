package jira

import (
	"net/http"
	"strings"
	"time"
)

// Jira's limits: bursts of everything together, and writes to one issue.
// https://developer.atlassian.com/cloud/jira/platform/rate-limiting/
const (
	burstAll   = 100
	burstTime  = time.Second
	writesOne  = 20
	writesTime = 2 * time.Second
)

// tooFast refuses what exceeds a limit; it is counted as "429".
func (s *Server) tooFast(w http.ResponseWriter, method, path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	reason := ""
	if !s.within("", burstAll, burstTime) {
		reason = "jira-burst-based"
	}
	if key, one := strings.CutPrefix(path, "issue/"); one && method != http.MethodGet {
		key, _, _ = strings.Cut(key, "/")
		if !s.within(key, writesOne, writesTime) {
			reason = "jira-per-issue-on-write"
		}
	}
	if reason == "" {
		return false
	}
	s.counts["429"]++
	w.Header().Set("RateLimit-Reason", reason)
	w.Header().Set("Retry-After", "5")
	w.WriteHeader(http.StatusTooManyRequests)
	return true
}

// within notes one more request and says whether it is not one too many.
func (s *Server) within(what string, n int, per time.Duration) bool {
	now := s.Now()
	lately := s.came[what]
	for len(lately) > 0 && !lately[0].Add(per).After(now) {
		lately = lately[1:]
	}
	s.came[what] = append(lately, now)
	return len(lately) < n
}
