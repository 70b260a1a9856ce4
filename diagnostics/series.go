package diagnostics

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/chart"
	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	// moveWindow before the alert: what moved earlier is another story. Rules wait
	// some minutes before they fire.
	moveWindow = 15 * time.Minute
	leastTimes = 1.05 // a move by less is said by its values only
)

// moved are the few series that left their usual course, the worst first, each
// with its chart; how many others did is said too.
func (v *Investigator) moved(q Question, all []Series) []incidents.Clue {
	given := make([]movers.Series, len(all))
	for i := range all {
		given[i] = movers.Series{Metric: all[i].Title, Host: all[i].Of, Points: all[i].Points}
	}
	changes, _ := movers.Rank(given, q.Alert, moveWindow)
	var clues []incidents.Clue
	shown := map[string]bool{}
	for _, c := range changes {
		s := &all[c.Series]
		if len(clues) == incidents.MaxCharts || shown[s.Title] {
			continue // of a metric that broke on fifty hosts the worst is enough
		}
		shown[s.Title] = true
		title := s.Title
		if s.Of != "" {
			title += " (" + s.Of + ")"
		}
		clues = append(clues, incidents.Clue{
			Kind: incidents.ClueSeries, Source: s.Source, Item: "series/" + s.Source + "/" + s.Title, Title: title, URL: s.URL, At: time.Unix(c.Since, 0).UTC(), Says: howMuch(c), Chart: Curve(s.Points, q.From, q.To, c.Before),
		})
	}
	if more := len(changes) - len(clues); more > 0 {
		clues = append(clues, incidents.Clue{Kind: incidents.ClueSeries, Title: "+" + strconv.Itoa(more), Says: incidents.Because("clue.series.more", "n", strconv.Itoa(more))})
	}
	return clues
}

func howMuch(c movers.Change) incidents.Reason {
	args := []string{"before", Number(c.Before), "after", Number(c.After)}
	if c.Times >= leastTimes || c.Times > 0.05 && c.Times < 1/leastTimes {
		return incidents.Because("clue.series.times", append(args, "times", Number(c.Times))...)
	}
	return incidents.Because("clue.series.moved", args...)
}

// Number writes a value with about three digits: 0.042, 3.4, 12.3 k, 4.1 G.
func Number(f float64) string {
	size := math.Abs(f)
	for _, unit := range []struct {
		from, of float64
		name     string
	}{{1e15, 1e15, " P"}, {1e12, 1e12, " T"}, {1e9, 1e9, " G"}, {1e6, 1e6, " M"}, {1e4, 1e3, " k"}} {
		if size >= unit.from {
			return digits(f/unit.of) + unit.name
		}
	}
	return digits(f)
}

func digits(f float64) string {
	if size := math.Abs(f); size >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 3, 64)
}

// Curve is the series as it is kept: of each stretch of time the value that is
// farthest from the usual, so that no spike is lost.
func Curve(points []movers.Point, from, to time.Time, usual float64) *incidents.Chart {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	inside := func(p movers.Point) bool {
		return p.T >= from.Unix() && p.T <= to.Unix() && !math.IsNaN(p.V) && !math.IsInf(p.V, 0)
	}
	for _, p := range points {
		if inside(p) {
			first, last = min(first, p.T), max(last, p.T)
		}
	}
	if first > last {
		return nil
	}
	every := (last-first)/(incidents.MaxChartValues-1) + 1
	slots := make([]*float64, (last-first)/every+1)
	for i := range points {
		p := &points[i]
		if !inside(*p) {
			continue
		}
		at := (p.T - first) / every
		if slots[at] == nil || math.Abs(p.V-usual) > math.Abs(*slots[at]-usual) {
			slots[at] = &p.V
		}
	}
	words := make([]string, len(slots))
	for i, v := range slots {
		if v != nil {
			words[i] = strconv.FormatFloat(*v, 'g', 5, 64)
		}
	}
	return &incidents.Chart{From: first, Every: every, Values: strings.Join(words, ",")}
}

// Draw makes the picture of a clue's chart, with the time of the alert marked.
func Draw(c *incidents.Clue, alert time.Time) ([]byte, error) {
	var points []chart.Point
	at := c.Chart.From
	for word := range strings.SplitSeq(c.Chart.Values, ",") {
		if v, err := strconv.ParseFloat(word, 64); err == nil {
			points = append(points, chart.Point{T: at, V: v})
		}
		at += c.Chart.Every
	}
	title := c.Title
	if slices.ContainsFunc([]rune(title), func(r rune) bool { return r < ' ' || r > '~' }) {
		title = "" // the page says it; the picture has no such letters
	}
	return chart.Draw(points, chart.Options{Title: title, Alert: alert.Unix()})
}
