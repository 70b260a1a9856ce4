package web

import (
	"net/http"
	"slices"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// healthz says that the process answers, and nothing else: whoever restarts
// processes must not do so because a store is away.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request, _ *visit) error {
	writeJSON(w, http.StatusOK, map[string]bool{"ok": true})
	return nil
}

// Readiness is how fit for work this process is. Nothing wrong: it gets traffic.
type Readiness struct {
	Wrong  []incidents.Reason // why it should get none
	Alarms []incidents.Reason // it should all the same, and every page says them
	Notes  []incidents.Reason // what is worth knowing
}

// readyz says whether work can be done now, and if not, why.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request, v *visit) error {
	type readiness struct {
		Ready   bool               `json:"ready"`
		Reasons []incidents.Reason `json:"reasons"`
		Said    []string           `json:"said"`            // the reasons in words
		Notes   []string           `json:"notes,omitempty"` // what is no reason against it, in words
	}
	answer := readiness{Reasons: []incidents.Reason{}, Said: []string{}}
	is := s.Ready(r.Context())
	for _, note := range slices.Concat(is.Alarms, is.Notes) {
		answer.Notes = append(answer.Notes, bot.Say(v.lang, note))
	}
	for _, reason := range is.Wrong {
		answer.Reasons = append(answer.Reasons, reason)
		answer.Said = append(answer.Said, bot.Say(v.lang, reason))
	}
	status := http.StatusOK
	if answer.Ready = len(answer.Reasons) == 0; !answer.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, status, answer)
	return nil
}
