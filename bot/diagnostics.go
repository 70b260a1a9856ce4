package bot

import (
	"slices"
	"strconv"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxOutput bounds the output of one check or step in a message, in bytes: 32
// findings stay well below the 256 KiB that a room's message may take. The
// incident keeps more.
const maxOutput = 1000

// diagnostics is the first investigation: what was checked, failing first.
func (v *view) diagnostics() Message {
	s := v.s
	asking := *v // the tables of other messages ask nothing
	asking.asks, v = true, &asking
	m := Message{Key: keyDiagnostics, Kind: KindDiagnostics, Tone: ToneInfo, At: s.CreatedAt, Title: v.t("diagnostics.title")}
	if s.DiagnosedAt.IsZero() && len(s.Findings)+len(s.Clues) == 0 {
		m.Text = v.t("diagnostics.checking")
		return m
	}
	if !s.DiagnosedAt.IsZero() {
		m.At = s.DiagnosedAt
	}
	for i := range s.Findings {
		m.Checks = append(m.Checks, v.check(&s.Findings[i]))
	}
	slices.SortStableFunc(m.Checks, func(a, b Check) int { return checkOrder(a.State) - checkOrder(b.State) })
	m.Text = v.t("diagnostics.none")
	if len(m.Checks) > 0 {
		m.Text = v.checksSummary(m.Checks)
		if m.Checks[0].State == CheckBad {
			m.Tone = ToneBad
		}
	}
	v.clues(&m)
	v.ask(&m)
	return m
}

func (v *view) check(f *incidents.Finding) Check {
	c := Check{
		State: CheckOK, Name: v.title(f.Title, f.Check), Value: Line(f.Value, incidents.MaxValue),
		Detail: Cut(Clean(f.Detail), maxOutput), Elapsed: Duration(v.lang, f.Elapsed),
		Folded: f.Folded && f.OK, // what fails is never out of sight
	}
	v.judged(&c, f.Item())
	switch {
	case f.Error != "":
		c.State, c.Value = CheckUnknown, Line(f.Error, incidents.MaxValue)
		if f.Because.Phrase != "" {
			c.Value = Line(Say(v.lang, f.Because), incidents.MaxValue)
		}
	case !f.OK:
		c.State = CheckBad
	}
	return c
}

// checkOrder puts what is broken first, then what could not be asked.
func checkOrder(s CheckState) int {
	switch s {
	case CheckBad:
		return 0
	case CheckUnknown:
		return 1
	case CheckWaiting:
		return 2
	default:
		return 3
	}
}

func (v *view) checksSummary(checks []Check) string {
	bad, unknown := 0, 0
	for _, c := range checks {
		switch c.State {
		case CheckBad:
			bad++
		case CheckUnknown:
			unknown++
		}
	}
	all := strconv.Itoa(len(checks))
	text := count(v.lang, "diagnostics.fail", bad, "all", all)
	if bad == 0 {
		text = count(v.lang, "diagnostics.pass", len(checks)-unknown, "all", all)
	}
	if unknown > 0 {
		text += v.t("list.space") + count(v.lang, "diagnostics.unknown", unknown)
	}
	return text
}
