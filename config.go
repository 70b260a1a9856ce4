package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/web"
)

// config is everything that can be configured: the sum of what the packages
// want. examples/hikeshi.yaml explains each key. It is read in this order,
// later wins: defaults, the file, HIKESHI_* variables, flags.
type config struct {
	Language  string         `yaml:"language"`
	Listen    string         `yaml:"listen"`
	PublicURL string         `yaml:"public_url"`
	Store     secretValue    `yaml:"store"` // may hold a password
	StoreFile string         `yaml:"store_file"`
	Data      string         `yaml:"data"`
	Shards    int            `yaml:"shards"`
	Relaxed   bool           `yaml:"relaxed_durability"`
	Console   consoleConfig  `yaml:"console"`
	Sources   []sourceConfig `yaml:"sources"`
	Grouping  []ruleConfig   `yaml:"grouping"`
	Runbooks  runbooksConfig `yaml:"runbooks"`
	RemindAck duration       `yaml:"remind_ack"`
	Log       logConfig      `yaml:"log"`

	embedded fs.FS // the demo's runbooks, inside the binary
}

type consoleConfig struct {
	HTTPS  bool           `yaml:"https"`
	People []personConfig `yaml:"people"`
}

type personConfig struct {
	Name      string      `yaml:"name"`
	Token     secretValue `yaml:"token"`
	TokenFile string      `yaml:"token_file"`
}

type sourceConfig struct {
	Name          string      `yaml:"name"`
	Token         secretValue `yaml:"token"`
	TokenFile     string      `yaml:"token_file"`
	NextToken     secretValue `yaml:"next_token"`
	NextTokenFile string      `yaml:"next_token_file"`
}

type ruleConfig struct {
	Name     string    `yaml:"name"`
	Match    []string  `yaml:"match"`
	GroupBy  []string  `yaml:"group_by"`
	Window   duration  `yaml:"window"`
	Hold     duration  `yaml:"hold"`
	Reopen   duration  `yaml:"reopen"`
	Quiet    *duration `yaml:"quiet"`
	Severity string    `yaml:"severity"`
}

type runbooksConfig struct {
	Paths      []string          `yaml:"paths"`
	Vars       map[string]string `yaml:"vars"`
	HTTPHosts  []string          `yaml:"http_hosts"`
	Addresses  []string          `yaml:"addresses"`
	Path       string            `yaml:"path"`
	Env        []string          `yaml:"env"`
	Prometheus string            `yaml:"prometheus"`
}

// steps is what the executors of steps want to know.
func (c runbooksConfig) steps() steps.Config {
	return steps.Config{HTTPHosts: c.HTTPHosts, Addresses: c.Addresses, Prometheus: c.Prometheus, Path: c.Path, Env: c.Env}
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// secretValue does not show itself when printed.
type secretValue string

func (s secretValue) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides it from %#v too.
func (s secretValue) GoString() string { return s.String() }

// LogValue hides it from logs.
func (s secretValue) LogValue() slog.Value { return slog.StringValue(s.String()) }

// duration reads 90s, 5m, 1h30m.
type duration time.Duration

// UnmarshalYAML reads Go's form of a duration.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: %q is not a duration such as 90s, 5m or 1h30m", n.Line, n.Value)
	}
	*d = duration(v)
	return nil
}

func defaultConfig() config {
	return config{
		Language: phrases.English, Listen: "127.0.0.1:8080",
		RemindAck: duration(10 * time.Minute), Log: logConfig{Level: "info", Format: "text"},
	}
}

// maxConfig bounds the file, in bytes.
const maxConfig = 1 << 20

// loadConfig reads the file (none: only the defaults), then the environment.
func loadConfig(path string, getenv func(string) string) (config, error) {
	c := defaultConfig()
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return c, configError(err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
		if err != nil {
			return c, configError(fmt.Errorf("read %s: %w", path, err))
		}
		if len(b) > maxConfig {
			return c, configError(fmt.Errorf("%s is larger than %d bytes", path, maxConfig))
		}
		dec := yaml.NewDecoder(bytes.NewReader(b))
		dec.KnownFields(true)
		if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
			return c, configError(fmt.Errorf("%s: %w", path, err))
		}
		if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
			return c, configError(fmt.Errorf("%s: there is a second document (---), which would not be read", path))
		}
		c.relativeTo(filepath.Dir(path))
	}
	c.fromEnv(getenv)
	if c.Data == "" {
		c.Data = "data"
	}
	return c, nil
}

// relativeTo makes the file's paths relative to the file.
func (c *config) relativeTo(dir string) {
	fix := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for i := range c.Runbooks.Paths {
		fix(&c.Runbooks.Paths[i])
	}
	fix(&c.StoreFile)
	for i := range c.Sources {
		fix(&c.Sources[i].TokenFile)
		fix(&c.Sources[i].NextTokenFile)
	}
	for i := range c.Console.People {
		fix(&c.Console.People[i].TokenFile)
	}
	fix(&c.Data)
}

