package prometheus

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Sample is one number: of which series, when, how much. Value may be NaN or
// infinite; comparisons with NaN are false, so check for it first.
type Sample struct {
	Labels incidents.Labels
	Value  float64
	At     time.Time
}

// reply is the envelope of every answer.
type reply struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// series is one of a vector (value) or of a matrix (values). Native histograms
// come in fields of their own, and are no number.
type series struct {
	Metric     incidents.Labels  `json:"metric"`
	Value      *point            `json:"value"`
	Values     []point           `json:"values"`
	Histogram  json.RawMessage   `json:"histogram"`
	Histograms []json.RawMessage `json:"histograms"`
}

// point is [1700000000.123, "4.2"].
type point struct {
	at    time.Time
	value float64
}

// UnmarshalJSON reads the pair.
func (p *point) UnmarshalJSON(b []byte) error {
	var at float64
	var text string
	if err := json.Unmarshal(b, &[]any{&at, &text}); err != nil {
		return fmt.Errorf("decode a sample: %w", err)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || text == "" {
		return fmt.Errorf("decode a sample: %q is no number", head(text, 40))
	}
	*p = point{at: time.UnixMilli(int64(math.Round(at * 1000))).UTC(), value: v}
	return nil
}

// decode turns an answer into samples, or into what went wrong.
func decode(status int, body []byte) ([]Sample, error) {
	var r reply
	if err := json.Unmarshal(body, &r); err != nil || r.Status != "success" && r.Status != "error" {
		return nil, notPrometheus(status)
	}
	if r.Status == "error" {
		return nil, refused(r)
	}
	switch r.Data.ResultType {
	case "vector", "matrix":
		var all []series
		if err := json.Unmarshal(r.Data.Result, &all); err != nil {
			return nil, notPrometheus(status)
		}
		return flatten(all)
	case "scalar":
		var p point
		if err := json.Unmarshal(r.Data.Result, &p); err != nil {
			return nil, notPrometheus(status)
		}
		return []Sample{{Value: p.value, At: p.at}}, nil
	}
	return nil, fail(incidents.Invalid, "the query's result is not made of numbers", "ask for a vector or a scalar, not a string")
}

func flatten(all []series) ([]Sample, error) {
	var out []Sample
	for i := range all {
		s := &all[i]
		if s.Histogram != nil || s.Histograms != nil {
			return nil, fail(incidents.Invalid, "the query's result is a native histogram, not a number", "use histogram_quantile or histogram_count")
		}
		if s.Value != nil {
			out = append(out, Sample{Labels: s.Metric, Value: s.Value.value, At: s.Value.at})
		}
		for _, p := range s.Values {
			out = append(out, Sample{Labels: s.Metric, Value: p.value, At: p.at})
		}
	}
	return out, nil
}

// refused explains an error that Prometheus itself reports:
// https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
func refused(r reply) error {
	code, hint := incidents.Unavailable, "try again"
	switch r.ErrorType {
	case "bad_data":
		code, hint = incidents.Invalid, "check the query in Prometheus' own web page"
	case "execution":
		code, hint = incidents.Invalid, "the query is valid, but cannot be evaluated: narrow it"
	}
	return fail(code, "prometheus: "+head(r.Error, 300), hint)
}

func notPrometheus(status int) error {
	hint := "check its address, and the path prefix if it has one"
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		hint = "check the token"
	case status >= 300 && status < 400:
		hint = "it redirects, which is not followed: use the address it redirects to"
	}
	return fail(incidents.Unavailable, fmt.Sprintf("the answer (status %d) is not that of a prometheus", status), hint)
}

// head is at most n bytes of s on one line.
func head(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
