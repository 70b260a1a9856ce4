// Package influxdb asks an InfluxDB for the series that are configured for an
// incident: 1.x and 2.x by InfluxQL at /query, which 2.x has for those who come from
// 1.x, and 3.x by SQL at /api/v3/query_sql. Flux is asked of none: it ends with 2.x.
//
// It is a diagnostics.Source: a query is one SELECT that only reads, over the time
// that is looked at. Start with New.
package influxdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Config is one server and what it is asked. In a query "$label" or '$label' is a
// label of the incident, $time the condition of time and $step a sensible interval.
type Config struct {
	Name         string      `yaml:"name"`
	URL          string      `yaml:"url"`
	Version      int         `yaml:"version"`
	Database     string      `yaml:"database"`
	User         string      `yaml:"user"`
	PasswordFile string      `yaml:"password_file"`
	TokenFile    string      `yaml:"token_file"`
	Link         string      `yaml:"link"`
	Series       []ask.Query `yaml:"series"`

	Password string `yaml:"-"`
	Token    string `yaml:"-"`
}

// Source asks one server. It is safe for concurrent use.
type Source struct {
	config    Config
	client    *ask.Client
	link      ask.Link
	templates []diagnostics.Template
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	c.Name = cmp.Or(c.Name, "influxdb")
	if c.Version == 0 {
		c.Version = 1
	}
	if c.Version < 1 || c.Version > 3 || c.Database == "" {
		return nil, errors.New("version is 1, 2 or 3, and database is the name of one")
	}
	s := &Source{config: c}
	for _, q := range c.Series {
		t, err := diagnostics.ParseTemplate(q.Query, "time", "step")
		if err == nil {
			err = steps.ReadsOnly(q.Query)
		}
		if err == nil && !strings.Contains(q.Query, "$time") {
			err = fmt.Errorf("query %q: it needs $time, as in WHERE host = '$host' AND $time", q.Query)
		}
		if err != nil {
			return nil, err
		}
		s.templates = append(s.templates, t)
	}
	header := http.Header{}
	switch {
	case c.Token != "" && c.Version == 3:
		header.Set("Authorization", "Bearer "+c.Token)
	case c.Token != "":
		header.Set("Authorization", "Token "+c.Token)
	case c.User != "":
		r := http.Request{Header: header}
		r.SetBasicAuth(c.User, c.Password)
	}
	var err error
	if s.client, err = ask.New(c.Name, c.URL, header); err != nil {
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
		c := s.config.Series[i]
		if !ask.Fits(c.Service, q) {
			return diagnostics.Answer{}, nil
		}
		text, err := s.fill(i, q)
		if err != nil {
			return diagnostics.Answer{}, err
		}
		g := &ask.Gather{Title: c.Title, URL: s.link.Fill(q)}
		if g.Title == "" {
			g.Title = text
		}
		if s.config.Version == 3 {
			err = s.sql(ctx, text, g)
		} else {
			err = s.influxQL(ctx, text, g)
		}
		return g.Answer(), err
	})
}

// fill makes the query: the times in it are ours, and numbers.
func (s *Source) fill(i int, q diagnostics.Question) (string, error) {
	step := max(q.To.Sub(q.From)/ask.Steps, time.Second).Truncate(time.Second)
	seconds := int(step.Seconds())
	if s.config.Version == 3 {
		form := func(t time.Time) string { return "'" + t.UTC().Format("2006-01-02T15:04:05Z") + "'" }
		return s.templates[i].Fill(q, "time", "time >= "+form(q.From)+" AND time <= "+form(q.To), "step", fmt.Sprintf("INTERVAL '%d seconds'", seconds))
	}
	return s.templates[i].Fill(q, "time", fmt.Sprintf("time >= %ds AND time <= %ds", q.From.Unix(), q.To.Unix()), "step", fmt.Sprintf("%ds", seconds))
}
