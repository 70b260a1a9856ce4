package inquiry

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
	"github.com/hikeshi-ops/hikeshi/integrations/github"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlabchanges"
	"github.com/hikeshi-ops/hikeshi/integrations/hostlog"
	"github.com/hikeshi-ops/hikeshi/integrations/influxdb"
	"github.com/hikeshi-ops/hikeshi/integrations/loki"
	"github.com/hikeshi-ops/hikeshi/integrations/neo4j"
	"github.com/hikeshi-ops/hikeshi/integrations/newrelic"
	"github.com/hikeshi-ops/hikeshi/integrations/zabbix"
)

// opener makes a source, of what was checked before.
type opener func(ask.Clean) (diagnostics.Source, error)

// ownedOpener is one, and whose the source is; see diagnostics.Owned.
type ownedOpener struct {
	whose string
	open  opener
}

// server is one entry of the configuration that is asked over the network.
type server struct {
	key      string // "loki[0]"
	customer string // as it stands there
	secrets  []secret
	open     opener
}

// secret is a file, and where what it holds belongs.
type secret struct {
	key      string
	file, to *string
}

// servers are all that are configured. hosts is asked for logs over ssh.
func (c *Config) servers(hosts hostlog.Reader) []server {
	var all []server
	add := func(kind string, i int, customer string, open opener, secrets ...secret) {
		all = append(all, server{kind + "[" + strconv.Itoa(i) + "]", customer, secrets, open})
	}
	token := func(file, to *string) secret { return secret{"token_file", file, to} }
	password := func(file, to *string) secret { return secret{"password_file", file, to} }
	for i := range c.Prometheus {
		x := &c.Prometheus[i]
		add("prometheus", i, x.Customer, func(ask.Clean) (diagnostics.Source, error) { return x.source() }, token(&x.TokenFile, &x.token))
	}
	for i := range c.InfluxDB {
		x := &c.InfluxDB[i].Config
		add("influxdb", i, c.InfluxDB[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return influxdb.New(*x) }, token(&x.TokenFile, &x.Token), password(&x.PasswordFile, &x.Password))
	}
	for i := range c.Zabbix {
		x := &c.Zabbix[i].Config
		add("zabbix", i, c.Zabbix[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return zabbix.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.NewRelic {
		x := &c.NewRelic[i].Config
		add("newrelic", i, c.NewRelic[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return newrelic.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.Loki {
		x := &c.Loki[i].Config
		add("loki", i, c.Loki[i].Customer, func(clean ask.Clean) (diagnostics.Source, error) { return loki.New(*x, clean) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.HostLogs {
		x := &c.HostLogs[i].Config
		add("host_logs", i, c.HostLogs[i].Customer, func(clean ask.Clean) (diagnostics.Source, error) { return hostlog.New(*x, hosts, clean) })
	}
	for i := range c.GitLab {
		x := &c.GitLab[i].Config
		add("gitlab", i, c.GitLab[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return gitlabchanges.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.GitHub {
		x := &c.GitHub[i].Config
		add("github", i, c.GitHub[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return github.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.Neo4j {
		x := &c.Neo4j[i].Config
		add("neo4j", i, c.Neo4j[i].Customer, func(ask.Clean) (diagnostics.Source, error) { return neo4j.New(*x) }, password(&x.PasswordFile, &x.Password))
	}
	return all
}

// settle reads the secrets and tries whether the source can be made.
func (x *server) settle() (secrets []string, key string, err error) {
	for _, s := range x.secrets {
		if *s.file == "" {
			continue
		}
		b, err := readSmall(*s.file)
		if err != nil {
			return nil, x.key + "." + s.key, fmt.Errorf("%s: %w", *s.file, err)
		}
		*s.to = strings.TrimRight(string(b), "\r\n")
		secrets = append(secrets, *s.to)
	}
	_, err = x.open(nil)
	return secrets, x.key, err
}
