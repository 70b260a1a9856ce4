package inquiry

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
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

	InfluxDB []Owned[influxdb.Config]      `yaml:"influxdb"`
	Zabbix   []Owned[zabbix.Config]        `yaml:"zabbix"`
	NewRelic []Owned[newrelic.Config]      `yaml:"newrelic"`
	Loki     []Owned[loki.Config]          `yaml:"loki"`
	HostLogs []Owned[hostlog.Config]       `yaml:"host_logs"`
	GitLab   []Owned[gitlabchanges.Config] `yaml:"gitlab"`
	GitHub   []Owned[github.Config]        `yaml:"github"`
	Neo4j    []Owned[neo4j.Config]         `yaml:"neo4j"`
}

// Prometheus is a server. The token is in a file, or it has none.
type Prometheus struct {
	Name      string   `yaml:"name"`
	URL       string   `yaml:"url"`
	TokenFile string   `yaml:"token_file"`
	Customer  string   `yaml:"customer"`
	Series    []Series `yaml:"series"`

	token string
}

// Series is what a server is asked.
type Series = ask.Query

// Scrape is a program with metrics.
type Scrape struct {
	Service  string   `yaml:"service"`
	URL      string   `yaml:"url"`
	Every    Duration `yaml:"every"`
	Customer string   `yaml:"customer"`
}

// Git is a repository on this machine.
type Git struct {
	Path     string `yaml:"path"`
	Service  string `yaml:"service"`
	Link     string `yaml:"link"`
	Customer string `yaml:"customer"`
}

// Service is an entry of the catalogue.
type Service struct {
	Name      string   `yaml:"name"`
	Owner     string   `yaml:"owner"`
	DependsOn []string `yaml:"depends_on"`
	URL       string   `yaml:"url"`
	Customer  string   `yaml:"customer"` // where services of the customers do not say it
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
	Secrets   []string                                                        // that must never be seen
	Heard     func(at time.Time, whose, service, host, line string, own bool) // see logs.Config; may be nil
	Senders   map[string]string                                               // whose is what each sends that says of nothing whose it is
	claimed   func(service string) string
	known     func(customer string) bool // nil: there are no customers
	asked     []ownedOpener
	watched   []*scrape.Source
	catalogue *diagnostics.Catalogue
	within    time.Duration
	wait      time.Duration
}

// Settle checks everything, and reports all problems together. hosts reads logs on
// the hosts of the inventory.
func (c *Config) Settle(hosts hostlog.Reader, customers incidents.Customers) (Settled, []Problem) {
	s := settler{customers: customers, Settled: Settled{claimed: claims(customers), known: names(customers)}}
	s.within, s.wait = cmp.Or(time.Duration(c.Within), diagnostics.Within), time.Duration(c.Wait)
	if s.wait > s.within/2 {
		s.wrong("wait", "config.diagnostics_wait", "value", s.wait.String(), "within", s.within.String())
	}
	for _, x := range c.servers(hosts) {
		secrets, key, err := x.settle()
		if err != nil {
			s.wrong(key, "config.other", "error", err.Error())
			continue
		}
		s.Secrets = append(s.Secrets, secrets...)
		s.add(x.key, x.customer, x.open)
	}
	s.machines(c)
	s.services(c)
	return s.Settled, s.problems
}

// settler gathers what was settled, and what is wrong.
type settler struct {
	Settled
	customers incidents.Customers
	problems  []Problem
}

func (s *settler) wrong(key, phrase string, args ...string) {
	s.problems = append(s.problems, Problem{key, incidents.Because(phrase, args...)})
}

// whose reads the key customer of an entry.
func (s *settler) whose(key, value string) string {
	whose, wrong := Whose(s.customers, value)
	if wrong.Phrase != "" {
		s.problems = append(s.problems, Problem{key + ".customer", wrong})
	}
	return whose
}

// add makes a source that is asked about the incidents of its customer only.
func (s *settler) add(key, customer string, open opener) {
	s.asked = append(s.asked, ownedOpener{s.whose(key, customer), open})
}

// machines are the programs and the repositories that are read where they are.
func (s *settler) machines(c *Config) {
	made := func(key, customer string, source diagnostics.Source) {
		s.add(key, customer, func(ask.Clean) (diagnostics.Source, error) { return source, nil })
	}
	for i, m := range c.Metrics {
		key := "metrics[" + strconv.Itoa(i) + "]"
		source, err := scrape.New(scrape.Config{Service: m.Service, URL: m.URL, Every: time.Duration(m.Every)}, time.Now)
		if err != nil || m.Service == "" {
			s.wrong(key, "config.diagnostics_metrics", "value", m.URL)
			continue
		}
		made(key, m.Customer, source)
		s.watched = append(s.watched, source)
	}
	for i, g := range c.Git {
		key := "git[" + strconv.Itoa(i) + "]"
		if info, err := os.Stat(g.Path); err != nil || !info.IsDir() {
			s.wrong(key, "config.diagnostics_git", "value", g.Path)
			continue
		}
		made(key, g.Customer, &git.Source{Path: g.Path, Service: g.Service, Link: g.Link})
	}
}

func (p *Prometheus) source() (*prometheus.Source, error) {
	c := prometheus.Config{Name: cmp.Or(p.Name, "prometheus"), URL: p.URL, Token: p.token}
	for _, q := range p.Series {
		c.Series = append(c.Series, prometheus.Query{Title: q.Title, Query: q.Query, For: q.Service})
	}
	return prometheus.New(c)
}

// Grapher is a source that takes a query of a person's own.
type Grapher struct{ Name, Whose string }

// Graphers are all of them.
func (c *Config) Graphers(customers incidents.Customers) []Grapher {
	var all []Grapher
	add := func(name, customer string) {
		whose, _ := Whose(customers, customer) // what is wrong with it Settle says
		all = append(all, Grapher{name, whose})
	}
	for _, p := range c.Prometheus {
		add(cmp.Or(p.Name, "prometheus"), p.Customer)
	}
	for _, m := range c.Metrics {
		add(scrape.NameOf(m.Service), m.Customer)
	}
	return all
}

// services reads the catalogue of the configuration, and of the file. Whose a service
// is stands there, or follows from its name.
func (s *settler) services(c *Config) {
	all, inFile := c.Services, 0
	if c.Catalogue != "" {
		var file struct {
			Services []Service `yaml:"services"`
		}
		b, err := readSmall(c.Catalogue)
		if err == nil {
			err = yaml.Unmarshal(b, &file)
		}
		if err != nil {
			s.wrong("catalogue", "config.secret_file", "file", c.Catalogue, "error", err.Error())
		}
		all, inFile = slices.Concat(all, file.Services), len(c.Services)
	}
	var known []diagnostics.Service
	for i, x := range all {
		key := "services[" + strconv.Itoa(i) + "]"
		if c.Catalogue != "" && i >= inFile {
			key = "catalogue"
		}
		if x.Name == "" {
			s.wrong(key, "config.diagnostics_service")
		}
		if x.Customer == "" && s.claimed != nil {
			x.Customer = s.claimed(x.Name)
		}
		known = append(known, diagnostics.Service{Name: x.Name, Owner: x.Owner, DependsOn: x.DependsOn, URL: x.URL, Customer: s.whose(key, x.Customer)})
	}
	s.catalogue = diagnostics.NewCatalogue(known)
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
