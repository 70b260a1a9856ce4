package diagnostics

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Specialist is a source that tells a few kinds of clues only, so that it need
// not be asked for the others. One that does not say is always asked.
type Specialist interface {
	Tells() []incidents.ClueKind
}

// Grapher is a source that takes a query of a person's own. The query is sent as
// a parameter, and the source is asked to read and nothing else.
type Grapher interface {
	Source
	Graph(ctx context.Context, query string, from, to time.Time) (Answer, error)
}

const (
	mostQuery = 1000           // bytes
	mostGraph = 24 * time.Hour // so long after the alert a graph goes at most
	graphTime = 8 * time.Second
)

// Only is the part of an investigation that somebody asks for: one kind of clue,
// or all; of them what has the words in it, or all. Sources that cannot know are
// not asked, and so keep nobody waiting.
func (v *Investigator) Only(ctx context.Context, s *incidents.Incident, kind incidents.ClueKind, words string) incidents.Diagnosed {
	part := Investigator{v.Options}
	if kind != "" {
		part.Checks = noChecks{}
		part.Sources = slices.DeleteFunc(slices.Clone(v.Sources), func(o Owned) bool {
			of, says := o.Source.(Specialist)
			return says && !slices.Contains(of.Tells(), kind)
		})
	}
	found := part.Diagnose(ctx, s, func(incidents.Diagnosed) {})
	found.Findings = slices.DeleteFunc(found.Findings, func(f incidents.Finding) bool {
		return !mentions(words, f.Check, f.Title.EN, f.Title.JA, f.Value)
	})
	found.Clues = slices.DeleteFunc(found.Clues, func(c incidents.Clue) bool {
		missed := c.Kind == incidents.ClueMissing && (kind != "" || mentions(words, c.Source))
		return !missed && (kind != "" && c.Kind != kind || !mentions(words, c.Source, c.Item, c.Title, c.Detail))
	})
	return found
}

type noChecks struct{}

func (noChecks) Diagnose(context.Context, *incidents.Incident) []incidents.Finding { return nil }

// mentions says whether one of texts has the words, in whichever case.
func mentions(words string, texts ...string) bool {
	words = strings.ToLower(words)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), words) })
}

// Graph draws what a query of somebody's own says, from an hour before the alert
// until now. in names the source; "" is the first that takes queries. own: of those
// that are the customer's alone, since a query may read all that a source has.
func (v *Investigator) Graph(ctx context.Context, s *incidents.Incident, in, query string, own bool) (incidents.Diagnosed, error) {
	if len(query) > mostQuery {
		return incidents.Diagnosed{}, incidents.Fail(incidents.TooLarge, "error.graph_long", "the query is longer than "+strconv.Itoa(mostQuery)+" bytes", "n", strconv.Itoa(mostQuery))
	}
	source, err := v.about(s).grapher(in, own)
	if err != nil {
		return incidents.Diagnosed{}, err
	}
	q := ask(s, v.Now())
	if q.To = v.Now(); q.To.After(s.OpenedAt.Add(mostGraph)) {
		q.To = s.OpenedAt.Add(mostGraph)
	}
	ctx, cancel := context.WithTimeout(ctx, min(graphTime, v.Within))
	defer cancel()
	answer, err := source.Graph(ctx, query, q.From, q.To)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("no answer in time")
		}
		why := v.Clean(err.Error())
		return incidents.Diagnosed{}, incidents.Fail(incidents.Invalid, "error.graph", source.Name()+" drew nothing: "+why, "source", source.Name(), "error", why)
	}
	var found incidents.Diagnosed
	for _, c := range drawn(q, query, answer) {
		c.Source, c.Title = source.Name(), v.Clean(c.Title)
		found.Clues = append(found.Clues, c)
	}
	return found, nil
}

func (v *Investigator) grapher(name string, own bool) (Grapher, error) {
	var names []string
	for _, o := range v.Sources {
		g, can := o.Source.(Grapher)
		can = can && !(own && o.Whose == Everybody)
		if can && (name == "" || strings.EqualFold(g.Name(), name)) {
			return g, nil
		}
		if can {
			names = append(names, g.Name())
		}
	}
	switch {
	case len(names) == 0 && own:
		return nil, incidents.Fail(incidents.Forbidden, "error.graph_customer", "a query of one's own needs a source that is this customer's alone, or somebody who sees the incidents of all customers").WithHint("/inc diagnose")
	case len(names) == 0:
		return nil, incidents.Fail(incidents.NotFound, "error.graph_nowhere", "no source is configured that takes queries")
	}
	known, first := strings.Join(names, ", "), names[0]
	if strings.Contains(first, " ") {
		first = `"` + first + `"`
	}
	return nil, incidents.Fail(incidents.NotFound, "error.graph_source", "no source of that name takes queries; there are "+known, "names", known).WithHint("/inc graph in:" + first + " up")
}

// drawn are the few series worth a picture: those that moved most, then those
// with the highest values; how many more there were is said.
func drawn(q Question, query string, answer Answer) []incidents.Clue {
	order := make([]movers.Series, len(answer.Series))
	for i, s := range answer.Series {
		order[i] = movers.Series{Points: s.Points}
	}
	moved, _ := movers.Rank(order, q.Alert, moveWindow)
	place := map[int]int{}
	for i, c := range moved {
		place[c.Series] = len(moved) - i
	}
	var at []int
	ends := map[int]span{}
	for i, s := range answer.Series {
		if e, ok := spanOf(s.Points, q.From, q.To); ok {
			at, ends[i] = append(at, i), e
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		if place[a] != place[b] {
			return place[b] - place[a]
		}
		return cmp.Compare(ends[b].high, ends[a].high)
	})
	var clues []incidents.Clue
	for _, i := range at[:min(len(at), incidents.MaxCharts)] {
		s, e := answer.Series[i], ends[i]
		title := query
		if s.Of != "" {
			title = s.Of
		}
		clues = append(clues, incidents.Clue{
			Kind: incidents.ClueGraph, Title: title, URL: s.URL, At: q.From.UTC(), Chart: Curve(s.Points, q.From, q.To, e.last),
			Says: incidents.Because("clue.graph", "now", Number(e.last), "low", Number(e.low), "high", Number(e.high)),
		})
	}
	if more := len(at) - len(clues) + answer.Left; more > 0 {
		clues = append(clues, incidents.Clue{Kind: incidents.ClueGraph, Title: "+" + strconv.Itoa(more), Says: incidents.Because("clue.graph.more", "n", strconv.Itoa(more))})
	}
	return clues
}

// span is between what a series moved, and where it is last.
type span struct{ low, high, last float64 }

func spanOf(points []movers.Point, from, to time.Time) (e span, ok bool) {
	e.low, e.high = math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if p.T < from.Unix() || p.T > to.Unix() || math.IsNaN(p.V) || math.IsInf(p.V, 0) {
			continue
		}
		e.low, e.high, e.last, ok = min(e.low, p.V), max(e.high, p.V), p.V, true
	}
	return e, ok
}
