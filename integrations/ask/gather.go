package ask

import (
	"maps"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

const (
	mostSeries = 200  // of one question
	mostPoints = 1500 // of one series: one a minute of a day, several of the hours that are looked at
)

// Steps is how many points a series should have: more would not be seen.
const Steps = 240

// Gather sorts points, in any order, into series. What is beyond its bounds is
// counted.
type Gather struct {
	Title, URL string
	at         map[string]int
	answer     diagnostics.Answer
}

// Add takes a point of the series that is told apart by of.
func (g *Gather) Add(of string, t int64, v float64) {
	if g.at == nil {
		g.at = map[string]int{}
	}
	i, known := g.at[of]
	if !known {
		if len(g.at) >= mostSeries {
			g.answer.Left++
			return
		}
		i = len(g.at)
		g.at[of] = i
		g.answer.Series = append(g.answer.Series, diagnostics.Series{Title: g.Title, Of: of, URL: g.URL})
	}
	s := &g.answer.Series[i]
	if len(s.Points) >= mostPoints {
		g.answer.Left++
		return
	}
	s.Points = append(s.Points, movers.Point{T: t, V: v})
}

// Answer is what was gathered, by name.
func (g *Gather) Answer() diagnostics.Answer {
	slices.SortStableFunc(g.answer.Series, func(a, b diagnostics.Series) int { return strings.Compare(a.Of, b.Of) })
	return g.answer
}

// Labels tell series apart: "host=web-1 zone=a".
func Labels(all map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, name+"="+all[name])
	}
	return strings.Join(words, " ")
}
