// Package prometheus asks a Prometheus for the series that are configured for an
// incident. It is a diagnostics.Source: it changes nothing, keeps to its
// context, and bounds what it reads. Start with New.
package prometheus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one server and what it is asked.
type Config struct {
	Name   string
	URL    string
	Token  string // sent as a bearer token; "" for none
	Series []Query
}

// Query is one question, with labels of the incident in it (see
// diagnostics.Template). For is the service that it is asked for, "" for all.
type Query struct {
	Title, Query, For string
}

const (
	points   = 240     // over the whole time
	mostBody = 8 << 20 // of one answer
	mostEach = 200     // series of one query
)

// Source asks one server.
type Source struct {
	config    Config
	base      *url.URL
	templates []diagnostics.Template
	client    *http.Client
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	s := &Source{config: c}
	var err error
	if s.base, err = url.Parse(strings.TrimRight(c.URL, "/")); err != nil || s.base.Host == "" || s.base.Scheme != "http" && s.base.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of a server: http://host:port", c.URL)
	}
	for _, q := range c.Series {
		t, err := diagnostics.ParseTemplate(q.Query)
		if err != nil {
			return nil, err
		}
		s.templates = append(s.templates, t)
	}
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("it redirects elsewhere") // the token is for this server
	}}
	return s, nil
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueSeries}
}

// Ask asks all queries at the same time. Those that fail are told; the others
// still count.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	answer, err := ask.Each(len(s.templates), func(i int) (diagnostics.Answer, error) {
		if !ask.Fits(s.config.Series[i].For, q) {
			return diagnostics.Answer{}, nil
		}
		return s.query(ctx, i, q)
	})
	slices.SortStableFunc(answer.Series, func(a, b diagnostics.Series) int { return strings.Compare(a.Title+a.Of, b.Title+b.Of) })
	return answer, err
}

func (s *Source) query(ctx context.Context, i int, q diagnostics.Question) (diagnostics.Answer, error) {
	text, err := s.templates[i].Fill(q)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	return s.between(ctx, text, cmp.Or(s.config.Series[i].Title, text), q.From, q.To)
}

// between asks for one query over some time.
func (s *Source) between(ctx context.Context, text, title string, from, to time.Time) (diagnostics.Answer, error) {
	step := max(to.Sub(from)/points, time.Second).Truncate(time.Second)
	form := url.Values{
		"query": {text}, "start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)}, "step": {strconv.Itoa(int(step.Seconds()))},
	}
	body, err := s.post(ctx, "/api/v1/query_range", form)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	return read(body, title, s.graph(text, from, to))
}

// Graph asks for a query of somebody's own. It is a parameter, never part of an
// address, and the server reads and does nothing else with it.
func (s *Source) Graph(ctx context.Context, query string, from, to time.Time) (diagnostics.Answer, error) {
	return s.between(ctx, query, query, from, to)
}

// graph is the page of the server that shows the query at that time.
func (s *Source) graph(text string, from, to time.Time) string {
	return s.base.String() + "/graph?" + url.Values{
		"g0.expr": {text}, "g0.tab": {"0"}, "g0.end_input": {to.UTC().Format("2006-01-02 15:04:05")}, "g0.range_input": {strconv.Itoa(int(to.Sub(from).Seconds())) + "s"},
	}.Encode()
}

func (s *Source) post(ctx context.Context, path string, form url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.String()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.config.Name, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.config.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.config.Token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.config.Name, withoutAddress(err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", s.config.Name, err)
	case len(body) > mostBody:
		return nil, fmt.Errorf("the answer of %s is larger than %d MiB", s.config.Name, mostBody>>20)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s%s", s.config.Name, resp.Status, reason(body))
	}
	return body, nil
}

// withoutAddress leaves out the address, which people know by its name.
func withoutAddress(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// reason is what the server said was wrong, where it said so in its own form.
func reason(body []byte) string {
	var said struct{ Error string }
	if json.Unmarshal(body, &said) != nil || said.Error == "" {
		return ""
	}
	return ": " + said.Error[:min(len(said.Error), incidents.MaxValue)]
}

// read turns a matrix into series.
func read(body []byte, title, link string) (answer diagnostics.Answer, err error) {
	var said struct {
		Data struct {
			ResultType string
			Result     []struct {
				Metric map[string]string
				Values [][2]json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return answer, fmt.Errorf("the answer cannot be read: %w", err)
	}
	if said.Data.ResultType != "matrix" {
		return answer, fmt.Errorf("the answer is no matrix but %q", said.Data.ResultType)
	}
	all := said.Data.Result
	answer.Left = max(0, len(all)-mostEach)
	for _, one := range all[:min(len(all), mostEach)] {
		s := diagnostics.Series{Title: title, URL: link, Of: labels(one.Metric)}
		for _, pair := range one.Values {
			var text string
			at, err := strconv.ParseFloat(string(pair[0]), 64)
			if err != nil || json.Unmarshal(pair[1], &text) != nil {
				continue
			}
			v, err := strconv.ParseFloat(text, 64) // NaN and +Inf too
			if err != nil {
				v = math.NaN()
			}
			s.Points = append(s.Points, movers.Point{T: int64(at), V: v})
		}
		answer.Series = append(answer.Series, s)
	}
	return answer, nil
}

// labels tell series of one query apart.
func labels(metric map[string]string) string {
	var words []string
	for name, value := range metric {
		if name != "__name__" && name != "job" {
			words = append(words, name+"="+value)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}
