package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Kind is what a rule looks at.
type Kind string

// The kinds.
const (
	Series Kind = "series" // a query at a source of diagnostics
	Logs   Kind = "logs"   // lines that were sent to POST /v1/logs
)

// Direction is where a series must go to be told.
type Direction string

// The directions; "" is both.
const (
	Above Direction = "above"
	Below Direction = "below"
)

// The usual values, and the bounds.
const (
	Every      = time.Minute
	LeastEvery = 10 * time.Second
	MostEvery  = time.Hour
	Clear      = 5 * time.Minute
	MostOf     = 30 // looks that are remembered
	MostRules  = 100
	mostSeries = 20 // of one rule
)

// Rule is one thing to watch. Its zero values are not defaults: see config.
type Rule struct {
	Name      string
	Kind      Kind
	Source    string // of Series: its name
	Query     string
	Direction Direction
	Service   string // of Logs: whose lines; so is Host
	Host      string
	Trends    []string // of Logs: what is told of templates, as logs.Fresh
	Keyword   string   // of Logs: in whichever case
	Count     int      // of Logs: so many lines are told
	Every     time.Duration
	Looks, Of int // fires when so many of the last so many looks were strange
	Clear     time.Duration
	DownAfter time.Duration // a source that is silent for so long is an alert; 0: never
	Labels    incidents.Labels
	Customer  string // whose its alerts are, by their labels; "" is nobody
}

// AlertLabels are those that all alerts of the rule have: whose they are follows
// from them.
func (r *Rule) AlertLabels() incidents.Labels { return incidents.LabelsFromMap(r.labels()) }

// spec is what makes a rule another one, that starts afresh.
func (r *Rule) spec() string {
	labels := make([]string, 0, len(r.Labels))
	for _, l := range r.Labels {
		labels = append(labels, l.Name+"="+l.Value)
	}
	return incidents.KeyOf(string(r.Kind), r.Source, r.Query, string(r.Direction), r.Service, r.Host, strings.Join(r.Trends, ","), r.Keyword,
		fmt.Sprint(r.Count, r.Every, r.Looks, r.Of, r.Clear), strings.Join(slices.Sorted(slices.Values(labels)), "\x00")).String()
}
