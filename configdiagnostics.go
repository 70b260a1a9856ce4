package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/git"
	"github.com/hikeshi-ops/hikeshi/integrations/prometheus"
	"github.com/hikeshi-ops/hikeshi/integrations/scrape"
)

// diagnosticsConfig is whom the first investigation asks; see docs/diagnostics.md.
type diagnosticsConfig struct {
	Within     duration           `yaml:"within"`
	Wait       duration           `yaml:"wait"`
	Prometheus []prometheusConfig `yaml:"prometheus"`
	Metrics    []scrapeConfig     `yaml:"metrics"`
	Git        []gitConfig        `yaml:"git"`
	Services   []serviceConfig    `yaml:"services"`
	Catalogue  string             `yaml:"catalogue"`
}

type prometheusConfig struct {
	Name      string         `yaml:"name"`
	URL       string         `yaml:"url"`
	Token     secretValue    `yaml:"token"`
	TokenFile string         `yaml:"token_file"`
	Series    []seriesConfig `yaml:"series"`
}

type seriesConfig struct {
	Title   string `yaml:"title"`
	Query   string `yaml:"query"`
	Service string `yaml:"service"`
}

type scrapeConfig struct {
	Service string   `yaml:"service"`
	URL     string   `yaml:"url"`
	Every   duration `yaml:"every"`
}

type gitConfig struct {
	Path    string `yaml:"path"`
	Service string `yaml:"service"`
	Link    string `yaml:"link"`
}

type serviceConfig struct {
	Name      string   `yaml:"name"`
	Owner     string   `yaml:"owner"`
	DependsOn []string `yaml:"depends_on"`
	URL       string   `yaml:"url"`
}

// files are the paths that are relative to the configuration file.
func (c *diagnosticsConfig) files() []*string {
	all := []*string{&c.Catalogue}
	for i := range c.Prometheus {
		all = append(all, &c.Prometheus[i].TokenFile)
	}
	for i := range c.Git {
		all = append(all, &c.Git[i].Path)
	}
	return all
}

// settledDiagnostics is everything that can be made without opening a file of ours.
type settledDiagnostics struct {
	sources   []diagnostics.Source
	watched   []*scrape.Source
	catalogue *diagnostics.Catalogue
	secrets   []string
}

func (s *settler) diagnostics() {
	c, to := &s.config.Diagnostics, &s.settled.asked
	if within := cmp.Or(time.Duration(c.Within), diagnostics.Within); time.Duration(c.Wait) > within/2 {
		s.note(wrong("diagnostics.wait", "config.diagnostics_wait", "value", time.Duration(c.Wait).String(), "within", within.String()))
	}
	for i, p := range c.Prometheus {
		key := fmt.Sprintf("diagnostics.prometheus[%d]", i)
		pc := prometheus.Config{Name: p.Name, URL: p.URL, Token: s.secret(key+".token", p.Token, p.TokenFile)}
		if pc.Name == "" {
			pc.Name = "prometheus"
		}
		for _, q := range p.Series {
			pc.Series = append(pc.Series, prometheus.Query{Title: q.Title, Query: q.Query, For: q.Service})
		}
		source, err := prometheus.New(pc)
		if err != nil {
			s.note(wrong(key, "config.other", "error", err.Error()))
			continue
		}
		to.sources, to.secrets = append(to.sources, source), append(to.secrets, pc.Token)
	}
	for i, m := range c.Metrics {
		source, err := scrape.New(scrape.Config{Service: m.Service, URL: m.URL, Every: time.Duration(m.Every)}, time.Now)
		if err != nil || m.Service == "" {
			s.note(wrong(fmt.Sprintf("diagnostics.metrics[%d]", i), "config.diagnostics_metrics", "value", m.URL))
			continue
		}
		to.sources, to.watched = append(to.sources, source), append(to.watched, source)
	}
	for i, g := range c.Git {
		if !isDir(g.Path) || !goodLink(g.Link) {
			s.note(wrong(fmt.Sprintf("diagnostics.git[%d]", i), "config.diagnostics_git", "value", g.Path))
			continue
		}
		to.sources = append(to.sources, &git.Source{Path: g.Path, Service: g.Service, Link: g.Link})
	}
	s.catalogue()
}

// catalogue reads who owns what from the configuration, and from the file.
func (s *settler) catalogue() {
	c := &s.config.Diagnostics
	all := c.Services
	if c.Catalogue != "" {
		b, err := readCatalogue(c.Catalogue)
		var file struct {
			Services []serviceConfig `yaml:"services"`
		}
		if err == nil {
			err = yaml.Unmarshal(b, &file)
		}
		if err != nil {
			s.note(wrong("diagnostics.catalogue", "config.secret_file", "file", c.Catalogue, "error", cause(err)))
		}
		all = append(all, file.Services...)
	}
	var services []diagnostics.Service
	for i, x := range all {
		if x.Name == "" || !goodLink(x.URL) {
			s.note(wrong(fmt.Sprintf("diagnostics.services[%d]", i), "config.diagnostics_service", "value", x.Name))
			continue
		}
		services = append(services, diagnostics.Service{Name: x.Name, Owner: x.Owner, DependsOn: x.DependsOn, URL: x.URL})
	}
	s.settled.asked.catalogue = diagnostics.NewCatalogue(services)
}

func readCatalogue(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxConfig || !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("no file of at most %d bytes", maxConfig)}
	}
	return os.ReadFile(path)
}