// fromEnv reads HIKESHI_LISTEN and the like; each secret also as *_FILE.
func (c *config) fromEnv(getenv func(string) string) {
	set := func(name string, field *string) {
		if v := getenv("HIKESHI_" + name); v != "" {
			*field = v
		}
	}
	set("LANGUAGE", &c.Language)
	set("LISTEN", &c.Listen)
	set("PUBLIC_URL", &c.PublicURL)
	set("DATA", &c.Data)
	if v, file := getenv("HIKESHI_STORE"), getenv("HIKESHI_STORE_FILE"); v != "" || file != "" {
		c.Store, c.StoreFile = secretValue(v), file // together, or the file's key would contradict
	}
	set("PROMETHEUS", &c.Runbooks.Prometheus)
	set("LOG_LEVEL", &c.Log.Level)
	set("LOG_FORMAT", &c.Log.Format)
	var token, file string
	set("CONSOLE_TOKEN", &token)
	set("CONSOLE_TOKEN_FILE", &file)
	if token != "" || file != "" {
		c.Console.People = append(c.Console.People, personConfig{Name: "admin", Token: secretValue(token), TokenFile: file})
	}
	token, file = "", ""
	set("SOURCE_TOKEN", &token)
	set("SOURCE_TOKEN_FILE", &file)
	if token != "" || file != "" {
		c.Sources = append(c.Sources, sourceConfig{Name: "default", Token: secretValue(token), TokenFile: file})
	}
}

// secret returns the value, or the content of the file without its last
// newline. Both at once are refused.
func secret(what string, value secretValue, file string) (string, error) {
	if value != "" && file != "" {
		return "", fmt.Errorf("%s: give the value or the file, not both", what)
	}
	if file == "" {
		return string(value), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// settled is the configuration after everything was looked up and checked.
type settled struct {
	config
	store   string
	people  []web.Person
	sources []intake.Source
	rules   incidents.Rules
	level   slog.Level
}

// settle checks everything and reports all problems together.
func (c config) settle() (*settled, error) {
	s := &settled{config: c}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	if !slices.Contains(phrases.Languages, c.Language) {
		note(fmt.Errorf("language %q: there are en and ja", c.Language))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		note(fmt.Errorf("listen %q is not host:port", c.Listen))
	}
	note(s.level.UnmarshalText([]byte(c.Log.Level)))
	if c.Log.Format != "text" && c.Log.Format != "json" {
		note(fmt.Errorf("log.format %q: there are text and json", c.Log.Format))
	}
	var err error
	s.store, err = secret("store", c.Store, c.StoreFile)
	note(err)
	for _, p := range c.Console.People {
		token, err := secret("console.people "+p.Name, p.Token, p.TokenFile)
		note(err)
		s.people = append(s.people, web.Person{Name: p.Name, Token: token})
	}
	note(web.Config{People: s.people}.Validate())
	for _, src := range c.Sources {
		built, err := src.settle()
		note(err)
		s.sources = append(s.sources, built)
	}
	note(intake.ValidateSources(s.sources))
	for _, r := range c.Grouping {
		rule, err := r.settle()
		note(err)
		s.rules = append(s.rules, rule)
	}
	if err := c.Runbooks.steps().Validate(); err != nil {
		note(fmt.Errorf("runbooks: %w", err))
	}
	if len(c.Console.People) == 0 && !loopbackOnly(c.Listen) {
		note(fmt.Errorf("listen %s is open to others, but nobody is named in console.people", c.Listen))
	}
	if len(problems) > 0 {
		return nil, configError(errors.Join(problems...))
	}
	return s, nil
}

// secrets are all that must never be seen in an output, a log or a chat.
func (s *settled) secrets() []string {
	var all []string
	for _, p := range s.people {
		all = append(all, p.Token)
	}
	for _, src := range s.sources {
		for _, t := range src.Tokens {
			all = append(all, string(t))
		}
	}
	if u, err := url.Parse(s.store); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			all = append(all, password)
		}
	}
	return all
}

func (c sourceConfig) settle() (intake.Source, error) {
	s := intake.Source{Name: c.Name}
	token, err := secret("source "+c.Name, c.Token, c.TokenFile)
	if err != nil {
		return s, err
	}
	s.Tokens = append(s.Tokens, intake.Token(token))
	if c.NextToken != "" || c.NextTokenFile != "" {
		next, err := secret("source "+c.Name+" (next)", c.NextToken, c.NextTokenFile)
		if err != nil {
			return s, err
		}
		s.Tokens = append(s.Tokens, intake.Token(next))
	}
	return s, nil
}

func (c ruleConfig) settle() (incidents.Rule, error) {
	quiet := incidents.DefaultQuiet
	if c.Quiet != nil {
		quiet = time.Duration(*c.Quiet)
	}
	r := incidents.Rule{
		Name: c.Name, GroupBy: c.GroupBy, Window: time.Duration(c.Window), Hold: time.Duration(c.Hold),
		Reopen: time.Duration(c.Reopen), Quiet: quiet,
	}
	if c.Name == "" {
		return r, errors.New("grouping: each rule needs a name")
	}
	for _, text := range c.Match {
		m, err := incidents.ParseMatcher(text)
		if err != nil {
			return r, fmt.Errorf("grouping rule %s: %w", c.Name, err)
		}
		r.Match = append(r.Match, m)
	}
	if c.Severity != "" {
		sev, ok := incidents.ParseSeverity(c.Severity)
		if !ok {
			return r, fmt.Errorf("grouping rule %s: severity %q: there are SEV1 (the worst) to SEV5", c.Name, c.Severity)
		}
		r.Severity = sev
	}
	return r, nil
}

// loopbackOnly says whether nobody but this machine can reach addr.
func loopbackOnly(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// configError is an error of the configuration, with what to do about it.
func configError(err error) error {
	return incidents.Fail(incidents.Invalid, "error.config", "the configuration is wrong:\n"+err.Error(), "problems", err.Error()).WithHint("hikeshi check --config FILE")
}
