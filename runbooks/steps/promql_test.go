package steps

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func promStep(query, expect string) incidents.Step {
	return incidents.Step{ID: "ask", Kind: KindPromQL, Query: query, Expect: expect, Timeout: 30 * time.Second}
}

func TestPromQLAgainstPrometheus(t *testing.T) {
	t.Parallel()
	server := testenv.Prometheus(t, "global: {scrape_interval: 1h}\n")
	p := executor(t, KindPromQL, Config{Prometheus: server.URL + "/"})
	for name, c := range map[string]struct {
		query, expect string
		ok            bool
		value, phrase string
	}{
		"number":       {"vector(0.25)", "number > 0.2", true, "0.25", ""},
		"too small":    {"vector(0.25)", "number > 0.5", false, "0.25", ""},
		"scalar":       {"1 + 1", "number == 2", true, "2", ""},
		"no data":      {`up{job="nobody"}`, "number == 1", false, "no data", ""},
		"none wanted":  {`up{job="nobody"} == 0`, "none", true, "no data", ""},
		"none, but":    {"vector(3)", "none", false, "3", ""},
		"not a number": {"vector(0)/0", "number > 0", false, "NaN", ""},
		"several":      {`label_replace(vector(1), "a", "x", "", "") or label_replace(vector(5), "a", "y", "", "")`, "number < 3", false, `5 ({a="y"}, 1/2)`, ""},
		"infinite":     {"vector(1)/0", "number > 100", true, "+Inf", ""},
		"bad query":    {"up{", "number > 0", false, "", "runbook.prometheus"},
		"a range":      {`up[5m]`, "number > 0", false, "", "runbook.prometheus"},
		"a text":       {`"x"`, "number > 0", false, "", "runbook.prometheus"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, p, promStep(c.query, c.expect))
			if r.OK != c.ok || r.Value != c.value || r.Because.Phrase != c.phrase {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestPromQLErrors(t *testing.T) {
	t.Parallel()
	if r := run(t, executor(t, KindPromQL, Config{}), promStep("up", "number > 0")); r.Because.Phrase != "runbook.no_prometheus" {
		t.Errorf("%+v", r)
	}
	for name, body := range map[string]string{
		"not json":       "<html>",
		"nothing":        "",
		"no status":      `{}`,
		"odd value":      `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}`,
		"odd result":     `{"status":"success","data":{"resultType":"vector","result":5}}`,
		"odd scalar":     `{"status":"success","data":{"resultType":"scalar","result":{}}}`,
		"too many value": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["a"]}]}}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		r := run(t, executor(t, KindPromQL, Config{Prometheus: server.URL}), promStep("up", "number > 0"))
		if r.OK || r.Because.Phrase != "runbook.prometheus" {
			t.Errorf("%s: %+v", name, r)
		}
		server.Close()
	}
}

func TestPromQLShowsAFewSeries(t *testing.T) {
	t.Parallel()
	var samples []sample
	for i := range 30 {
		samples = append(samples, sample{incidents.Labels{{Name: "i", Value: fmt.Sprint(i)}}, float64(i)})
	}
	e, err := ParseExpect("number < 25")
	if err != nil {
		t.Fatal(err)
	}
	r := judgeSamples(e, samples)
	if r.OK || r.Value != `25 ({i="25"}, 1/30)` || strings.Count(r.Output, "\n") != maxSamples+1 || !strings.Contains(r.Output, "+ 10") {
		t.Errorf("%q\n%s", r.Value, r.Output)
	}
}
