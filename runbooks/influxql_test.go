package runbooks

import (
	"slices"
	"strings"
	"testing"
)

// A query that could write, or that a parameter could change, is refused when it is read.
func TestInfluxQLIsRead(t *testing.T) {
	t.Parallel()
	for query, phrase := range map[string]string{
		`SELECT max(used) / min(used) FROM "cpu" WHERE host = '{v}' AND x = 'a{v}b'`: "",
		`SELECT used FROM cpu WHERE host =~ /^web/`:                                  "",
		`DROP DATABASE x`:                                                 "runbook.lint.influx_query",
		`SELECT used INTO x FROM cpu`:                                     "runbook.lint.influx_query",
		`SELECT used FROM cpu; DROP DATABASE x`:                           "runbook.lint.influx_query",
		`SELECT used FROM {v}`:                                            "runbook.lint.influx_place",
		`SELECT used FROM "{v}"`:                                          "runbook.lint.influx_place",
		`SELECT used FROM cpu WHERE host =~ /{v}/`:                        "runbook.lint.influx_place",
		`SELECT u FROM c WHERE a =~ /'/ AND b = {v} '`:                    "runbook.lint.influx_place",
		`SELECT u FROM c WHERE a =~ /'/ AND b = {v} OR c = '' AND d = 'x`: "runbook.lint.influx_place",
		`SELECT u FROM c WHERE a = "it's {v}"`:                            "runbook.lint.influx_place",
	} {
		text := "id: ask\ntitle: {en: Ask, ja: 聞く}\nfits: ['service=\"web\"']\nparams:\n  v: {type: string, match: '.*', default: x}\ncheck:\n  - influxql:\n      database: metrics\n      expect: '< 1'\n      query: |-\n        " + query + "\n"
		if !strings.Contains(query, "{v}") {
			text = strings.Replace(text, "params:\n  v: {type: string, match: '.*', default: x}\n", "", 1)
		}
		rb, problems := Parse("ask.yaml", []byte(text), nil)
		bad := slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == phrase })
		if phrase == "" && rb == nil || phrase != "" && !bad {
			t.Errorf("%s: want %q, got %v", query, phrase, problems)
		}
	}
}
