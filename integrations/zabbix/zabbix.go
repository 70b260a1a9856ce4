// Package zabbix asks a Zabbix for the history of items on the host of an incident,
// and for the other problems of that host. It is a diagnostics.Source: it calls
// methods that only read, and what an incident says is a parameter of them. Start
// with New.
package zabbix

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one server. Host is the technical name of a host in Zabbix, or $host
// for the incident's label host. Of an item Query is the key.
type Config struct {
	Name      string      `yaml:"name"`
	URL       string      `yaml:"url"` // of the pages: http://zabbix.example.com/zabbix
	TokenFile string      `yaml:"token_file"`
	Host      string      `yaml:"host"`
	Items     []ask.Query `yaml:"items"`

	Token string `yaml:"-"`
}

var labelName = regexp.MustCompile(`\A\$[a-zA-Z_][a-zA-Z0-9_]*\z`)

// Source asks one server. It is safe for concurrent use.
type Source struct {
	config Config
	plain  *ask.Client // without the token, for what is asked before it is known how to send it
	signed *ask.Client
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	c.Name = cmp.Or(c.Name, "zabbix")
	c.Host = cmp.Or(c.Host, "$host")
	if strings.HasPrefix(c.Host, "$") && !labelName.MatchString(c.Host) {
		return nil, fmt.Errorf("%q is no label", c.Host)
	}
	if c.Token == "" {
		return nil, errors.New("token_file is missing: a token of Zabbix's API")
	}
	for _, item := range c.Items {
		if item.Query == "" {
			return nil, errors.New("an item needs its key: query: system.cpu.load[all,avg1]")
		}
	}
	plain, err := ask.New(c.Name, c.URL, nil)
	if err != nil {
		return nil, err
	}
	signed, err := ask.New(c.Name, c.URL, http.Header{"Authorization": {"Bearer " + c.Token}})
	return &Source{c, plain, signed}, err
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueSeries, incidents.ClueProblem}
}

// Ask asks for the items and the problems of the host at the same time. A host that
// Zabbix does not know has neither.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	name := s.config.Host
	if label, is := strings.CutPrefix(name, "$"); is {
		name = q.Label(label)
		if h, _, err := net.SplitHostPort(name); err == nil {
			name = h // instance: web-1:9100
		}
	}
	if name == "" {
		return diagnostics.Answer{}, nil
	}
	call, err := s.caller(ctx)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	var hosts []struct {
		ID string `json:"hostid"`
	}
	if err := call(ctx, "host.get", map[string]any{"output": []string{"hostid"}, "filter": map[string]any{"host": []string{name}}}, &hosts); err != nil || len(hosts) == 0 {
		return diagnostics.Answer{}, err
	}
	host := hosts[0].ID
	return ask.Each(1+len(s.config.Items), func(i int) (diagnostics.Answer, error) {
		if i == 0 {
			return s.problems(ctx, call, host, q)
		}
		return s.item(ctx, call, host, s.config.Items[i-1], q)
	})
}

// call is one method of the API, with its result.
type call func(ctx context.Context, method string, params, into any) error

// headersSince is the version that takes the token in a header; 7.2 takes it nowhere
// else, and those before only in the body
// (https://www.zabbix.com/documentation/current/en/manual/api#authentication).
var headersSince = [2]int{6, 4}

func (s *Source) caller(ctx context.Context) (call, error) {
	var text string
	if err := do(ctx, s.plain, "apiinfo.version", []string{}, "", &text); err != nil {
		return nil, err
	}
	var v [2]int
	for i, part := range strings.SplitN(text, ".", 3)[:min(2, strings.Count(text, ".")+1)] {
		var err error
		if v[i], err = strconv.Atoi(part); err != nil {
			return nil, fmt.Errorf("%s says its version is %q", s.config.Name, ask.Cut(text))
		}
	}
	if v[0] > headersSince[0] || v[0] == headersSince[0] && v[1] >= headersSince[1] {
		return func(ctx context.Context, method string, params, into any) error {
			return do(ctx, s.signed, method, params, "", into)
		}, nil
	}
	return func(ctx context.Context, method string, params, into any) error {
		return do(ctx, s.plain, method, params, s.config.Token, into)
	}, nil
}

func do(ctx context.Context, c *ask.Client, method string, params any, auth string, into any) error {
	body := map[string]any{"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
	if auth != "" {
		body["auth"] = auth
	}
	var said struct {
		Result json.RawMessage
		Error  *struct{ Message, Data string }
	}
	if err := c.JSON(ctx, "/api_jsonrpc.php", body, &said); err != nil {
		return err
	}
	if said.Error != nil {
		return fmt.Errorf("%s: %s %s", method, ask.Cut(said.Error.Message), ask.Cut(said.Error.Data))
	}
	if err := json.Unmarshal(said.Result, into); err != nil {
		return fmt.Errorf("%s: the answer is not what Zabbix sends: %w", method, err)
	}
	return nil
}

// Zabbix keeps numbers in two tables (history.get, parameter history).
const (
	floats    = "0"
	unsigned  = "3"
	mostItems = 20 // that fit one key
	mostRead  = 1500
)

// item reads the history of the item with that key.
func (s *Source) item(ctx context.Context, call call, host string, c ask.Query, q diagnostics.Question) (diagnostics.Answer, error) {
	if !ask.Fits(c.Service, q) {
		return diagnostics.Answer{}, nil
	}
	var items []struct {
		ID   string `json:"itemid"`
		Name string
		Kind string `json:"value_type"`
	}
	err := call(ctx, "item.get", map[string]any{"output": []string{"itemid", "name", "value_type"}, "hostids": []string{host}, "filter": map[string]any{"key_": []string{c.Query}}, "limit": mostItems}, &items)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	if len(items) == 0 {
		return diagnostics.Answer{}, fmt.Errorf("the host has no item %s", c.Query)
	}
	if items[0].Kind != floats && items[0].Kind != unsigned {
		return diagnostics.Answer{}, fmt.Errorf("the item %s has no numbers", c.Query)
	}
	kind, _ := strconv.Atoi(items[0].Kind)
	var rows []struct{ Clock, Value string }
	err = call(ctx, "history.get", map[string]any{
		"output": []string{"clock", "value"}, "history": kind, "itemids": []string{items[0].ID},
		"time_from": q.From.Unix(), "time_till": q.To.Unix(), "sortfield": "clock", "sortorder": "DESC", "limit": mostRead,
	}, &rows)
	g := &ask.Gather{Title: cmp.Or(c.Title, items[0].Name), URL: s.graph(items[0].ID, q)}
	for _, row := range rows {
		at, bad := strconv.ParseInt(row.Clock, 10, 64)
		v, notNumber := strconv.ParseFloat(row.Value, 64)
		if bad == nil && notNumber == nil {
			g.Add("", at, v)
		}
	}
	return g.Answer(), err
}

// graph is the page with the item at that time, in UTC.
func (s *Source) graph(item string, q diagnostics.Question) string {
	form := func(t time.Time) string { return t.UTC().Format(time.DateTime) }
	return s.plain.Address() + "/history.php?" + url.Values{"action": {"showgraph"}, "itemids[]": {item}, "from": {form(q.From)}, "to": {form(q.To)}}.Encode()
}
