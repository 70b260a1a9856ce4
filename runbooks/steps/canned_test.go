package steps

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What is canned is judged as what is real.
func TestJudge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, expect string
		canned       Canned
		ok           bool
		value        string
	}{
		"command":      {KindCommand, "code 0", Canned{Exit: 3, Stdout: "out\n", Stderr: "it failed\n"}, false, "exit 3: it failed"},
		"number":       {KindCommand, "code 0 and number < 90", Canned{Stdout: "91%"}, false, "exit 0: 91"},
		"http":         {KindHTTP, `code 200 and json ok == true`, Canned{Status: 200, Stdout: `{"ok":true}`}, true, "HTTP 200, ok = true"},
		"promql":       {KindPromQL, "number > 0.5", Canned{Values: []float64{0.7}}, true, "0.7"},
		"promql empty": {KindPromQL, "number > 0.5", Canned{}, false, "no data"},
		"promql none":  {KindPromQL, "none", Canned{}, true, "no data"},
	} {
		r := Judge(incidents.Step{ID: "x", Kind: c.kind, Expect: c.expect, Timeout: time.Second}, c.canned)
		if r.OK != c.ok || r.Value != c.value || r.Step != "x" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if r := Judge(incidents.Step{Kind: "magic"}, Canned{}); r.OK || r.Because.Phrase != "runbook.bad_step" {
		t.Errorf("%+v", r)
	}
}
