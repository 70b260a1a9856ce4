package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/diagnostics/watch"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Watch is a series or a log that raises an alert by itself.
type Watch struct {
	Name      string            `yaml:"name"`
	Kind      string            `yaml:"kind"`
	Source    string            `yaml:"source"`
	Query     string            `yaml:"query"`
	Direction string            `yaml:"direction"`
	Service   string            `yaml:"service"`
	Host      string            `yaml:"host"`
	Templates []string          `yaml:"templates"`
	Keyword   string            `yaml:"keyword"`
	Count     int               `yaml:"count"`
	Every     Duration          `yaml:"every"`
	Hold      Hold              `yaml:"hold"`
	Clear     Duration          `yaml:"clear"`
	DownAfter Duration          `yaml:"down_after"`
	Labels    map[string]string `yaml:"labels"`
}

// Hold is how many looks of how many must be strange.
type Hold struct {
	Looks int `yaml:"looks"`
	Of    int `yaml:"of"`
}

// SettledWatch is what is watched, and who counts keywords for it.
type SettledWatch struct {
	Rules []watch.Rule
	Tally *watch.Tally
}

const (
	mostWatchQuery = 1000 // bytes, as of a graph
	mostDay        = 24 * time.Hour
)

var (
	labelName      = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_]{0,63}\z`)
	ownWatchLabels = []string{incidents.DedupLabel, "source", "watch", "series"}
)

func (s *settler) watch() {
	if len(s.Watch) > watch.MostRules {
		s.note(wrong("watch", "config.watch_many", "n", strconv.Itoa(watch.MostRules)))
	}
	var names []string
	for i := range s.Watch {
		c, key := &s.Watch[i], fmt.Sprintf("watch[%d]", i)
		switch {
		case !scheduleName.MatchString(c.Name):
			s.note(wrong(key+".name", "config.watch_name", "value", c.Name))
		case slices.Contains(names, c.Name):
			s.note(wrong(key+".name", "config.watch_twice", "value", c.Name))
		}
		names = append(names, c.Name)
		s.Watched.Rules = append(s.Watched.Rules, s.watchRule(key, c))
	}
	s.Watched.Tally = watch.NewTally(s.Watched.Rules, time.Now)
	s.Asked.Heard = s.Watched.Tally.Add
}

// watchRule is the rule with its defaults.
func (s *settler) watchRule(key string, c *Watch) watch.Rule {
	r := watch.Rule{
		Name: c.Name, Kind: watch.Kind(c.Kind), Source: c.Source, Query: c.Query, Direction: watch.Direction(c.Direction),
		Service: c.Service, Host: c.Host, Trends: c.Templates, Keyword: c.Keyword, Count: max(c.Count, 1),
		Every: cmp.Or(time.Duration(c.Every), watch.Every), Looks: c.Hold.Looks, Of: c.Hold.Of,
		Clear: cmp.Or(time.Duration(c.Clear), watch.Clear), DownAfter: time.Duration(c.DownAfter), Labels: incidents.LabelsFromMap(c.Labels),
	}
	if c.Hold == (Hold{}) {
		if r.Looks, r.Of = 3, 5; r.Kind == watch.Logs {
			r.Looks, r.Of = 1, 1
		}
	}
	if r.Looks < 1 || r.Looks > r.Of || r.Of > watch.MostOf {
		s.note(wrong(key+".hold", "config.watch_hold", "most", strconv.Itoa(watch.MostOf)))
	}
	if r.Every < watch.LeastEvery || r.Every > watch.MostEvery || r.Every%time.Second != 0 {
		s.note(wrong(key+".every", "config.watch_every", "value", r.Every.String(), "least", watch.LeastEvery.String(), "most", watch.MostEvery.String()))
	}
	if r.Clear < r.Every || r.Clear > mostDay {
		s.note(wrong(key+".clear", "config.watch_clear", "value", r.Clear.String(), "every", r.Every.String()))
	}
	for name, value := range c.Labels {
		if !labelName.MatchString(name) || slices.Contains(ownWatchLabels, name) || value == "" || len(value) > incidents.MaxValue {
			s.note(wrong(key+".labels", "config.watch_label", "value", name))
		}
	}
	r.Customer = s.CustomerRules.Of(r.AlertLabels())
	switch r.Kind {
	case watch.Series:
		s.watchSeries(key, c)
		s.watchWhose(key, &r)
	case watch.Logs:
		s.watchLogs(key, c)
	default:
		s.note(wrong(key+".kind", "config.one_of", "value", c.Kind, "known", "series, logs"))
	}
	return r
}

func (s *settler) watchSeries(key string, c *Watch) {
	var known []string
	for _, g := range s.Diagnostics.Graphers(s.CustomerRules) {
		known = append(known, g.Name)
	}
	if !slices.Contains(known, c.Source) {
		s.note(wrong(key+".source", "config.watch_source", "value", c.Source, "known", cmp.Or(strings.Join(known, ", "), "–")))
	}
	if strings.TrimSpace(c.Query) == "" || len(c.Query) > mostWatchQuery {
		s.note(wrong(key+".query", "config.watch_query", "most", strconv.Itoa(mostWatchQuery)))
	}
	if c.Direction != "" && c.Direction != string(watch.Above) && c.Direction != string(watch.Below) {
		s.note(wrong(key+".direction", "config.one_of", "value", c.Direction, "known", "above, below"))
	}
	if c.Service+c.Host+c.Keyword != "" || len(c.Templates) > 0 || c.Count != 0 {
		s.note(wrong(key, "config.watch_logs_only"))
	}
}

// watchWhose refuses a rule whose alerts would be another's than what it looks at.
func (s *settler) watchWhose(key string, r *watch.Rule) {
	var whose []string
	for _, g := range s.Diagnostics.Graphers(s.CustomerRules) {
		if g.Name == r.Source {
			whose = append(whose, g.Whose)
		}
	}
	if len(whose) == 0 || slices.ContainsFunc(whose, func(w string) bool { return diagnostics.Serves(w, r.Customer) }) {
		return
	}
	phrase := "config.watch_customer"
	switch customers := slices.DeleteFunc(whose, func(w string) bool { return w == "" }); {
	case r.Customer == "":
		phrase = "config.watch_nobodys"
	case len(customers) == 0:
		phrase = "config.watch_ours"
	default:
		whose = customers
	}
	s.note(wrong(key+".labels", phrase, "source", r.Source, "whose", strings.Join(whose, ", "), "customer", r.Customer))
}

func (s *settler) watchLogs(key string, c *Watch) {
	if (c.Service == "") == (c.Host == "") {
		s.note(wrong(key, "config.watch_whose"))
	}
	if (c.Keyword == "") == (len(c.Templates) == 0) || c.Count < 0 {
		s.note(wrong(key, "config.watch_what"))
	}
	for _, t := range c.Templates {
		if t != string(logs.Fresh) && t != string(logs.Bursting) {
			s.note(wrong(key+".templates", "config.one_of", "value", t, "known", "new, bursting"))
		}
	}
	if c.Source+c.Query+c.Direction != "" || c.DownAfter != 0 {
		s.note(wrong(key, "config.watch_series_only"))
	}
}
