package bot

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// clueStates say how each kind of clue looks in the table.
var clueStates = map[incidents.ClueKind]CheckState{
	incidents.ClueSeries: CheckBad, incidents.ClueLog: CheckBad, incidents.ClueProblem: CheckBad, incidents.ClueChange: CheckNote,
	incidents.CluePast: CheckNote, incidents.ClueService: CheckNote, incidents.ClueGraph: CheckNote, incidents.ClueMissing: CheckUnknown,
}

// clues adds what the investigation found by itself, each kind under a heading
// of its own, and the charts.
func (v *view) clues(m *Message) {
	s := v.s
	path := "/incidents/" + s.ID.String() + "/charts/"
	v.rows(m, s.Clues, func(n int) string { return path + strconv.Itoa(n) + ".png?at=" + strconv.FormatInt(m.At.Unix(), 10) })
	if len(s.Clues) > 0 && len(s.Findings) == 0 {
		m.Text = count(v.lang, "diagnostics.clues", len(s.Clues))
	}
	if s.DiagnosedAt.IsZero() {
		m.Text += v.t("list.space") + v.t("diagnostics.more")
	}
}

// rows adds a row for each clue, and the charts; chart is the path of the n-th.
func (v *view) rows(m *Message, clues []incidents.Clue, chart func(n int) string) {
	n := 0
	for i := range clues {
		c := &clues[i]
		row := v.clue(c)
		v.judged(&row, c.Item)
		m.Checks = append(m.Checks, row)
		if c.Chart == nil {
			continue
		}
		n++
		image := Image{N: n, Path: chart(n), Title: row.Name, Alt: v.t("clue.chart", "title", row.Name, "says", row.Value, "alert", Clock(v.lang, v.s.OpenedAt, v.now))}
		if v.links.Base != "" {
			image.URL = strings.TrimRight(v.links.Base, "/") + image.Path
		}
		m.Images = append(m.Images, image)
	}
}

// Consulted is what the sources answered somebody who asked them, for them alone;
// the room has the same as a line.
func Consulted(s *incidents.Incident, e *incidents.Event, lang string, now time.Time, links Links) Message {
	v := view{s: s, lang: lang, now: now, links: links}
	m := Message{Title: v.t("consulted.line", "line", Line(e.Text, incidents.MaxValue))}
	v.consulted(&m, e)
	return m
}

func (v *view) consulted(m *Message, e *incidents.Event) {
	for i := range e.Findings {
		m.Checks = append(m.Checks, v.check(&e.Findings[i]))
	}
	path := "/incidents/" + v.s.ID.String() + "/charts/e" + strconv.FormatInt(e.Seq, 10) + "-"
	v.rows(m, e.Clues, func(n int) string { return path + strconv.Itoa(n) + ".png" })
	if len(m.Checks) == 0 {
		m.Text = strings.TrimSpace(m.Text + "\n\n" + v.t("consulted.nothing"))
	}
}

func (v *view) clue(c *incidents.Clue) Check {
	says := c.Says
	says.Args = maps.Clone(says.Args)
	if says.Args == nil {
		says.Args = map[string]string{}
	}
	says.Args["since"] = Clock(v.lang, c.At, v.now)
	says.Args["ago"] = Ago(v.lang, c.At, v.now)
	row := Check{
		Group: v.t("clue.group." + string(c.Kind)), State: clueStates[c.Kind], Name: Line(c.Title, incidents.MaxValue),
		Value: Line(Say(v.lang, says), 2*incidents.MaxValue), Detail: Cut(Clean(c.Detail), maxOutput), URL: c.URL,
		Folded: c.Folded,
	}
	if row.State == "" || c.Says.Phrase == "clue.log.vanished" { // that a line came no more is no failure by itself
		row.State = CheckNote
	}
	if id, ok := incidents.ParseID(says.Args["id"]); ok && c.Kind == incidents.CluePast {
		row.URL = v.links.Incident(id)
	}
	if row.Name == "" {
		row.Name = Line(c.Source, incidents.MaxValue)
	}
	return row
}
