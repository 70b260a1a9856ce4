// Package newrelic asks New Relic for the series that are configured for an
// incident, by NRQL over NerdGraph. It is a diagnostics.Source: the query goes as a
// variable of GraphQL, what an incident says stands in it as a plain name in quotes,
// and the time is added here. Start with New.
package newrelic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one account and what it is asked. URL is for accounts in Europe:
// https://api.eu.newrelic.com.
type Config struct {
	Name      string      `yaml:"name"`
	URL       string      `yaml:"url"`
	Account   int         `yaml:"account"`
	TokenFile string      `yaml:"token_file"`
	Link      string      `yaml:"link"`
	Series    []ask.Query `yaml:"series"`

	Token string `yaml:"-"`
}

const (
	publicAPI = "https://api.newrelic.com"
	mostSteps = 366 // TIMESERIES makes no more
	least     = time.Minute
)

// The whole document is constant (https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/).
const document = `query($account: Int!, $nrql: Nrql!) { actor { account(id: $account) { nrql(query: $nrql, timeout: 8) { results } } } }`

// ours are the clauses that are added to each query.
var ours = regexp.MustCompile(`(?i)\b(since|until|timeseries|compare\s+with)\b`)

// Source asks one account. It is safe for concurrent use.
type Source struct {
	config    Config
	client    *ask.Client
	link      ask.Link
	templates []diagnostics.Template
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	c.Name = cmp.Or(c.Name, "newrelic")
	if c.Account <= 0 || c.Token == "" {
		return nil, errors.New("account is a number, and token_file has a user's key")
	}
	s := &Source{config: c}
	for _, q := range c.Series {
		t, err := diagnostics.ParseTemplate(q.Query)
		if err == nil && ours.MatchString(q.Query) {
			err = fmt.Errorf("query %q: SINCE, UNTIL and TIMESERIES are added to it", q.Query)
		}
		if err != nil {
			return nil, err
		}
		s.templates = append(s.templates, t)
	}
	var err error
	if s.client, err = ask.New(c.Name, cmp.Or(c.URL, publicAPI), http.Header{"Api-Key": {c.Token}}); err != nil {
		return nil, err
	}
	s.link, err = ask.ParseLink(c.Link)
	return s, err
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueSeries}
}

// Ask asks all queries at the same time.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	return ask.Each(len(s.templates), func(i int) (diagnostics.Answer, error) {
		if !ask.Fits(s.config.Series[i].Service, q) {
			return diagnostics.Answer{}, nil
		}
		return s.query(ctx, i, q)
	})
}

func (s *Source) query(ctx context.Context, i int, q diagnostics.Question) (diagnostics.Answer, error) {
	text, err := s.templates[i].Fill(q)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	step := max(q.To.Sub(q.From)/ask.Steps, least).Truncate(time.Second)
	if q.To.Sub(q.From)/step >= mostSteps {
		step = (q.To.Sub(q.From)/mostSteps + time.Second).Truncate(time.Second)
	}
	timed := fmt.Sprintf("%s SINCE %d UNTIL %d TIMESERIES %d seconds", text, q.From.UnixMilli(), q.To.UnixMilli(), int(step.Seconds()))
	var said struct {
		Data struct {
			Actor struct {
				Account struct {
					NRQL *struct{ Results []map[string]json.RawMessage }
				}
			}
		}
		Errors []struct{ Message string }
	}
	if err := s.client.JSON(ctx, "/graphql", map[string]any{"query": document, "variables": map[string]any{"account": s.config.Account, "nrql": timed}}, &said); err != nil {
		return diagnostics.Answer{}, err
	}
	if len(said.Errors) > 0 {
		return diagnostics.Answer{}, fmt.Errorf("%s: %s", s.config.Name, ask.Cut(said.Errors[0].Message))
	}
	nrql := said.Data.Actor.Account.NRQL
	if nrql == nil {
		return diagnostics.Answer{}, fmt.Errorf("%s gives nothing of account %d", s.config.Name, s.config.Account)
	}
	g := &ask.Gather{Title: cmp.Or(s.config.Series[i].Title, text), URL: s.link.Fill(q)}
	for _, row := range nrql.Results {
		add(g, row)
	}
	return g.Answer(), nil
}

// add takes one interval: its times, its facet, and a number for each aggregate.
func add(to *ask.Gather, row map[string]json.RawMessage) {
	var at float64
	if json.Unmarshal(row["beginTimeSeconds"], &at) != nil {
		return
	}
	of := facet(row["facet"])
	values := map[string]float64{}
	for name, raw := range row {
		var v float64
		if name != "beginTimeSeconds" && name != "endTimeSeconds" && string(raw) != "null" && json.Unmarshal(raw, &v) == nil {
			values[name] = v
		}
	}
	for name, v := range values {
		if len(values) == 1 {
			name = ""
		}
		to.Add(strings.TrimSpace(name+" "+of), int64(at), v)
	}
}

// facet is one word, or several.
func facet(raw json.RawMessage) string {
	var one string
	var several []string
	if json.Unmarshal(raw, &one) == nil {
		return one
	}
	_ = json.Unmarshal(raw, &several) // of no facet nothing
	return strings.Join(several, " ")
}
