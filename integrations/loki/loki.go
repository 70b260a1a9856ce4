// Package loki asks a Loki for the lines of one selector around an alert, and says
// which of their templates are new, came in a burst or fell silent. It is a
// diagnostics.Source: it changes nothing and keeps to its context. What an incident
// says stands in a selector as a quoted value and as nothing else. Start with New.
package loki

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one server and whose lines are asked for. Labels are those of Loki with
// their values; a value "$host" is the incident's label host.
type Config struct {
	Name      string            `yaml:"name"`
	URL       string            `yaml:"url"`
	TokenFile string            `yaml:"token_file"`
	Tenant    string            `yaml:"tenant"`
	Labels    map[string]string `yaml:"labels"`
	Service   string            `yaml:"service"`
	Lines     int               `yaml:"lines"`
	Link      string            `yaml:"link"`

	Token string `yaml:"-"`
}

// Source asks one server. It is safe for concurrent use.
type Source struct {
	config Config
	client *ask.Client
	link   ask.Link
	clean  ask.Clean
}

var labelName = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_]*\z`)

// New checks the configuration.
func New(c Config, clean ask.Clean) (*Source, error) {
	c.Name = cmp.Or(c.Name, "loki")
	if c.Lines == 0 {
		c.Lines = ask.MostLines
	}
	if c.Lines < 0 || c.Lines > ask.MostLines {
		return nil, fmt.Errorf("%d lines: 1 to %d", c.Lines, ask.MostLines)
	}
	if len(c.Labels) == 0 {
		return nil, fmt.Errorf("labels are missing: service_name: $service")
	}
	for name, value := range c.Labels {
		if !labelName.MatchString(name) || value == "" || value[0] == '$' && !labelName.MatchString(value[1:]) {
			return nil, fmt.Errorf("%s: %q is no label of Loki with a value, or with $ and a label of the incident", name, value)
		}
	}
	header := http.Header{}
	if c.Token != "" {
		header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Tenant != "" {
		header.Set("X-Scope-OrgID", c.Tenant)
	}
	client, err := ask.New(c.Name, c.URL, header)
	if err != nil {
		return nil, err
	}
	link, err := ask.ParseLink(c.Link)
	return &Source{c, client, link, clean}, err
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueLog}
}

// Ask asks for the lines before the alert and for those since, at the same time.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	if !ask.Fits(s.config.Service, q) {
		return diagnostics.Answer{}, nil
	}
	selector, err := s.selector(q)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	var parts [2][]ask.Line
	_, err = ask.Each(len(parts), func(i int) (diagnostics.Answer, error) {
		from, to, direction := q.From, q.Alert, "backward"
		if i == 1 {
			from, to, direction = q.Alert, q.To, "forward" // where there are too many, those nearest to the alert
		}
		part, err := s.lines(ctx, selector, from, to, direction)
		parts[i] = part
		return diagnostics.Answer{}, err
	})
	if err != nil { // half of it would make everything new, or silent
		return diagnostics.Answer{}, err
	}
	all := ask.Lines{All: slices.Concat(parts[0], parts[1]), URL: s.link.Fill(q), CutBefore: len(parts[0]) == s.config.Lines, CutAfter: len(parts[1]) == s.config.Lines}
	return all.Trends(q, s.clean), nil
}

// selector is {name="value", …}. LogQL reads a value in double quotes as Go does
// (https://grafana.com/docs/loki/latest/query/log_queries/#log-stream-selector).
func (s *Source) selector(q diagnostics.Question) (string, error) {
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(s.config.Labels)) {
		value := s.config.Labels[name]
		if label, is := strings.CutPrefix(value, "$"); is {
			if value = q.Label(label); value == "" {
				return "", incidents.Fail(incidents.Invalid, "clue.missing.unfit", "the incident has no label "+label, "label", label)
			}
		}
		matchers = append(matchers, name+"="+strconv.Quote(value))
	}
	return "{" + strings.Join(matchers, ",") + "}", nil
}

func (s *Source) lines(ctx context.Context, selector string, from, to time.Time, direction string) ([]ask.Line, error) {
	var said struct {
		Data struct {
			ResultType string
			Result     []struct {
				Values [][]json.RawMessage // the time in nanoseconds, the line, and since Loki 3 what is known of it
			}
		}
	}
	err := s.client.Get(ctx, "/loki/api/v1/query_range", url.Values{
		"query": {selector}, "direction": {direction}, "limit": {strconv.Itoa(s.config.Lines)},
		"start": {strconv.FormatInt(from.UnixNano(), 10)}, "end": {strconv.FormatInt(to.UnixNano(), 10)},
	}, &said)
	if err != nil {
		return nil, err
	}
	if said.Data.ResultType != "streams" {
		return nil, fmt.Errorf("%s answered no lines but %q", s.config.Name, ask.Cut(said.Data.ResultType))
	}
	var all []ask.Line
	for _, stream := range said.Data.Result {
		for _, v := range stream.Values {
			if line, ok := read(v); ok && len(all) < s.config.Lines {
				all = append(all, line)
			}
		}
	}
	return all, nil
}

func read(pair []json.RawMessage) (line ask.Line, ok bool) {
	var at string
	if len(pair) < 2 || json.Unmarshal(pair[0], &at) != nil || json.Unmarshal(pair[1], &line.Text) != nil {
		return line, false
	}
	ns, err := strconv.ParseInt(at, 10, 64)
	line.At = time.Unix(0, ns)
	return line, err == nil && line.Text != ""
}
