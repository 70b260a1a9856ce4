package bot

import (
	"maps"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// clueStates say how each kind of clue looks in the table.
var clueStates = map[incidents.ClueKind]CheckState{
	incidents.ClueSeries: CheckBad, incidents.ClueLog: CheckBad, incidents.ClueProblem: CheckBad, incidents.ClueChange: CheckNote,
	incidents.CluePast: CheckNote, incidents.ClueService: CheckNote, incidents.ClueMissing: CheckUnknown,
}

// clues adds what the investigation found by itself, each kind under a heading
// of its own, and the charts.
func (v *view) clues(m *Message) {
	s := v.s
	chart := 0
	for i := range s.Clues {
		c := &s.Clues[i]
		row := v.clue(c)
		m.Checks = append(m.Checks, row)
		if c.Chart == nil {
			continue
		}
		chart++
		path := "/incidents/" + s.ID.String() + "/charts/" + strconv.Itoa(chart) + ".png?at=" + strconv.FormatInt(m.At.Unix(), 10)
		image := Image{N: chart, Path: path, Title: row.Name, Alt: v.t("clue.chart", "title", row.Name, "says", row.Value, "alert", Clock(v.lang, s.OpenedAt, v.now))}
		if v.links.Base != "" {
			image.URL = strings.TrimRight(v.links.Base, "/") + path
		}
		m.Images = append(m.Images, image)
	}
	if len(s.Clues) > 0 && len(s.Findings) == 0 {
		m.Text = count(v.lang, "diagnostics.clues", len(s.Clues))
	}
	if s.DiagnosedAt.IsZero() {
		m.Text += v.t("list.space") + v.t("diagnostics.more")
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
	}
	if row.State == "" {
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
