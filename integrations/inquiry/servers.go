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

// server is one entry of the configuration that is asked over the network.
type server struct {
	key     string // "loki[0]"
	secrets []secret
	open    opener
}

// secret is a file, and where what it holds belongs.
type secret struct {
	key      string
	file, to *string
}

// servers are all that are configured. hosts is asked for logs over ssh.
func (c *Config) servers(hosts hostlog.Reader) []server {
	var all []server
	add := func(kind string, i int, open opener, secrets ...secret) {
		all = append(all, server{kind + "[" + strconv.Itoa(i) + "]", secrets, open})
	}
	token := func(file, to *string) secret { return secret{"token_file", file, to} }
	password := func(file, to *string) secret { return secret{"password_file", file, to} }
	for i := range c.Prometheus {
		x := &c.Prometheus[i]
		add("prometheus", i, func(ask.Clean) (diagnostics.Source, error) { return x.source() }, token(&x.TokenFile, &x.token))
	}
	for i := range c.InfluxDB {
		x := &c.InfluxDB[i]
		add("influxdb", i, func(ask.Clean) (diagnostics.Source, error) { return influxdb.New(*x) }, token(&x.TokenFile, &x.Token), password(&x.PasswordFile, &x.Password))
	}
	for i := range c.Zabbix {
		x := &c.Zabbix[i]
		add("zabbix", i, func(ask.Clean) (diagnostics.Source, error) { return zabbix.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.NewRelic {
		x := &c.NewRelic[i]
		add("newrelic", i, func(ask.Clean) (diagnostics.Source, error) { return newrelic.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.Loki {
		x := &c.Loki[i]
		add("loki", i, func(clean ask.Clean) (diagnostics.Source, error) { return loki.New(*x, clean) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.HostLogs {
		x := &c.HostLogs[i]
		add("host_logs", i, func(clean ask.Clean) (diagnostics.Source, error) { return hostlog.New(*x, hosts, clean) })
	}
	for i := range c.GitLab {
		x := &c.GitLab[i]
		add("gitlab", i, func(ask.Clean) (diagnostics.Source, error) { return gitlabchanges.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.GitHub {
		x := &c.GitHub[i]
		add("github", i, func(ask.Clean) (diagnostics.Source, error) { return github.New(*x) }, token(&x.TokenFile, &x.Token))
	}
	for i := range c.Neo4j {
		x := &c.Neo4j[i]
		add("neo4j", i, func(ask.Clean) (diagnostics.Source, error) { return neo4j.New(*x) }, password(&x.PasswordFile, &x.Password))
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
