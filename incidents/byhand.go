package incidents

import "strings"

// HandMark begins a line in which somebody says what they ran by hand, as a shell
// shows it: "$ systemctl restart nginx".
const HandMark = "$ "

// ByHand are the commands that a text says were run by hand.
func ByHand(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if c, ok := strings.CutPrefix(strings.TrimSpace(line), HandMark); ok && strings.TrimSpace(c) != "" {
			all = append(all, strings.TrimSpace(c))
		}
	}
	return all
}

// heardByHand notes that people said what they ran: once the incident is over, and
// nothing else helped, a runbook can be drafted of it.
func (s *Incident) heardByHand(e *Event) {
	s.ByHand = s.ByHand || e.By.IsPerson() && len(ByHand(e.Text)) > 0
}

// Draftable says whether a runbook can be drafted of what people did by hand: it is
// over, they said what they ran, and no runbook helped.
func (s *Incident) Draftable() bool {
	if !s.ByHand || s.Status().Open() {
		return false
	}
	for i := range s.Runs {
		if s.Runs[i].State == RunVerified {
			return false
		}
	}
	return true
}
