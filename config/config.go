package config

import (
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
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/calendar"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/oidc"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/schedule"
	"github.com/hikeshi-ops/hikeshi/web"
)

// Config is everything that can be configured: the sum of what the packages
// want. examples/hikeshi.yaml explains each key. It is read in this order,
// later wins: defaults, the file, HIKESHI_* variables, flags.
type Config struct {
	Language  string     `yaml:"language"`
	Listen    string     `yaml:"listen"`
	PublicURL string     `yaml:"public_url"`
	Store     Secret     `yaml:"store"` // may hold a password
	StoreFile string     `yaml:"store_file"`
	Data      string     `yaml:"data"`
	Shards    int        `yaml:"shards"`
	Relaxed   bool       `yaml:"relaxed_durability"`
	Console   Console    `yaml:"console"`
	People    []Member   `yaml:"people"`
	Groups    []Group    `yaml:"groups"`
	Customers []Customer `yaml:"customers"`
	Sources   []Source   `yaml:"sources"`
	Grouping  []Rule     `yaml:"grouping"`
	Runbooks  Runbooks   `yaml:"runbooks"`
	Schedules []Schedule `yaml:"schedules"`
	Watch     []Watch    `yaml:"watch"`
	Calendar  []Window   `yaml:"calendar"`
	Slack     Slack      `yaml:"slack"`
	Trust     Trust      `yaml:"trust"`
	Learning  Learning   `yaml:"learning"`
	Discord   Discord    `yaml:"discord"`
	Trackers  []Tracker  `yaml:"trackers"`
	Tickets   []Ticket   `yaml:"tickets"`
	Audit     Audit      `yaml:"audit"`
	Chats     Chats      `yaml:"chats"`
	RemindAck Duration   `yaml:"remind_ack"`

	Diagnostics inquiry.Config `yaml:"diagnostics"`

	Log Log `yaml:"log"`

	Embedded fs.FS     // the demo's runbooks, inside the binary
	from     places    // where it was read from
	problems []problem // what was wrong with the file
}

type Console struct {
	HTTPS  bool     `yaml:"https"`
	OIDC   OIDC     `yaml:"oidc"`
	People []Person `yaml:"people"`
}

// OIDC is the provider that people sign in at.
type OIDC struct {
	Name       string `yaml:"name"`
	Issuer     string `yaml:"issuer"`
	ClientID   string `yaml:"client_id"`
	Secret     Secret `yaml:"client_secret"`
	SecretFile string `yaml:"client_secret_file"`
}

type Person struct {
	Name      string `yaml:"name"`
	Token     Secret `yaml:"token"`
	TokenFile string `yaml:"token_file"`
}

type Source struct {
	Name          string `yaml:"name"`
	Token         Secret `yaml:"token"`
	TokenFile     string `yaml:"token_file"`
	NextToken     Secret `yaml:"next_token"`
	NextTokenFile string `yaml:"next_token_file"`
	Customer      string `yaml:"customer"`
}

type Rule struct {
	Name     string    `yaml:"name"`
	Match    []string  `yaml:"match"`
	GroupBy  []string  `yaml:"group_by"`
	Window   Duration  `yaml:"window"`
	Hold     Duration  `yaml:"hold"`
	Reopen   Duration  `yaml:"reopen"`
	Quiet    *Duration `yaml:"quiet"`
	Severity string    `yaml:"severity"`
}

type Runbooks struct {
	Paths      []string          `yaml:"paths"`
	Vars       map[string]string `yaml:"vars"`
	Hosts      []string          `yaml:"hosts"`
	Inventory  string            `yaml:"inventory"`
	HTTPHosts  []string          `yaml:"http_hosts"`
	Addresses  []string          `yaml:"addresses"`
	Path       string            `yaml:"path"`
	Env        []string          `yaml:"env"`
	Prometheus string            `yaml:"prometheus"`
	Logs       []string          `yaml:"logs"`
	Ansible    Ansible           `yaml:"ansible"`
	InfluxDB   Influx            `yaml:"influxdb"`
	Rundeck    Rundeck           `yaml:"rundeck"`
	Kompira    Kompira           `yaml:"kompira"`
}

// steps is what the executors of steps want to know.
func (c Runbooks) Steps() steps.Config {
	return steps.Config{HTTPHosts: c.HTTPHosts, Addresses: c.Addresses, Prometheus: c.Prometheus, Path: c.Path, Env: c.Env,
		Logs: c.Logs, Ansible: steps.AnsibleConfig(c.Ansible),
		InfluxDB: steps.InfluxConfig{URL: c.InfluxDB.URL, User: c.InfluxDB.User, Password: string(c.InfluxDB.Password)}}
}

type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Secret does not show itself when printed.
type Secret string

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides it from %#v too.
func (s Secret) GoString() string { return s.String() }

// LogValue hides it from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Duration reads 90s, 5m, 1h30m.
type Duration time.Duration

// UnmarshalYAML reads Go's form of a duration.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %s %s", n.Line, badDuration, n.Value)}} // the others are still read
	}
	*d = Duration(v)
	return nil
}

func Default() Config {
	return Config{
		Language: phrases.English, Listen: "127.0.0.1:8080",
		RemindAck: Duration(10 * time.Minute), Log: Log{Level: "info", Format: "text"},
		Chats: defaultChats(),
		Audit: Audit{CheckpointEvery: Duration(time.Minute)},
	}
}

// maxConfig bounds the file, in bytes.
const maxConfig = 1 << 20

