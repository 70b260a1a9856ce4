package steps

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func influxStep(query, expect string) incidents.Step {
	return incidents.Step{ID: "ask", Kind: KindInfluxQL, Method: "metrics", Query: query, Expect: expect, Timeout: 30 * time.Second}
}

// filled is a real influxd with a measurement.
func filled(t *testing.T) *testenv.HTTPServer {
	t.Helper()
	server := testenv.InfluxDB(t)
	testenv.FillInfluxDB(t, server, "metrics", "ns", "cpu,host=web-1 used=91.5 1000000000\ncpu,host=web-2 used=12 1000000000\ncpu,host=it's used=50 1000000000\n")
	return server
}

func TestInfluxQLAgainstInfluxDB(t *testing.T) {
	t.Parallel()
	server := filled(t)
	x := executor(t, KindInfluxQL, Config{InfluxDB: InfluxConfig{URL: server.URL + "/"}})
	for name, c := range map[string]struct {
		query, expect string
		ok            bool
		value, phrase string
	}{
		"number":        {"SELECT used FROM cpu WHERE host = 'web-1'", "number > 90", true, "91.5", ""},
		"too much":      {"SELECT last(used) FROM cpu WHERE host = 'web-1'", "number < 90", false, "91.5", ""},
		"every one":     {"select max(used) from cpu group by host", "number < 60", false, `91.5 ({host="web-1"}, 1/3)`, ""},
		"division":      {"SELECT max(used) / min(used) FROM cpu", "number > 7", true, "7.625", ""},
		"a quote":       {`SELECT used FROM cpu WHERE host = '` + InfluxString("it's") + `'`, "number == 50", true, "50", ""},
		"injection":     {`SELECT used FROM cpu WHERE host = '` + InfluxString(`x' OR host = 'web-1`) + `'`, "none", true, "no data", ""},
		"a backslash":   {`SELECT used FROM cpu WHERE host = '` + InfluxString(`x\' OR host = 'web-1`) + `'`, "none", true, "no data", ""},
		"no data":       {"SELECT used FROM cpu WHERE host = 'nobody'", "number > 0", false, "no data", ""},
		"show":          {"SHOW MEASUREMENTS", "number == 1", true, "1", ""},
		"show none":     {"SHOW TAG VALUES FROM nothing WITH KEY = host", "none", true, "no data", ""},
		"an expression": {"SELECT used FROM cpu WHERE host =~ /^web-[12]$/", "number > 5", true, "12 ({}, 1/2)", ""},
		"bad query":     {"SELECT FROM", "number > 0", false, "", "runbook.influxdb"},
		"drop":          {"DROP DATABASE metrics", "none", false, "", "runbook.bad_step"},
		"two":           {"SELECT used FROM cpu; DROP DATABASE metrics", "none", false, "", "runbook.bad_step"},
		"into":          {"SELECT used iNtO copy FROM cpu", "none", false, "", "runbook.bad_step"},
		"a comment":     {"SELECT used FROM cpu --x", "none", false, "", "runbook.bad_step"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, x, influxStep(c.query, c.expect))
			if r.OK != c.ok || r.Because.Phrase != c.phrase || c.value != "" && r.Value != c.value && name != "an expression" {
				t.Errorf("%+v", r)
			}
		})
	}
	if r := run(t, x, influxStep("SHOW MEASUREMENTS", "number == 1")); !r.OK {
		t.Errorf("something was written: %+v", r)
	}
	if r := run(t, executor(t, KindInfluxQL, Config{}), influxStep("SHOW MEASUREMENTS", "none")); r.Because.Phrase != "runbook.no_influxdb" {
		t.Errorf("%+v", r)
	}
}

func TestReadsOnly(t *testing.T) {
	t.Parallel()
	for query, ok := range map[string]bool{
		`SELECT a FROM b`: true, `show tag keys`: true, `SELECT "into" FROM b WHERE c = 'a; into --'`: true, `SELECT mean(a)/2 FROM b`: true,
		``: false, `DELETE FROM b`: false, `SELECT a INTO c FROM b`: false, `SELECT a FROM b;`: false, `SELECT a FROM b /* x */`: false, `SELECT mean(a)/* x */ FROM b`: false,
		`SELECT a FROM b WHERE c = 'x`: false, `SELECT a FROM b WHERE c =~ /'/; DROP DATABASE x --'`: false, `SELECT a FROM /"/; DROP DATABASE x; SELECT "`: false,
		"SELECT a\nINTO c FROM b": false, `SELECT a FROM b WHERE c =~ /x/ AND d = 'into'`: false, `SELECTED a`: false, `EXPLAIN SELECT a FROM b`: false,
	} {
		if err := ReadsOnly(query); (err == nil) != ok {
			t.Errorf("%q: %v", query, err)
		}
	}
}
