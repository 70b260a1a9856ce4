package config

import (
	"strings"
	"testing"
	"time"
)

func TestWatchProblems(t *testing.T) {
	found := strings.Join(problemsIn(t, `diagnostics:
  prometheus: [{url: "http://127.0.0.1:9090"}]
watch:
  - {name: Loud, kind: series, source: prometheus, query: up}
  - {name: same, kind: series, source: prometheus, query: up}
  - {name: same, kind: series, source: elsewhere, query: up, direction: sideways}
  - {name: hold, kind: series, source: prometheus, query: up, hold: {looks: 5, of: 3}, every: 1500ms, clear: 1s}
  - {name: labels, kind: series, source: prometheus, labels: {dedup_key: x}, service: shop}
  - {name: kind, kind: graph}
  - {name: whose, kind: logs, keyword: x, templates: [odd], source: prometheus}
`, "en", nil), "\n")
	for _, want := range []string{
		"“Loud” is no name", "another rule “same”", "“elsewhere” takes queries; there are prometheus", "sideways", "looks is from 1 to of",
		"every is 1.5s", "clear is 1s", "“dedup_key” is no label", "a query is missing", "service, host, keyword", "graph", "either service or host", "either keyword or templates", "odd", "are for kind: series",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("the problems lack %s:\n%s", want, found)
		}
	}
}

func TestWatchDefaults(t *testing.T) {
	t.Parallel()
	c := Default()
	c.read([]byte(`diagnostics: {metrics: [{service: shop, url: "http://127.0.0.1:1/metrics"}]}
watch: [{name: a, kind: series, source: metrics of shop, query: errors}, {name: b, kind: logs, host: web-1, keyword: oops}]
`))
	s, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.Watched.Rules[0], s.Watched.Rules[1]
	if a.Every != time.Minute || a.Looks != 3 || a.Of != 5 || a.Clear != 5*time.Minute || b.Looks != 1 || b.Of != 1 || b.Count != 1 || s.Asked.Heard == nil {
		t.Errorf("%+v %+v", a, b)
	}
}
