package incidents

import "time"

// Bounds on what the sources of the first investigation leave in an incident's
// state. A chart of 120 values takes about 800 bytes.
const (
	MaxClues       = 24
	MaxCharts      = 3
	MaxChartValues = 120
	maxChartBytes  = 16 * MaxChartValues
	maxClueURL     = 1500
	maxClueWords   = 8
)

// Clue is something that the first investigation found without having been
// told what to look for: a series that broke, a log line that is new, a change,
// an incident of the past, who depends on the service; or a source that gave no
// answer.
type Clue struct {
	Kind   ClueKind  `json:"kind"`
	Source string    `json:"source,omitempty"` // as it is configured: "prometheus"
	Title  string    `json:"title,omitempty"`  // what it is about, from outside
	Says   Reason    `json:"says"`             // one sentence; the word {since} is At
	Detail string    `json:"detail,omitempty"` // an example, capped
	URL    string    `json:"url,omitempty"`    // in its source, at the right time
	At     time.Time `json:"at,omitzero"`      // since when, or when it happened
	Chart  *Chart    `json:"chart,omitempty"`
	Item   string    `json:"item,omitempty"`   // what was asked, the same in every incident: see Useful
	Folded bool      `json:"folded,omitempty"` // people have said that it is seldom useful
}

// ClueKind says what a clue is about.
type ClueKind string

// The kinds of clues, in the order in which people read them.
const (
	ClueSeries  ClueKind = "series"
	ClueLog     ClueKind = "log"
	ClueProblem ClueKind = "problem" // what else is wrong there
	ClueChange  ClueKind = "change"
	CluePast    ClueKind = "past"
	ClueService ClueKind = "service"
	ClueGraph   ClueKind = "graph"   // what a person's own query says
	ClueMissing ClueKind = "missing" // a source gave no answer
)

// PhraseBlast is what a clue says that names the services which depend on the
// incident's: {n} of them, {names}.
const PhraseBlast = "clue.service.blast"

// Chart is a series to be drawn. Values are numbers with commas between, one
// each Every seconds from the Unix second From; an empty one is a gap.
type Chart struct {
	From   int64  `json:"from"`
	Every  int64  `json:"every"`
	Values string `json:"values"`
}

// own makes a clue fit to be kept.
func (c Clue) own() Clue {
	c.Title, c.Detail, c.Source, c.Item = cut(c.Title, MaxValue), cut(c.Detail, MaxDetail), cut(c.Source, MaxValue), cut(c.Item, MaxValue)
	if len(c.URL) > maxClueURL {
		c.URL = "" // half an address leads nowhere
	}
	words := map[string]string{}
	for name, word := range c.Says.Args {
		if len(words) < maxClueWords {
			words[name] = cut(word, MaxValue)
		}
	}
	c.Says.Args = words
	if c.Chart != nil && (len(c.Chart.Values) > maxChartBytes || c.Chart.Every <= 0) {
		c.Chart = nil
	}
	return c
}

// boundClues keeps the first MaxClues, and the charts of the first MaxCharts.
func boundClues(all []Clue) []Clue {
	var kept []Clue
	charts := 0
	for _, c := range all[:min(len(all), MaxClues)] {
		c = c.own()
		if c.Chart != nil {
			if charts++; charts > MaxCharts {
				c.Chart = nil
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// diagnosed takes what the investigation found, or what is there so far.
func (s *Incident) diagnosed(e *Event) {
	s.Findings, s.Clues = e.Findings, e.Clues
	if e.Value == partly {
		return
	}
	s.DiagnosedAt = e.At
	s.recovered(DoDiagnose, "")
}

// ChartOf is the incident's n-th chart, counted from 1, and its clue; nil where
// there is none.
func (s *Incident) ChartOf(n int) *Clue { return ChartOf(s.Clues, n) }

// ChartOf is the n-th chart of clues, counted from 1; nil where there is none.
func ChartOf(clues []Clue, n int) *Clue {
	for i := range clues {
		if clues[i].Chart == nil {
			continue
		}
		if n--; n == 0 {
			return &clues[i]
		}
	}
	return nil
}
