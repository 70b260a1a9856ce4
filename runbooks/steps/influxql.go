package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// InfluxConfig is the InfluxDB 1.x that influxql steps ask.
type InfluxConfig struct {
	URL      string // http://influxdb:8086; "": none is configured
	User     string // may only read
	Password string
}

// InfluxQL carries out influxql steps: one statement that only reads, by GET
// (https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint). A step's Method
// is the database, its Query the statement.
type InfluxQL struct {
	base   *url.URL // nil: none is configured
	config InfluxConfig
	client *http.Client
}

func newInfluxQL(c Config) (*InfluxQL, error) {
	if c.InfluxDB.URL == "" {
		return &InfluxQL{}, nil
	}
	base, err := url.Parse(c.InfluxDB.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, errors.New("the base URL of InfluxDB is not of the form http://influxdb:8086")
	}
	g, err := newGate(c)
	if err != nil {
		return nil, err
	}
	g.here = true
	return &InfluxQL{base: base, config: c.InfluxDB, client: g.client()}, nil
}

// Execute implements Executor.
func (x *InfluxQL) Execute(ctx context.Context, step incidents.Step, _ Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	if err := ReadsOnly(step.Query); err != nil {
		return Failed(Bad(err))
	}
	if x.base == nil {
		return Failed(incidents.Fail(incidents.Unavailable, "runbook.no_influxdb", "no InfluxDB is configured"))
	}
	u := x.base.JoinPath("query")
	u.RawQuery = url.Values{"db": {step.Method}, "q": {step.Query}, "epoch": {"s"}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Failed(Bad(err))
	}
	req.Header.Set("User-Agent", userAgent)
	if x.config.User != "" {
		req.SetBasicAuth(x.config.User, x.config.Password)
	}
	code, body, err := fetch(x.client, req)
	if err != nil {
		return Failed(netError(ctx, step, err))
	}
	samples, err := readInflux(body, isShow(step.Query))
	if err != nil {
		return Failed(incidents.Fail(incidents.Unavailable, "runbook.influxdb",
			fmt.Sprintf("InfluxDB answered HTTP %d: %v", code, err), "code", strconv.Itoa(code), "error", err.Error()))
	}
	return judgeSamples(expect, samples)
}

// readInflux are the numbers of all rows; of SHOW, whose rows are names, how many rows there
// are.
func readInflux(body []byte, show bool) ([]sample, error) {
	var reply struct {
		Error   string `json:"error"`
		Results []struct {
			Error  string `json:"error"`
			Series []struct {
				Tags    map[string]string `json:"tags"`
				Columns []string          `json:"columns"`
				Values  [][]any           `json:"values"`
			} `json:"series"`
		} `json:"results"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, errors.New("the answer is not what InfluxDB sends")
	}
	switch {
	case reply.Error != "":
		return nil, errors.New(reply.Error)
	case len(reply.Results) != 1:
		return nil, errors.New("the answer is not what InfluxDB sends")
	case reply.Results[0].Error != "":
		return nil, errors.New(reply.Results[0].Error)
	}
	var samples []sample
	rows := 0
	for _, series := range reply.Results[0].Series {
		labels := incidents.LabelsFromMap(series.Tags)
		rows += len(series.Values)
		for _, row := range series.Values {
			for i, column := range series.Columns {
				if i >= len(row) || column == "time" {
					continue
				}
				if value, ok := row[i].(float64); ok {
					samples = append(samples, sample{labels, value})
				}
			}
		}
	}
	if show {
		samples = nil
		if rows > 0 {
			samples = []sample{{value: float64(rows)}}
		}
	}
	return samples, nil
}

func isShow(query string) bool {
	return len(query) >= 4 && strings.EqualFold(strings.TrimSpace(query)[:4], "show")
}

// ReadsOnly refuses what is not one SELECT or SHOW that only reads. What it cannot tell apart
// from something else it refuses too.
func ReadsOnly(query string) error {
	words := strings.Fields(query)
	if len(words) == 0 || !strings.EqualFold(words[0], "select") && !strings.EqualFold(words[0], "show") {
		return errors.New("the query is neither a SELECT nor a SHOW")
	}
	plain, err := Unquoted(query)
	if err != nil {
		return err
	}
	if strings.ContainsAny(plain, "/") { // of a regular expression, in which quotes mean nothing: look at all of it
		plain += " " + query
	}
	switch {
	case strings.Contains(plain, ";"):
		return errors.New("the query has more than one statement")
	case strings.Contains(plain, "--"), strings.Contains(plain, "/*"):
		return errors.New("the query has a comment")
	}
	for word := range strings.FieldsFuncSeq(plain, notInWord) {
		if strings.EqualFold(word, "into") {
			return errors.New("the query writes: INTO")
		}
	}
	return nil
}

func notInWord(c rune) bool {
	return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// Unquoted is the query without what stands in quotes, strings ('…') and identifiers ("…"),
// and without slashes that divide what stands in parentheses before them. As long as it has no
// other slash, quotes are what they seem.
func Unquoted(query string) (string, error) {
	var b strings.Builder
	var quote, last byte
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
			b.WriteByte(' ')
		case quote != 0:
		case c == '\'' || c == '"':
			quote, last = c, c
		case c == '/' && last == ')' && (i+1 == len(query) || query[i+1] != '*'):
			b.WriteByte(' ')
			last = c
		default:
			if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
				last = c
			}
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", errors.New("the query has a quote that does not end")
	}
	return b.String(), nil
}

// InfluxString is a value inside the quotes of a string
// (https://docs.influxdata.com/influxdb/v1/query_language/spec/#strings).
func InfluxString(value string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value)
}
