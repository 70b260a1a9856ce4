package inquiry

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
	"github.com/hikeshi-ops/hikeshi/integrations/git"
	"github.com/hikeshi-ops/hikeshi/integrations/github"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlabchanges"
	"github.com/hikeshi-ops/hikeshi/integrations/hostlog"
	"github.com/hikeshi-ops/hikeshi/integrations/influxdb"
	"github.com/hikeshi-ops/hikeshi/integrations/loki"
	"github.com/hikeshi-ops/hikeshi/integrations/neo4j"
	"github.com/hikeshi-ops/hikeshi/integrations/newrelic"
	"github.com/hikeshi-ops/hikeshi/integrations/prometheus"
	"github.com/hikeshi-ops/hikeshi/integrations/scrape"
	"github.com/hikeshi-ops/hikeshi/integrations/zabbix"
)

// Config is whom the first investigation asks; see docs/diagnostics.md.
type Config struct {
	Within     Duration     `yaml:"within"`
	Wait       Duration     `yaml:"wait"`
	Prometheus []Prometheus `yaml:"prometheus"`
	Metrics    []Scrape     `yaml:"metrics"`
	Git        []Git        `yaml:"git"`
	Services   []Service    `yaml:"services"`
	Catalogue  string       `yaml:"catalogue"`

	InfluxDB []influxdb.Config      `yaml:"influxdb"`
	Zabbix   []zabbix.Config        `yaml:"zabbix"`
	NewRelic []newrelic.Config      `yaml:"newrelic"`
	Loki     []loki.Config          `yaml:"loki"`
	HostLogs []hostlog.Config       `yaml:"host_logs"`
	GitLab   []gitlabchanges.Config `yaml:"gitlab"`
	GitHub   []github.Config        `yaml:"github"`
	Neo4j    []neo4j.Config         `yaml:"neo4j"`
}

// Prometheus is a server. The token is in a file, or it has none.
type Prometheus struct {
	Name      string   `yaml:"name"`
	URL       string   `yaml:"url"`
	TokenFile string   `yaml:"token_file"`
	Series    []Series `yaml:"series"`

	token string
}

// Series is what a server is asked.
type Series = ask.Query

// Scrape is a program with metrics.
type Scrape struct {
	Service string   `yaml:"service"`
	URL     string   `yaml:"url"`
	Every   Duration `yaml:"every"`
}

// Git is a repository on this machine.
type Git struct {
	Path    string `yaml:"path"`
	Service string `yaml:"service"`
	Link    string `yaml:"link"`
}

// Service is an entry of the catalogue.
type Service struct {
	Name      string   `yaml:"name"`
	Owner     string   `yaml:"owner"`
	DependsOn []string `yaml:"depends_on"`
	URL       string   `yaml:"url"`
}

// Duration reads 90s, 5m.
type Duration time.Duration

// UnmarshalYAML reads Go's form of a duration.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: no length of time, as 90s or 5m: %s", n.Line, n.Value)}}
	}
	*d = Duration(v)
	return nil
}

// Files are the paths that are relative to the configuration file.
func (c *Config) Files() []*string {
	all := []*string{&c.Catalogue}
	for _, x := range c.servers(nil) {
		for _, s := range x.secrets {
			all = append(all, s.file)
		}
	}
	for i := range c.Git {
		all = append(all, &c.Git[i].Path)
	}
	return all
}

// Problem is something wrong with a key of the configuration.
type Problem struct {
	Key  string // below diagnostics: "prometheus[0]"
	What incidents.Reason
}

// Settled is all that can be made without opening a file of ours.
type Settled struct {
	Secrets   []string                                       // that must never be seen
	Heard     func(at time.Time, service, host, line string) // told of each line that was sent, cleaned; may be nil
	asked     []opener
	watched   []*scrape.Source
	catalogue *diagnostics.Catalogue
	within    time.Duration
	wait      time.Duration
}

// Settle checks everything, and reports all problems together. hosts reads logs on
// the hosts of the inventory.
func (c *Config) Settle(hosts hostlog.Reader) (s Settled, problems []Problem) {
	wrong := func(key, phrase string, args ...string) {
		problems = append(problems, Problem{key, incidents.Because(phrase, args...)})
	}
	s.within, s.wait = cmp.Or(time.Duration(c.Within), diagnostics.Within), time.Duration(c.Wait)
	if s.wait > s.within/2 {
		wrong("wait", "config.diagnostics_wait", "value", s.wait.String(), "within", s.within.String())
	}
	for _, x := range c.servers(hosts) {
		secrets, key, err := x.settle()
		if err != nil {
			wrong(key, "config.other", "error", err.Error())
			continue
		}
		s.asked, s.Secrets = append(s.asked, x.open), append(s.Secrets, secrets...)
	}
	made := func(source diagnostics.Source) {
		s.asked = append(s.asked, func(ask.Clean) (diagnostics.Source, error) { return source, nil })
	}
	for i, m := range c.Metrics {
		source, err := scrape.New(scrape.Config{Service: m.Service, URL: m.URL, Every: time.Duration(m.Every)}, time.Now)
		if err != nil || m.Service == "" {
			wrong("metrics["+strconv.Itoa(i)+"]", "config.diagnostics_metrics", "value", m.URL)
			continue
		}
		made(source)
		s.watched = append(s.watched, source)
	}
	for i, g := range c.Git {
		if info, err := os.Stat(g.Path); err != nil || !info.IsDir() {
			wrong("git["+strconv.Itoa(i)+"]", "config.diagnostics_git", "value", g.Path)
			continue
		}
		made(&git.Source{Path: g.Path, Service: g.Service, Link: g.Link})
	}
	all, err := c.services()
	if err != nil {
		wrong("catalogue", "config.secret_file", "file", c.Catalogue, "error", err.Error())
	}
	for i, x := range all {
		if x.Name == "" {
			wrong("services["+strconv.Itoa(i)+"]", "config.diagnostics_service")
		}
	}
	s.catalogue = diagnostics.NewCatalogue(all)
	return s, problems
}

func (p *Prometheus) source() (*prometheus.Source, error) {
	c := prometheus.Config{Name: cmp.Or(p.Name, "prometheus"), URL: p.URL, Token: p.token}
	for _, q := range p.Series {
		c.Series = append(c.Series, prometheus.Query{Title: q.Title, Query: q.Query, For: q.Service})
	}
	return prometheus.New(c)
}

// Graphers are the names of those that take a query of a person's own.
func (c *Config) Graphers() []string {
	var names []string
	for _, p := range c.Prometheus {
		names = append(names, cmp.Or(p.Name, "prometheus"))
	}
	for _, m := range c.Metrics {
		names = append(names, scrape.NameOf(m.Service))
	}
	return names
}

// services are those of the configuration, and of the file.
func (c *Config) services() ([]diagnostics.Service, error) {
	all, err := c.Services, error(nil)
	if c.Catalogue != "" {
		var file struct {
			Services []Service `yaml:"services"`
		}
		var b []byte
		if b, err = readSmall(c.Catalogue); err == nil {
			err = yaml.Unmarshal(b, &file)
		}
		all = append(all, file.Services...)
	}
	var out []diagnostics.Service
	for _, x := range all {
		out = append(out, diagnostics.Service{Name: x.Name, Owner: x.Owner, DependsOn: x.DependsOn, URL: x.URL})
	}
	return out, err
}

const mostFile = 1 << 20

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("read: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err == nil && len(b) > mostFile {
		err = fmt.Errorf("it is larger than %d bytes", mostFile)
	}
	return b, err
}
