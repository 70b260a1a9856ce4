// Package neo4j asks a graph for the services around an incident's: who owns them
// and what depends on what. It is a diagnostics.Source beside the catalogue in YAML,
// whose form it gives. What an incident says is a parameter of the statement and
// never part of it; the statement may only read. Start with New.
package neo4j

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one database. Statement is for a graph of other names than Statement
// expects: it has the parameters $service and $limit, and gives the columns name,
// owner, url, customer and depends_on, a list of names.
type Config struct {
	Name         string `yaml:"name"`
	URL          string `yaml:"url"`
	Database     string `yaml:"database"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	Statement    string `yaml:"statement"`

	Password string `yaml:"-"`
}

// Statement is what is asked for where the configuration has no other: services at
// most four steps away, both ways.
const Statement = `MATCH (:Service {name: $service})-[:DEPENDS_ON*0..4]->(n:Service)
RETURN DISTINCT n.name AS name, n.owner AS owner, n.url AS url, n.customer AS customer, [(n)-[:DEPENDS_ON]->(d:Service) | d.name] AS depends_on LIMIT $limit
UNION
MATCH (n:Service)-[:DEPENDS_ON*0..4]->(:Service {name: $service})
RETURN DISTINCT n.name AS name, n.owner AS owner, n.url AS url, n.customer AS customer, [(n)-[:DEPENDS_ON]->(d:Service) | d.name] AS depends_on LIMIT $limit`

const mostServices = 500

// Source asks one database. It is safe for concurrent use.
type Source struct {
	config Config
	client *ask.Client
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	c.Name = cmp.Or(c.Name, "neo4j")
	c.Statement = cmp.Or(c.Statement, Statement)
	c.Database = cmp.Or(c.Database, "neo4j")
	header := http.Header{}
	if c.User != "" {
		r := http.Request{Header: header}
		r.SetBasicAuth(c.User, c.Password)
	}
	client, err := ask.New(c.Name, c.URL, header)
	return &Source{c, client}, err
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueService}
}

// Ask asks for what is around the incident's service
// (https://neo4j.com/docs/query-api/current/query/).
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	service := q.Label("service")
	if service == "" {
		return diagnostics.Answer{}, nil // nothing to be around of
	}
	var said struct {
		Data struct {
			Fields []string
			Values [][]any
		}
		Errors []struct{ Code, Message string }
	}
	err := s.client.JSON(ctx, "/db/"+url.PathEscape(s.config.Database)+"/query/v2", map[string]any{
		"statement": s.config.Statement, "parameters": map[string]any{"service": service, "limit": mostServices}, "accessMode": "READ",
	}, &said)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	if len(said.Errors) > 0 {
		return diagnostics.Answer{}, fmt.Errorf("%s: %s", s.config.Name, ask.Cut(said.Errors[0].Message))
	}
	if !slices.Contains(said.Data.Fields, "name") {
		return diagnostics.Answer{}, errors.New("the statement gives no column name: RETURN n.name AS name, n.owner AS owner, n.url AS url, … AS depends_on")
	}
	return read(said.Data.Fields, said.Data.Values), nil
}

func read(fields []string, rows [][]any) (answer diagnostics.Answer) {
	answer.Left = max(0, len(rows)-2*mostServices)
	for _, row := range rows[:min(len(rows), 2*mostServices)] {
		var one diagnostics.Service
		for i, field := range fields[:min(len(fields), len(row))] {
			text, _ := row[i].(string) // null where the graph does not say
			text = ask.Cut(text)
			switch field {
			case "name":
				one.Name = text
			case "customer":
				one.Customer = text
			case "owner":
				one.Owner = text
			case "url":
				one.URL = text
			case "depends_on":
				one.DependsOn = names(row[i])
			}
		}
		if one.Name != "" {
			answer.Services = append(answer.Services, one)
		}
	}
	return answer
}

func names(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, x := range list[:min(len(list), mostServices)] {
		if name, ok := x.(string); ok && name != "" && len(name) <= incidents.MaxValue {
			all = append(all, name)
		}
	}
	return all
}
