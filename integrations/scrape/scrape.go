// Package scrape watches a few programs that show their metrics in the
// Prometheus text format, where there is no Prometheus to ask: it reads them
// every few seconds and keeps the last hours in bounded memory. It is a
// diagnostics.Source. Start with New and Run.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Config is one program.
type Config struct {
	Service string // that its metrics are about
	URL     string
	Every   time.Duration // 0: Every
}

// Every is how often a program is read.
const Every = 15 * time.Second

const (
	mostBody   = 2 << 20
	mostSeries = 300
	mostPoints = 800 // a series; older ones go, three hours at the usual pace
	readTime   = 5 * time.Second
)

// Source is one program. It is safe for concurrent use.
type Source struct {
	config Config
	now    func() time.Time
	client *http.Client

	mu     sync.Mutex
	series map[string]*line
	left   int // series beyond mostSeries at the last reading
	failed error
}

// line is a series as it is kept.
type line struct {
	sample
	last   float64 // of a counter, its value at lastAt
	lastAt int64
	points []movers.Point
}

// New checks the configuration.
func New(c Config, now func() time.Time) (*Source, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of metrics: http://host:port/metrics", c.URL)
	}
	if c.Every <= 0 {
		c.Every = Every
	}
	client := &http.Client{Timeout: readTime, CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it redirects elsewhere") }}
	return &Source{config: c, now: now, client: client, series: map[string]*line{}}, nil
}

// Run reads until ctx ends.
func (s *Source) Run(ctx context.Context) {
	tick := time.NewTicker(s.config.Every)
	defer tick.Stop()
	defer s.client.CloseIdleConnections()
	for {
		s.Read(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Read reads once. That it failed is told to whoever asks next.
func (s *Source) Read(ctx context.Context) {
	body, err := s.get(ctx)
	now := s.now().Unix()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	if err != nil {
		return
	}
	s.left = 0
	for _, m := range parse(body) {
		l := s.series[m.key()]
		if l == nil {
			if len(s.series) >= mostSeries {
				s.left++
				continue
			}
			l = &line{sample: m}
			s.series[m.key()] = l
		}
		l.add(now, m.value)
	}
}

// add takes a value; of a counter its rate counts, and none where it began anew.
func (l *line) add(now int64, v float64) {
	if l.counter {
		before, at := l.last, l.lastAt
		l.last, l.lastAt = v, now
		if at == 0 || now <= at || v < before {
			return
		}
		v = (v - before) / float64(now-at)
	}
	if l.points = append(l.points, movers.Point{T: now, V: v}); len(l.points) > mostPoints {
		l.points = slices.Delete(l.points, 0, len(l.points)-mostPoints)
	}
}

func (s *Source) get(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.config.URL, nil)
	if err != nil {
		return "", fmt.Errorf("read metrics: %w", err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return "", fmt.Errorf("read metrics: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostBody+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read metrics: %w", err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("read metrics: %s", resp.Status)
	case len(body) > mostBody:
		return "", fmt.Errorf("read metrics: more than %d MiB", mostBody>>20)
	}
	return string(body), nil
}

// Name says which program.
func (s *Source) Name() string { return NameOf(s.config.Service) }

// NameOf is the name of a service's source.
func NameOf(service string) string { return "metrics of " + service }

// Tells is what it knows about.
func (s *Source) Tells() []incidents.ClueKind { return []incidents.ClueKind{incidents.ClueSeries} }

// Ask gives what was kept, where the incident is about the service.
func (s *Source) Ask(_ context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	if q.Label("service") != s.config.Service {
		return diagnostics.Answer{}, nil
	}
	return s.kept("")
}

// Graph gives the series that have all words of the query in their name or
// labels. There is no language to ask in: what is kept is looked through.
func (s *Source) Graph(_ context.Context, query string, _, _ time.Time) (diagnostics.Answer, error) {
	return s.kept(query)
}

func (s *Source) kept(query string) (diagnostics.Answer, error) {
	words := strings.FieldsFunc(strings.ToLower(query), func(r rune) bool { return strings.ContainsRune(" {}\",", r) })
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := diagnostics.Answer{Left: s.left}
	for _, l := range s.series {
		all := strings.ToLower(strings.ReplaceAll(l.name+" "+l.labels, `"`, ""))
		if slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(all, word) }) {
			continue
		}
		title := l.name
		if l.counter {
			title += " per second"
		}
		answer.Series = append(answer.Series, diagnostics.Series{Title: title, Of: l.labels, Points: slices.Clone(l.points)})
	}
	slices.SortFunc(answer.Series, func(a, b diagnostics.Series) int { return strings.Compare(a.Title+a.Of, b.Title+b.Of) })
	return answer, s.failed
}
