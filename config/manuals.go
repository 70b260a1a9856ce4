package config

import "github.com/hikeshi-ops/hikeshi/runbooks"

// FitManuals refuses runbooks whose manual (手順書) no tracker can give.
func (s *Settled) FitManuals(library *runbooks.Library) error {
	kinds := map[string]string{}
	for _, d := range s.TicketDesks.Desks {
		kinds[d.Name] = d.Kind
	}
	var problems []problem
	for _, rb := range library.All() {
		m := rb.Manual
		want := KindBacklog
		if m.File != "" {
			want = KindGitLab
		}
		switch kind := kinds[m.From]; {
		case m.None() || kind == want:
		case kind == "":
			problems = append(problems, wrong("trackers", "config.manual_from", "runbook", rb.ID, "from", m.From))
		default:
			problems = append(problems, wrong("trackers", "config.manual_kind", "runbook", rb.ID, "from", m.From, "kind", kind))
		}
	}
	return s.from.problemsError(problems)
}