// Load reads the file (none: only the defaults), then the environment.
func Load(path string, getenv func(string) string) (Config, error) {
	c := Default()
	if path != "" {
		c.from.file = path
		b, err := readFile(path)
		if err != nil {
			return c, err
		}
		c.read(b)
		c.relativeTo(filepath.Dir(path))
	}
	c.fromEnv(getenv)
	if c.Data == "" {
		c.Data = "data"
	}
	return c, nil
}

func readFile(path string) ([]byte, error) {
	refused := func(phrase string, args ...string) error {
		return (&places{file: path}).problemsError([]problem{wrong("", phrase, args...)})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, refused("config.unreadable", "error", Cause(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	switch {
	case err != nil:
		return nil, refused("config.unreadable", "error", Cause(err))
	case len(b) > maxConfig:
		return nil, refused("config.too_large", "max", strconv.Itoa(maxConfig))
	}
	return b, nil
}

// Cause is what went wrong with a file, without its name.
func Cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// relativeTo makes the file's paths relative to the file.
func (c *Config) relativeTo(dir string) {
	fix := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for i := range c.Runbooks.Paths {
		fix(&c.Runbooks.Paths[i])
	}
	for _, p := range append(append(c.Runbooks.files(), c.Slack.files()...), &c.Discord.BotTokenFile) {
		fix(p)
	}
	for i := range c.Trackers {
		for _, p := range c.Trackers[i].files() {
			fix(p)
		}
	}
	fix(&c.StoreFile)
	fix(&c.Console.OIDC.SecretFile)
	for i := range c.Calendar {
		fix(&c.Calendar[i].ICS)
	}
	fix(&c.Audit.KeyFile)
	fix(&c.Audit.Checkpoints)
	for _, p := range c.Diagnostics.Files() {
		fix(p)
	}
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
func (c *Config) fromEnv(getenv func(string) string) {
	set := func(name string, field *string, key ...string) {
		if v := getenv("HIKESHI_" + name); v != "" {
			*field = v
			c.Stands("HIKESHI_"+name, key...)
		}
	}
	set("LANGUAGE", &c.Language, "language")
	set("LISTEN", &c.Listen, "listen")
	set("PUBLIC_URL", &c.PublicURL, "public_url")
	set("DATA", &c.Data, "data")
	if v, file := getenv("HIKESHI_STORE"), getenv("HIKESHI_STORE_FILE"); v != "" || file != "" {
		c.Store, c.StoreFile = Secret(v), file // together, or the file's key would contradict
		c.Stands("HIKESHI_STORE", "store", "store_file")
	}
	set("AUDIT_KEY_FILE", &c.Audit.KeyFile, "audit.key_file")
	set("PROMETHEUS", &c.Runbooks.Prometheus, "runbooks.prometheus")
	set("LOG_LEVEL", &c.Log.Level, "log.level")
	set("LOG_FORMAT", &c.Log.Format, "log.format")
	var token, file string
	set("CONSOLE_TOKEN", &token)
	set("CONSOLE_TOKEN_FILE", &file)
	if token != "" || file != "" {
		c.Stands("HIKESHI_CONSOLE_TOKEN", fmt.Sprintf("console.people[%d]", len(c.Console.People)))
		c.Console.People = append(c.Console.People, Person{Name: envPerson, Token: Secret(token), TokenFile: file})
	}
	token, file = "", ""
	set("SOURCE_TOKEN", &token)
	set("SOURCE_TOKEN_FILE", &file)
	if token != "" || file != "" {
		c.Stands("HIKESHI_SOURCE_TOKEN", fmt.Sprintf("sources[%d]", len(c.Sources)))
		c.Sources = append(c.Sources, Source{Name: "default", Token: Secret(token), TokenFile: file})
	}
}

// Stands notes that a variable or a flag stands in the place of keys.
func (c *Config) Stands(name string, keys ...string) {
	if c.from.override == nil {
		c.from.override = map[string]string{}
	}
	for _, key := range keys {
		c.from.override[key] = name
	}
}

// Settled is the configuration after everything was looked up and checked.
type Settled struct {
	Config
	StoreURL      string       // with its password
	ConsolePeople []web.Person // who signs in with a token of their own
	Rights        bot.Rights
	SignIn        *oidc.Config // nil: by tokens alone
	Intake        []intake.Source
	Rules         incidents.Rules
	CustomerRules incidents.Customers
	Planned       []schedule.Entry
	Windows       calendar.Calendar
	Unread        error // what says which files of the calendar could not be read; nil: all could
	Ladder        SettledTrust
	Audited       SettledAudit
	Workspace     SettledSlack
	Guild         SettledDiscord
	Asked         inquiry.Settled // what the first investigation asks
	Watched       SettledWatch
	LogLevel      slog.Level
	elsewhere
	TicketDesks

	CustomerLanguages map[string]string // of those who have one of their own
}

// Secrets are all that must never be seen in an output, a log or a chat.
func (s *Settled) Secrets() []string {
	var all []string
	if s.SignIn != nil {
		all = append(all, s.SignIn.Secret)
	}
	for _, p := range s.ConsolePeople {
		all = append(all, p.Token)
	}
	for _, src := range s.Intake {
		for _, t := range src.Tokens {
			all = append(all, string(t))
		}
	}
	if u, err := url.Parse(s.StoreURL); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok {
			all = append(all, password)
		}
	}
	return slices.Concat(all, handedOn(s.Runbooks.Env, os.Getenv), s.elsewhere.secrets, s.Audited.Secrets, s.Workspace.secrets(), s.TicketDesks.secrets(), s.Guild.secrets(), s.Asked.Secrets)
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
