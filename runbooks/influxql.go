package runbooks

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// influxql reads a query to InfluxDB. Parameters stand in strings only, where they are
// escaped as InfluxQL escapes them; the database is fixed.
func (r *reader) influxql(s *Step, n *yaml.Node) {
	f, ok := r.fields(n, KindInfluxQL, "database", "query", "expect")
	if !ok {
		return
	}
	s.target, s.match = r.fixed(n, f, "database"), r.place(n, f, "query")
	if f["query"] != nil && len(s.match) > 0 {
		if err := steps.ReadsOnly(s.match.fill(nil, func(string) string { return "x" })); err != nil {
			r.fail(f["query"], "runbook.lint.influx_query", "error", err.Error())
		} else if hasPlace(s.match) && !inStrings(s.match) {
			r.fail(f["query"], "runbook.lint.influx_place")
		}
	}
	if f["expect"] == nil {
		r.fail(n, "runbook.lint.missing", "key", "expect")
		return
	}
	r.count(s, f["expect"])
}

// inStrings: each place stands in a string, and no regular expression, in which a quote is
// none, can make that a mistake.
func inStrings(t template) bool {
	const mark = "hikeshiPlace"
	text := t.fill(nil, func(string) string { return mark })
	plain, err := steps.Unquoted(text)
	if err != nil || strings.Contains(plain, "/") || strings.Contains(plain, mark) {
		return false
	}
	for before := text; ; { // not in an identifier, which has other quotes
		at := strings.LastIndex(before, mark)
		if at < 0 {
			return true
		}
		before = before[:at]
		if _, err := steps.Unquoted(before + "'"); err != nil {
			return false
		}
	}
}
