package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// PromQL carries out promql steps: one instant query
// (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
type PromQL struct {
	base   *url.URL // nil: none is configured
	client *http.Client
}

func newPromQL(c Config) (*PromQL, error) {
	if c.Prometheus == "" {
		return &PromQL{}, nil
	}
	base, err := url.Parse(c.Prometheus)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("the base URL of Prometheus is not of the form http://prometheus:9090")
	}
	g, err := newGate(c)
	if err != nil {
		return nil, err
	}
	g.here = true
	return &PromQL{base: base, client: g.client()}, nil
}

// Execute implements Executor.
func (p *PromQL) Execute(ctx context.Context, step incidents.Step, _ Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	if p.base == nil {
		return Failed(incidents.Fail(incidents.Unavailable, "runbook.no_prometheus", "no Prometheus is configured"))
	}
	u := p.base.JoinPath("api/v1/query")
	u.RawQuery = url.Values{"query": {step.Query}, "timeout": {step.Timeout.String()}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Failed(Bad(err))
	}
	req.Header.Set("User-Agent", userAgent)
	code, body, err := fetch(p.client, req)
	if err != nil {
		return Failed(netError(ctx, step, err))
	}
	samples, err := readSamples(body)
	if err != nil {
		return Failed(incidents.Fail(incidents.Unavailable, "runbook.prometheus",
			fmt.Sprintf("Prometheus answered HTTP %d: %v", code, err), "code", strconv.Itoa(code), "error", err.Error()))
	}
	return judgeSamples(expect, samples)
}

// A sample is one series of an instant query's result.
type sample struct {
	labels incidents.Labels
	value  float64
}

const maxSamples = 20 // that are shown

func readSamples(body []byte) ([]sample, error) {
	var reply struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, errors.New("the answer is not what Prometheus sends")
	}
	if reply.Status != "success" {
		return nil, errors.New(reply.Error)
	}
	var series []struct {
		Metric incidents.Labels `json:"metric"`
		Value  [2]any           `json:"value"`
	}
	switch reply.Data.Type {
	case "vector":
		if err := json.Unmarshal(reply.Data.Result, &series); err != nil {
			return nil, errors.New("the answer is not what Prometheus sends")
		}
	case "scalar":
		series = append(series, struct {
			Metric incidents.Labels `json:"metric"`
			Value  [2]any           `json:"value"`
		}{})
		if err := json.Unmarshal(reply.Data.Result, &series[0].Value); err != nil {
			return nil, errors.New("the answer is not what Prometheus sends")
		}
	default:
		return nil, fmt.Errorf("the query gives a %s, not numbers", reply.Data.Type)
	}
	samples := make([]sample, len(series))
	for i, s := range series {
		text, _ := s.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, errors.New("the answer is not what Prometheus sends")
		}
		samples[i] = sample{s.Metric, value}
	}
	return samples, nil
}

// judgeSamples: every sample must compare as expected. No sample at all is a
// failure, unless that was expected.
func judgeSamples(e Expect, samples []sample) incidents.StepResult {
	if len(samples) == 0 {
		return incidents.StepResult{OK: e.None, Value: "no data"}
	}
	result := incidents.StepResult{OK: !e.None}
	var lines strings.Builder
	shown := samples[0]
	for i, s := range samples {
		holds := e.Number == nil || e.Number.holds(s.value)
		if !holds && result.OK {
			result.OK, shown = false, s
		}
		if i < maxSamples {
			fmt.Fprintf(&lines, "%s %s\n", s.labels, formatValue(s.value))
		}
	}
	if more := len(samples) - maxSamples; more > 0 {
		fmt.Fprintf(&lines, "+ %d\n", more)
	}
	result.Value, result.Number = formatValue(shown.value), finite(shown.value)
	if len(samples) > 1 {
		result.Value += fmt.Sprintf(" (%s, 1/%d)", shown.labels, len(samples))
	}
	result.Output = lines.String()
	return result
}

func formatValue(f float64) string { return strconv.FormatFloat(f, 'g', 6, 64) }

// finite is f where JSON can say it.
func finite(f float64) *float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return &f
}
