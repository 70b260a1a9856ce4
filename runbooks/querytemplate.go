package runbooks

import (
	"regexp"
	"strings"
)

// A queryTemplate is a PromQL query. Parameters stand only inside the quoted
// value of a label matcher, where they are escaped as PromQL escapes strings
// (https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals)
// and, after =~ and !~, so that they match themselves and nothing else.
type queryTemplate []queryPart

type queryPart struct {
	part
	quote byte // the quote around the parameter, ' or "
	regex bool
}

func parseQueryTemplate(s string, v *vars) (queryTemplate, *templateError) {
	t, bad := parseTemplate(s, v)
	if bad != nil {
		return nil, bad
	}
	var q queryTemplate
	var scan queryScan
	for _, p := range t {
		if p.param == "" {
			if !scan.text(p.text) {
				return nil, &templateError{"runbook.lint.query_comment", nil}
			}
			q = append(q, queryPart{part: p})
			continue
		}
		if scan.quote != '"' && scan.quote != '\'' || scan.op == "" {
			return nil, &templateError{"runbook.lint.query_place", []string{"place", "{" + p.param + "}"}}
		}
		q = append(q, queryPart{p, scan.quote, strings.HasSuffix(scan.op, "~")})
		scan.escaped = false
	}
	if scan.quote != 0 {
		return nil, &templateError{"runbook.lint.query_quote", nil}
	}
	return q, nil
}

// A queryScan knows where in a query one is.
type queryScan struct {
	quote   byte   // the quote one is inside of; 0 outside
	op      string // the matcher's operator before that quote; "" where it is none
	escaped bool   // the next byte belongs to a backslash
	last    string // the last two bytes outside quotes that are not spaces
}

// text moves over a piece of the query; false at a comment, in which quotes
// would mean nothing.
func (s *queryScan) text(piece string) bool {
	for i := range len(piece) {
		c := piece[i]
		switch {
		case s.escaped:
			s.escaped = false
		case s.quote != 0 && c == '\\' && s.quote != '`':
			s.escaped = true
		case s.quote == c:
			s.quote, s.op, s.last = 0, "", ""
		case s.quote != 0:
		case c == '"' || c == '\'' || c == '`':
			s.quote, s.op = c, matcherOp(s.last)
		case c == '#':
			return false
		case strings.IndexByte(" \t\r\n", c) < 0:
			s.last += string(c)
			s.last = s.last[max(0, len(s.last)-2):]
		}
	}
	return true
}

func matcherOp(last string) string {
	switch {
	case last == "=~" || last == "!~" || last == "!=":
		return last
	case strings.HasSuffix(last, "=") && last != "==" && last != ">=" && last != "<=":
		return "="
	}
	return ""
}

func (q queryTemplate) params() []string {
	t := make(template, len(q))
	for i, p := range q {
		t[i] = p.part
	}
	return t.params()
}

func (q queryTemplate) fill(values map[string]string) string {
	var b strings.Builder
	for _, p := range q {
		if p.param == "" {
			b.WriteString(p.text)
			continue
		}
		value := values[p.param]
		if p.regex {
			value = regexp.QuoteMeta(value)
		}
		value = strings.ReplaceAll(value, `\`, `\\`)
		b.WriteString(strings.ReplaceAll(value, string(p.quote), `\`+string(p.quote)))
	}
	return b.String()
}

func (q queryTemplate) String() string {
	var b strings.Builder
	for _, p := range q {
		if p.param == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString("{" + p.param + "}")
		}
	}
	return b.String()
}
